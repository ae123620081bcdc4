"""How a replay keeps out of the way of live work."""

from sonovan.replay import BESIDE, LOOK_EVERY_S, Pace

FRAME_S = 0.05


def replayed_in(seconds: float, live_frames_a_second: int) -> int:
    """How many frames of FRAME_S each are replayed in so much time, beside so many live ones."""
    now_s = 0.0

    def pause(s: float) -> None:
        nonlocal now_s
        now_s += s

    pace, frames = Pace(lambda: int(now_s * live_frames_a_second), lambda: now_s, pause), 0
    while now_s < seconds:
        now_s += FRAME_S
        pace.rest()
        frames += 1
    return frames


def test_it_goes_at_full_speed_where_nobody_else_is_at_work() -> None:
    assert replayed_in(100, 0) >= 0.99 * 100 / FRAME_S


def test_it_takes_its_share_and_no_more_while_live_frames_come() -> None:
    seconds = 100.0
    frames = replayed_in(seconds, 25)
    assert 0.9 * BESIDE * seconds / FRAME_S <= frames <= BESIDE * seconds / FRAME_S + LOOK_EVERY_S / FRAME_S + 1
