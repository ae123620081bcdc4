"""What `make bench-van` measures with: a relay that is as slow as it says, and bars that can be missed."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from benchmarks.relay import relay
from benchmarks.text.screens import CHINESE_FONT
from benchmarks.text.strings import KINDS
from benchmarks.van import short_of
from benchmarks.van_live import live
from benchmarks.van_text import text


def through(address: str, port: int) -> socket.socket:
    """A connection through the relay to a port of this machine."""
    host, at = address.removeprefix("socks5://").split(":")
    connection = socket.create_connection((host, int(at)))
    connection.sendall(b"\x05\x01\x00")
    assert connection.recv(2) == b"\x05\x00"
    connection.sendall(b"\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") + port.to_bytes(2, "big"))
    assert connection.recv(10)[:2] == b"\x05\x00"
    return connection


def test_bytes_come_through_unchanged_and_no_faster_than_the_link() -> None:
    data = bytes(range(256)) * 400
    with socket.create_server(("127.0.0.1", 0)) as server, relay(4.0) as link:
        got = bytearray()

        def take() -> None:
            peer, _ = server.accept()
            with peer:
                while more := peer.recv(65_536):
                    got.extend(more)

        taking = threading.Thread(target=take)
        taking.start()
        began = time.monotonic()
        with through(link.address, server.getsockname()[1]) as connection:
            connection.sendall(data)
        taking.join()
        took_s = time.monotonic() - began
    assert bytes(got) == data
    assert link.carried["up"] == len(data)
    assert took_s >= len(data) * 8 / 4e6 * 0.9


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"preliminary_speedup": 5.0, "lost": 0}, []),
        ({"preliminary_speedup": 4.9}, ["preliminary_speedup: 4.9, not 5"]),
        ({"lost": 1, "doubled": 2}, ["lost: 1, not 0", "doubled: 2, not 0"]),
        ({"link_cut": 19, "link_lost": 1}, ["link_cut: 19, not 20", "link_lost: 1, not 0"]),
        ({"link_doubled": 1, "link_clock_unnamed": 1}, ["link_doubled: 1, not 0", "link_clock_unnamed: 1, not 0"]),
        ({"identifiers_found": 1}, ["identifiers_found: 1, not 0"]),
        ({"text_recall": dict.fromkeys(KINDS, 0.98), "lesion_area_masked": 0.0099}, []),
        ({"text_recall": {**dict.fromkeys(KINDS, 1.0), "id": 0.979}}, ["text_recall of id: 0.979, not 0.98"]),
        ({"text_recall": {**dict.fromkeys(KINDS, 1.0), "name_zh": None}}, ["text_recall of name_zh: 0.0, not 0.95"]),
        ({"lesion_area_masked": 0.01}, ["lesion_area_masked: 0.01, not below 0.01"]),
        ({}, []),
    ],
)
def test_what_misses_its_bar_is_named(figures: dict[str, float], missed: list[str]) -> None:
    assert short_of(figures) == missed


@pytest.mark.skipif(not CHINESE_FONT.is_file(), reason="no Chinese font (Debian: fonts-wqy-zenhei)")
def test_figures_of_text_are_those_of_the_whole_count(shared_data: Path, tmp_path: Path) -> None:
    figures = text(shared_data, 3, tmp_path / "text.json")
    whole = json.loads((tmp_path / "text.json").read_text(encoding="utf-8"))
    assert whole["screens"] == figures["text_screens"] == 3
    assert figures["text_strings"] == whole["strings"] > 6
    assert figures["text_recall"] == whole["text_recall"]
    assert set(figures["text_recall"]) == set(KINDS)


def test_what_it_takes_to_judge_a_frame_is_measured_on_the_size_that_it_says() -> None:
    figures = live(2, preview_s=0.5)
    assert figures["quality_pixels"] == [640, 480]
    assert 0 < figures["quality_ms_p50"] <= figures["quality_ms_p95"]
    assert figures["preview_fps"] > 0
