"""What `make bench-van ONLY=link` measures with: a link that falls and heals, a count that finds what is missing."""

import json
import socket

import pytest

from benchmarks.relay import Relay, relay
from benchmarks.van_link_counted import Sent, counted, says_clock, tells_clock
from sonovan.contracts.frames import FrameSegmented
from tests.benchmarks.test_van import through
from tests.clinical.records import SCREENING, assessed, segmented
from tests.listening import listening
from tests.producers.test_measured import REPORT

FRAMES = [segmented(index) for index in range(3)]
IDS = [each.frame_id for each in FRAMES]
SENT = Sent({SCREENING}, set(IDS))
RECEIPTS = [*IDS, f"{SCREENING}/opened"]
COMPLETE = assessed(screening_id=SCREENING, status="complete")


def echo(peer: socket.socket) -> None:
    """Send back what comes, until the connection ends."""
    with peer:
        while data := peer.recv(1024):
            peer.sendall(data)


def echoed(connection: socket.socket) -> bytes:
    """What comes back of a word; nothing where the connection has ended."""
    connection.sendall(b"word")
    return connection.recv(4)


def nobody_gets_through(link: Relay, port: int) -> bool:
    """Whether a new connection ends within its handshake."""
    try:
        through(link.address, port).close()
    except (AssertionError, OSError):
        return True
    return False


def test_a_link_that_falls_ends_its_connections_and_takes_new_ones_once_it_is_healed() -> None:
    with listening(echo) as port, relay(50.0) as link, through(link.address, port) as connection:
        assert echoed(connection) == b"word"
        link.fall()
        assert connection.recv(4) == b""
        assert nobody_gets_through(link, port)
        link.heal()
        with through(link.address, port) as another:
            assert echoed(another) == b"word"


def test_a_link_that_falls_silently_leaves_connections_open_that_never_carry_anything_again() -> None:
    with listening(echo) as port, relay(50.0) as link, through(link.address, port) as connection:
        assert echoed(connection) == b"word"
        link.fall(silently=True)
        link.heal()
        with through(link.address, port) as another:
            connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                echoed(connection)
            assert echoed(another) == b"word"


def test_what_was_sent_is_told_frame_by_frame() -> None:
    sent = Sent()
    sent.note(json.dumps({"screening_id": "s", "sequences": [{"sequence_id": "q", "frames": 2}]}))
    sent.note(json.dumps({"screening_id": "t", "sequences": [{"sequence_id": "r", "frames": 1}]}))
    assert sent == Sent({"s", "t"}, {"q/000000", "q/000001", "r/000000"})


def test_a_sweep_that_is_whole_lost_and_doubled_nothing() -> None:
    assert counted(SENT, FRAMES, [COMPLETE], RECEIPTS, 4, 4) == {"link_lost": 0, "link_doubled": 0}


@pytest.mark.parametrize(
    ("results", "revised", "receipts", "stored"),
    [
        (FRAMES[1:], True, RECEIPTS, 4),
        (FRAMES, False, RECEIPTS, 4),
        (FRAMES, True, RECEIPTS[1:], 4),
        (FRAMES, True, [*RECEIPTS[1:], "another"], 4),
        (FRAMES, True, RECEIPTS, 3),
    ],
)
def test_a_result_a_report_and_a_receipt_that_are_missing_are_each_found(
    results: list[FrameSegmented], revised: bool, receipts: list[str], stored: int
) -> None:
    found = counted(SENT, results, [COMPLETE] if revised else [], receipts, 4, stored)
    assert found == {"link_lost": 1, "link_doubled": 0}


def test_a_second_result_of_a_frame_counts_though_it_is_like_the_first() -> None:
    assert counted(SENT, [*FRAMES, FRAMES[0]], [COMPLETE], RECEIPTS, 4, 4)["link_doubled"] == 1


def test_a_command_that_keeps_all_must_say_which_clock_and_what_to_do() -> None:
    said = "the certificate is not valid yet by this machine's clock (2016-12-01): set the clock; 9 items wait in /x"
    assert says_clock(said)
    assert not says_clock("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed; 9 items wait in /x")


def test_a_van_tells_how_far_its_clock_is_off_or_has_not_named_it() -> None:
    assert tells_clock(REPORT.model_copy(update={"clock_ahead_s": -86_390.0}), -86_400)
    assert not tells_clock(REPORT.model_copy(update={"clock_ahead_s": 86_400.0}), -86_400)
    assert not tells_clock(REPORT.model_copy(update={"clock_ahead_s": None}), 86_400)
    assert not tells_clock(None, 86_400)
