"""A peer that is ahead is named, and the table says what each loses."""

from benchmarks.peers.__main__ import ahead_of_the_product, table
from benchmarks.peers.contenders import PEERS, PRODUCT, group_of


def row(fps: float, p95: float, lost: int = 0) -> dict[str, object]:
    return {
        "fps": fps, "rounds": [fps], "p95_ms_at_10_fps": p95, "p95_ms_at_25_fps": p95,
        "lost_by_a_kill": lost, "doubled_by_a_kill": 3, "gives": "at least once",
    }  # fmt: skip


def test_a_peer_that_loses_nothing_and_is_faster_is_named() -> None:
    found = {PRODUCT: row(25.0, 100.0), "bytewax": row(26.0, 90.0), "faststream": row(24.0, 200.0)}
    lines = ahead_of_the_product(found)
    assert len(lines) == 2
    assert all(line.startswith("bytewax") for line in lines)


def test_a_peer_that_loses_frames_is_not_ahead() -> None:
    assert ahead_of_the_product({PRODUCT: row(25.0, 100.0), "bytewax": row(26.0, 90.0, lost=1)}) == []


def test_the_table_has_a_line_for_each_with_what_it_loses_and_doubles() -> None:
    document = {
        "contenders": {PRODUCT: row(25.0, 100.0), "bytewax": row(26.0, 90.0, lost=2)}, "frames_per_round": 300,
        "sweeps": 12, "provider": "openvino/bf16", "model": "lite2-unet-3", "cpu": "a processor", "load_after": 1.0,
        "measured_on": "2026-11-28",
    }  # fmt: skip
    lines = table(document).splitlines()
    assert lines[-2].startswith(f"| {PRODUCT} | 25.0 (25.0) |")
    assert "| 2, 3 |" in lines[-1]


def test_no_two_contenders_share_a_group() -> None:
    assert len({group_of(name) for name in (PRODUCT, *PEERS)}) == 1 + len(PEERS)
