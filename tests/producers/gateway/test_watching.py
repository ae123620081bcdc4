"""What is seen while a woman is scanned."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.gateway.watching import LATEST, SCREENINGS, Watch
from sonovan.producers.sources import CapturedFrame, LostFrame, Source
from sonovan.producers.sources.source import whole_panel

PICTURES = [np.asarray(each) for each in simulate_sweep("breast", frames=8, seed=5).frames]
SOURCE = Source(Path("x"), "breast", "left", None, None, 8, lambda: iter(()))


def shot(index: int, pixels: np.ndarray) -> CapturedFrame:
    return CapturedFrame(index, None, pixels, (whole_panel(*pixels.shape[:2], None, "left"),))


def test_frames_are_counted_and_the_last_of_each_step_is_judged() -> None:
    watch = Watch(lambda: 5.0)
    watch.frames("one", SOURCE, [shot(0, PICTURES[0]), shot(1, PICTURES[1])])
    watch.frames("one", SOURCE, [shot(2, np.zeros_like(PICTURES[0])), LostFrame(3, "unreadable", "x")])
    found = watch.glance("one")
    assert (found.frames, found.lost, found.last_at, found.version) == (3, 1, 5.0, 2)
    assert [each.frame_index for each in found.latest] == [1, 2]
    assert [each.quality.contact for each in found.latest] == [True, False]
    assert [each.side for each in found.latest] == ["left", "left"]
    assert watch.glance("two").frames == 0


def test_a_smeared_frame_is_blurred_and_a_new_sweep_begins_anew() -> None:
    watch = Watch()
    smeared = cv2.blur(PICTURES[0], (31, 1))
    for index, picture in enumerate([*PICTURES, smeared, PICTURES[0]]):
        watch.frames("one", SOURCE, [shot(index, picture)])
    assert [each.blurred for each in watch.glance("one").latest] == [*[False] * 8, True, False]
    watch.frames("one", SOURCE, [shot(0, smeared)])
    assert not watch.glance("one").latest[-1].blurred


def test_a_picture_that_stands_still_is_told_until_another_one_comes() -> None:
    watch = Watch()
    watch.frames("one", SOURCE, [shot(0, PICTURES[1]), *(shot(index, PICTURES[0].copy()) for index in range(1, 8))])
    assert not watch.glance("one").frozen
    watch.frames("one", SOURCE, [LostFrame(8, "unreadable", "x"), shot(9, PICTURES[0])])
    assert watch.glance("one").frozen
    watch.ended("one", SOURCE, 10)
    assert watch.glance("one").frozen, "that sweep is to be scanned again"
    watch.frames("one", SOURCE, [shot(0, PICTURES[0])])
    assert not watch.glance("one").frozen, "another sweep, which may begin with the same picture"


def test_a_sweep_that_is_frozen_at_its_end_counts_and_is_not_complained_of() -> None:
    watch = Watch()
    watch.frames("one", SOURCE, [shot(index, PICTURES[index % 8]) for index in range(8)])
    watch.frames("one", SOURCE, [shot(index, PICTURES[7]) for index in range(8, 40)])
    assert not watch.glance("one").frozen


def test_two_sweeps_at_once_do_not_hide_that_one_stands_still() -> None:
    watch, other = Watch(), replace(SOURCE, path=Path("y"))
    for index in range(8):
        watch.frames("one", SOURCE, [shot(index, PICTURES[0])])
        watch.frames("one", other, [shot(index, PICTURES[index])])
    assert watch.glance("one").frozen


def test_a_noisy_picture_stands_still_where_the_recorder_says_so_until_the_recording_ends() -> None:
    watch = Watch()
    noted = [replace(shot(index, PICTURES[index % 8]), notes=("picture_frozen",)) for index in range(9)]
    watch.frames("one", SOURCE, noted)
    assert watch.glance("one").frozen
    watch.ended("one", SOURCE, 9)
    assert not watch.glance("one").frozen


def test_a_sweep_that_broke_off_is_complained_of_no_longer_than_others_wait() -> None:
    now = [0.0]
    watch = Watch(lambda: now[0])
    watch.frames("one", SOURCE, [replace(shot(0, PICTURES[0]), notes=("picture_frozen",))])
    assert watch.glance("one").frozen
    now[0] = 11.0
    watch.frames("one", replace(SOURCE, path=Path("y")), [shot(0, PICTURES[1])])
    assert not watch.glance("one").frozen


def test_little_is_remembered() -> None:
    watch = Watch()
    for index in range(LATEST + 3):
        watch.frames("one", SOURCE, [shot(index, PICTURES[0])])
    assert len(watch.glance("one").latest) == LATEST
    for number in range(SCREENINGS):
        watch.frames(f"other-{number}", replace(SOURCE, laterality=None), [LostFrame(0, "unreadable", "x")])
    assert watch.glance("one").frames == 0
    assert watch.glance(f"other-{SCREENINGS - 1}").lost == 1
