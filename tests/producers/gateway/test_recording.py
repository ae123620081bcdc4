"""Sweeps from the video output: into the screening of whoever has the slip, in order, from start to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import decode_pixels
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import FrameCaptured, ScreeningClosed, SequenceClosed
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.recording import Recorder, SweepOrder, entry_of
from sonovan.producers.gateway.register import Expected, Register
from sonovan.producers.gateway.settings import CaptureEntry, read_options
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.plan import both_sides
from sonovan.producers.spool import Spool
from tests.producers.clips import number_of, shades
from tests.producers.gateway.vans import SLIP, TODAY
from tests.producers.page.pages import OTHER_SLIP, desk, without
from tests.producers.page.scene import registered
from tests.producers.sources.test_capture import Screen
from tests.producers.visits import SIGNER, VISIT, vault_at
from tests.waiting import until

R = TypeVar("R", bound=Record)
ENTRY = CaptureEntry(device="/dev/screen", picture=(0, 0, 64, 48), depth_mm=48)


@dataclass
class Recording:
    """A recorder whose devices are these screens, one after the other."""

    spool: Spool
    register: Register
    entry: Expected
    screens: list[Screen] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def recorder(self) -> Recorder:
        return Recorder(
            self.spool,
            SIGNER,
            lambda source: source,
            Watch(),
            (ENTRY,),
            self.told.append,
            lambda _: self.screens.pop(0),
        )

    def sent(self) -> list[tuple[FrameCaptured, int]]:
        """The frames that wait in the spool, by sequence and index, each with the number that it shows."""
        found = []
        for item in self.spool.pending(500, 0.0):
            message = self.spool.load(item)
            if message is not None and message.topic == Topic.FRAME_CAPTURED:
                envelope = open_envelope(message.value)
                told = FrameCaptured.decode(envelope.header)
                pixels = decode_pixels(
                    envelope.payload, codec=told.codec, rows=told.rows, columns=told.columns, channels=told.channels,
                    bits=told.bits,
                )  # fmt: skip
                found.append((told, number_of(pixels)))
        return sorted(found, key=lambda each: (each[0].sequence_id, each[0].frame_index))

    def records(self, kind: type[R]) -> list[R]:
        """The records of a kind that wait in the spool."""
        messages = (self.spool.load(each) for each in self.spool.pending(500, 0.0))
        return [
            kind.decode(open_envelope(each.value).header)
            for each in messages
            if each is not None and each.topic.startswith(kind.schema_name)
        ]


@contextmanager
def recording(folder: Path) -> Iterator[Recording]:
    vault = vault_at(folder)
    with Spool(folder / "spool", vault, least_free_bytes=2**20) as spool, open_desk(vault) as found:
        visit = replace(VISIT, slip_number=SLIP, planned=both_sides(["breast"]))
        yield Recording(spool, found.register, found.register.expect(visit, TODAY))


def test_a_sweep_is_in_her_screening_in_order_with_side_region_and_scale(tmp_path: Path) -> None:
    with recording(tmp_path) as here:
        screen = Screen(shades(40), dark=False)
        here.screens = [screen]
        recorder = here.recorder()
        recorder.start(SweepOrder(here.entry, side="left", region="upper_outer", depth_mm=24))
        assert recorder.recording
        assert screen.shown_all.wait(60)
        screen.go_on.set()
        recorder.stop()
        assert not recorder.recording
        frames = here.sent()
        assert [number for _, number in frames] == list(range(40))
        assert [told.frame_index for told, _ in frames] == list(range(40))
        assert {(told.laterality, told.position, told.panels[0].row_mm) for told, _ in frames} == {
            ("left", "upper_outer", 0.5)
        }
        (closing,) = here.records(SequenceClosed)
        assert (closing.screening_id, closing.frame_count, closing.set_aside) == (here.entry.screening_id, 40, ())


def test_frames_that_were_lost_are_counted_by_the_closing_and_a_lost_signal_is_named(tmp_path: Path) -> None:
    with recording(tmp_path) as here:
        here.screens = [Screen(shades(20), [40.0 * n for n in range(22) if n not in (15, 16)])]
        recorder = here.recorder()
        recorder.start(SweepOrder(here.entry, side="right"))
        until(lambda: not recorder.recording, "the signal is lost")
        (closing,) = here.records(SequenceClosed)
        assert closing.frame_count == 22
        assert [(each.frame_index, each.frames, each.reason) for each in closing.set_aside] == [
            (15, 2, "frame_dropped")
        ]
        here.spool.resume_screening(here.entry.screening_id, SIGNER).close()
        (whole,) = here.records(ScreeningClosed)
        assert "sequence_cut_short" in whole.quality_warnings
        assert any("no picture comes any more" in line for line in here.told)


def test_a_signal_that_is_lost_just_where_a_step_ends_closes_the_sweep_like_any_other(tmp_path: Path) -> None:
    with recording(tmp_path) as here:
        here.screens = [Screen(shades(32))]
        recorder = here.recorder()
        recorder.start(SweepOrder(here.entry, side="right"))
        until(lambda: not recorder.recording, "the signal is lost")
        assert (recorder.broke_off, recorder.screening_id) == (here.entry.screening_id, None)
        (closing,) = here.records(SequenceClosed)
        assert (closing.frame_count, closing.set_aside) == (32, ())


def test_one_sweep_at_a_time_and_the_next_goes_into_the_same_screening(tmp_path: Path) -> None:
    with recording(tmp_path) as here:
        first = Screen(shades(5), dark=False)
        here.screens = [first, Screen(shades(3))]
        recorder = here.recorder()
        recorder.start(SweepOrder(here.entry, side="left"))
        with pytest.raises(InvalidRecord, match="recorded already"):
            recorder.start(SweepOrder(here.entry, side="right"))
        assert first.shown_all.wait(60)
        first.go_on.set()
        recorder.stop()
        assert not recorder.recording
        recorder.start(SweepOrder(here.entry, side="right"))
        assert recorder.broke_off is None
        until(lambda: not recorder.recording, "it ended")
        (screening,) = here.spool.screenings()
        assert (screening.sequences, screening.frames) == (2, 8)


def test_what_cannot_begin_says_why_and_opens_no_screening(tmp_path: Path) -> None:
    with recording(tmp_path) as here:
        with pytest.raises(InvalidRecord) as raised:
            here.recorder().start(SweepOrder(here.entry))
        assert raised.value.reason == "side_missing"
        real = Recorder(here.spool, SIGNER, lambda source: source, Watch(), (ENTRY,), here.told.append)
        with pytest.raises(InvalidRecord) as raised:
            real.start(SweepOrder(here.entry, side="left"))
        assert raised.value.reason == "no_signal"
        assert not real.recording
        assert here.spool.screenings() == []


def test_the_page_starts_and_stops_a_sweep(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        route = "/live/{screening}/capture"
        assert here.ask("POST", route, screening=entry.screening_id).status == 400, "van.toml has no capture"
        page, screen = here.page, Screen(shades(6), dark=False)
        recorder = Recorder(page.spool, SIGNER, page.clean, page.watch, (ENTRY,), lambda _: None, lambda _: screen)
        here.page = replace(page, recorder=recorder)
        hers = {"screening": entry.screening_id}
        assert "Record a sweep" in here.text("/live/{screening}", **hers)
        assert here.ask("POST", route, (("place", "breast.left.9h"),), **hers).status == 400, "not planned"
        assert here.ask("POST", route, (("place", "breast.left"),), **hers).status == 303
        assert screen.shown_all.wait(60)
        shown = here.text("/live/{screening}", **hers)
        assert "Stop the sweep" in shown
        assert "Record a sweep" not in shown
        here.ask("POST", "/register", [each for each in without("slip", ("slip", OTHER_SLIP)) if each[0] != "person"])
        other = page.desk.register.expected()[-1]
        assert other.screening_id != entry.screening_id
        assert "another woman" in here.text("/live/{screening}", screening=other.screening_id)
        assert here.ask("POST", f"{route}/stop", screening=other.screening_id).status == 400
        assert recorder.recording
        assert "The scanner is still sending: 1" in here.text("/lights"), "its last frames are in no screening yet"
        screen.go_on.set()
        assert here.ask("POST", f"{route}/stop", **hers).status == 303
        assert "Record a sweep" in here.text("/live/{screening}", **hers)
        assert "still sending" not in here.text("/lights")
        assert [(each.organ, each.side) for each in page.spool.sweeps(entry.screening_id)] == [("breast", "left")]
        assert page.watch.glance(entry.screening_id).frames == 6


def test_a_capture_says_one_place_and_keeps_an_address_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "van.toml"
    file.write_text(
        '[[capture]]\nname = "ONE"\naddress = "rtsp://10.0.0.1//live"\n[[capture]]\nname = "TWO"\nfile = "a.mp4"\n'
    )
    one, two = read_options(tmp_path, None).capture
    assert one.address == "rtsp://10.0.0.1//live"
    assert entry_of((one, two), "TWO") is two
    with pytest.raises(InvalidRecord, match="ONE, TWO"):
        entry_of((one, two), None)
    for wrong in ('device = "/dev/video0"\nfile = "a"', "", 'device = "video0"', 'address = "file:///etc/passwd"',
                  'device = "/dev/video0"\ndepth_mm = 40'):  # fmt: skip
        file.write_text(f"[[capture]]\n{wrong}\n")
        with pytest.raises(InvalidRecord):
            read_options(tmp_path, None)
