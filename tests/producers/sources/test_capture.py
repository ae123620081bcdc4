"""A video output as a source: order, times, what is lost, what is wrong with the picture, and its scale."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame
from sonovan.producers.sources.calibration import Calibration
from sonovan.producers.sources.capture import Sweep, open_device
from sonovan.producers.sources.grabbing import Grabber
from sonovan.producers.sources.origin import Address, Device, Origin, name_of
from sonovan.producers.sources.reasons import shown
from tests.producers.clips import number_of, shades, write_clip

LEFT = CaptureOptions(organ="breast", side="left")
SCREEN = Device("/dev/screen")
UNSAID = Calibration()


class Screen:
    """A device that shows these pictures and then holds its breath until it is let go, or goes dark.

    times: of the device, in ms; by default 40 apart.
    """

    def __init__(self, pictures: Sequence[np.ndarray], times: Sequence[float] | None = None, dark: bool = True) -> None:
        self.pictures, self.times, self.dark = pictures, times, dark
        self.read_so_far, self.released = 0, False
        self.shown_all, self.go_on = Event(), Event()

    def read(self) -> tuple[bool, Any]:
        if self.read_so_far == len(self.pictures):
            self.shown_all.set()
            if not self.dark:
                self.go_on.wait(60)
            return False, None
        picture = self.pictures[self.read_so_far]
        self.read_so_far += 1
        return True, picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)

    def get(self, prop: int, /) -> float:
        if prop == cv2.CAP_PROP_FPS:
            return 25.0
        return self.times[self.read_so_far - 1] if self.times is not None else 40.0 * self.read_so_far

    def release(self) -> None:
        self.released = True


Shots = list[CapturedFrame | LostFrame]


def read(sweep: Sweep) -> tuple[Shots, str | None]:
    """The shots of a sweep, and what ended it."""
    shots: Shots = []
    try:
        for shot in sweep.source.read():
            shots.append(shot)  # what came before an error counts
    except InvalidRecord as error:
        return shots, error.reason
    return shots, None


def swept(screen: Screen, told: list[str] | None = None) -> Shots:
    sweep = Sweep(SCREEN, screen, UNSAID, LEFT, (told if told is not None else []).append)
    shots, end = read(sweep)
    assert end == "signal_lost"
    return shots


def captured(shots: Shots) -> list[CapturedFrame]:
    return [shot for shot in shots if isinstance(shot, CapturedFrame)]


@contextmanager
def web(file: Path) -> Iterator[tuple[str, list[str]]]:
    """A server that has one file under any address; where it is, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.requestline.split()[1])  # `path` has slashes taken away
            data = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_file_read_as_a_device_gives_every_frame_in_order_with_its_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", shades(40))
    shots, end = read(Sweep(clip, open_device(clip), UNSAID, LEFT, [].append))
    assert end == "signal_lost"
    frames = captured(shots)
    assert [number_of(each.pixels) for each in frames] == list(range(40))
    assert [each.frame_index for each in frames] == list(range(40))
    assert [each.time_ms for each in frames] == pytest.approx([40.0 * n for n in range(40)], abs=1)


def test_an_address_reaches_opencv_as_it_was_written(tmp_path: Path) -> None:
    with web(write_clip(tmp_path / "a.mp4", shades(5))) as (place, asked):
        origin = Address(f"{place}//screen//1?channel=a//b&x=%2F")
        device = open_device(origin)
        assert device.read()[0]
        device.release()
    assert set(asked) == {"//screen//1?channel=a//b&x=%2F"}


def test_what_cannot_be_opened_is_no_signal_and_no_password_is_shown(tmp_path: Path) -> None:
    origins: list[Origin] = [
        Device("/dev/video99"),
        tmp_path / "nothing.mp4",
        Address("http://me:secret@127.0.0.1:9/a?key=1"),
    ]
    for origin in origins:
        with pytest.raises(InvalidRecord) as raised:
            open_device(origin)
        assert raised.value.reason == "no_signal"
        assert "secret" not in str(raised.value.message) + repr(origin)
    assert shown(Address("rtsp://me:secret@10.0.0.1:554//live?key=1")) == "rtsp://10.0.0.1:554//live"
    assert name_of(Address("rtsp://a//b")) == "rtsp://a//b"


def test_pictures_that_the_device_left_out_by_its_own_times_are_lost_at_their_place() -> None:
    times = [40.0 * n for n in range(20) if n not in (12, 13, 17)]
    told: list[str] = []
    shots = swept(Screen(shades(len(times)), times), told=told)
    assert [each.frame_index for each in shots] == list(range(20))
    assert [each.frame_index for each in shots if isinstance(each, LostFrame)] == [12, 13, 17]
    assert {each.reason for each in shots if isinstance(each, LostFrame)} == {"frame_dropped"}
    assert "2 frames were lost on the way: they are counted as missing" in told


def test_pictures_of_a_device_of_varying_rate_are_not_called_lost() -> None:
    moments = np.cumsum([0, *[40, 90, 33, 120] * 6]).tolist()
    shots = swept(Screen(shades(25), moments))
    assert [each.frame_index for each in captured(shots)] == list(range(25))
    assert [each.time_ms for each in captured(shots)] == moments


def test_what_nobody_takes_in_time_is_lost_and_counted() -> None:
    pictures = shades(30)
    screen = Screen([np.stack([each] * 3, axis=-1) for each in pictures])
    grabber = Grabber(screen, most_bytes=4 * pictures[0].size * 3)
    grabber.start()
    assert screen.shown_all.wait(60)
    grabber.join()
    found = list(grabber.taken())
    assert [number_of(each.pixels) for each in found] == [0, 1, 2, 3]
    assert (grabber.count, grabber.lost_at_end) == (30, 26)


def test_a_file_waits_for_whoever_is_slow() -> None:
    pictures = shades(30)
    grabber = Grabber(Screen(pictures), waits=True, most_bytes=4 * pictures[0].size * 3)
    grabber.start()
    assert [number_of(each.pixels) for each in grabber.taken()] == list(range(30))
    assert grabber.lost_at_end == 0


def test_a_sweep_ends_when_it_is_stopped_and_keeps_what_was_grabbed() -> None:
    screen = Screen(shades(10), dark=False)
    sweep = Sweep(SCREEN, screen, UNSAID, LEFT, [].append)
    shots: Shots = []
    thread = Thread(target=lambda: shots.extend(sweep.source.read()))
    thread.start()
    assert screen.shown_all.wait(60)
    sweep.stop()
    screen.go_on.set()
    thread.join(60)
    assert len(captured(shots)) == 10
    assert screen.released


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 0, 0)])
def test_a_black_picture_or_one_of_one_colour_is_named(colour: tuple[int, int, int]) -> None:
    told: list[str] = []
    blank = np.full((48, 64, 3), colour, np.uint8)
    shots = captured(swept(Screen([*shades(3), blank, blank, *shades(3)]), told=told))
    assert [each.notes for each in shots] == [(), (), (), ("picture_blank",), ("picture_blank",), (), (), ()]
    assert sum("black or of one colour" in line for line in told) == 1


def test_a_picture_that_stands_still_for_a_second_is_named() -> None:
    still = shades(30)[29]
    shots = captured(swept(Screen([*shades(5), *[still] * 40, *shades(5)])))
    named = [each.frame_index for each in shots if each.notes == ("picture_frozen",)]
    assert named == list(range(30, 45))


def test_a_typed_depth_gives_the_scale_of_the_pictures_place_and_all_else_is_declared_away() -> None:
    calibration = Calibration(picture=(8, 4, 40, 40), depth_mm=40)
    sweep = Sweep(SCREEN, Screen(shades(2)), calibration, LEFT, [].append)
    assert sweep.source.declared == ((8, 4, 40, 40),)
    frame = next(shot for shot in sweep.source.read() if isinstance(shot, CapturedFrame))
    (panel,) = frame.panels
    assert (panel.left, panel.top, panel.width, panel.height) == (8, 4, 40, 40)
    assert (panel.column_mm, panel.row_mm) == (1.0, 1.0)
    assert panel.laterality == "left"


def test_nothing_is_measured_where_nobody_said_the_scale() -> None:
    (frame, *_) = captured(swept(Screen(shades(2))))
    assert frame.panels[0].spacing_mm is None


def test_a_place_outside_the_picture_and_another_size_end_the_sweep() -> None:
    sweep = Sweep(SCREEN, Screen(shades(2)), Calibration(picture=(40, 0, 40, 40)), LEFT, [].append)
    with pytest.raises(InvalidRecord, match="80, 40 of 64 x 48"):
        list(sweep.source.read())
    sweep = Sweep(SCREEN, Screen([*shades(2), *shades(1, 64, 80)]), UNSAID, LEFT, [].append)
    read = sweep.source.read()
    assert isinstance(next(read), CapturedFrame)
    assert isinstance(next(read), CapturedFrame)
    with pytest.raises(InvalidRecord, match="another size"):
        next(read)
