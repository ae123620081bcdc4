"""The reading page in a real browser: the frame on the screen is the one whose id stands beside it, to the pixel."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection

from sonovan.contracts.reviews import FrameReviewed
from sonovan.models.heads.prompting import agreement
from sonovan.models.masks import decode_mask
from sonovan.models.runs import labels_of
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from tests.chromium import Tab
from tests.console.cine_scene import BITS, SQUARE, Clip, disc, lesion, make_screening, numbered
from tests.console.conftest import log_in
from tests.console.test_drawing import clip as phantom_clip
from tests.console.test_drawing import middle, off, truth
from tests.console.world import Running, running
from tests.waiting import until

SHE = "0192f0c1-2345-7abc-8def-0123456789ab"
PHANTOM = "0192f0c1-2345-7abc-8def-0123456789ad"
BLIND = "0192f0c1-2345-7abc-8def-012345679019"
BLIND_SHARE = 0.01
"""Of the screenings here BLIND alone is among this share."""
UNSEEN = Clip("0192f0c1-2345-7abc-8def-000000000004", 12)
SWEEP = Clip("0192f0c1-2345-7abc-8def-000000000001", 40, poor=(3,))
OTHER = Clip("0192f0c1-2345-7abc-8def-000000000002", 30, rows=120, columns=256, coloured=True, spacing_mm=None)
STILL = Clip("0192f0c1-2345-7abc-8def-000000000003", 1, rows=300, columns=400, spacing_mm=(0.2, 0.1))

CINE = "document.querySelector('[data-reading]').cine"
PANE = "document.querySelector('[data-pane=one]')"


@dataclass
class Scene:
    """A console with a numbered screening and one of a phantom."""

    console: Running


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("cine")
    store = FolderStore(folder / "objects")

    def rows(connection: Connection) -> None:
        make_screening(connection, store, SHE, [SWEEP, OTHER, STILL], findings=[lesion(SWEEP, 10, 20)], age_years=52)
        make_screening(connection, store, PHANTOM, [phantom_clip(7)], subject_key="b" * 64)
        make_screening(connection, store, BLIND, [UNSEEN], findings=[lesion(UNSEEN, 3, 7)], subject_key="c" * 64)

    with running(folder, rows=rows, blind_share=BLIND_SHARE) as console:
        yield Scene(console)


def opened(tab: Tab, scene: Scene, code: str, screening: str = SHE) -> None:
    """Log in, open the page, and wait for the first frame without loss."""
    tab.sized(1400, 1000)
    log_in(tab, scene.console, code, "reader")
    tab.go(f"{scene.console.url}/reading/{screening}")
    tab.until(f"{PANE}?.dataset.kind === 'whole'")


def on_screen(tab: Tab, name: str = "one") -> tuple[str, NDArray[np.uint8]]:
    """The id that is shown and the pixels of the canvas, taken at one moment: (rows, columns, 3)."""
    told = tab.run(
        f"(() => {{ const pane = document.querySelector('[data-pane={name}]');"
        "const canvas = pane.querySelector('[data-picture]');"
        "const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});"
        "copy.drawImage(canvas, 0, 0); const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;"
        "let text = ''; for (let at = 0; at < data.length; at += 4)"
        " text += String.fromCharCode(data[at], data[at + 1], data[at + 2]);"
        "return [pane.querySelector('[data-id]').textContent, canvas.width, canvas.height, btoa(text)]; })()"
    )
    frame, width, height, data = told
    return frame, np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 3)


def number_in(pixels: NDArray[np.uint8]) -> int:
    """The index that a numbered frame holds in its squares."""
    row = pixels[SQUARE // 2, SQUARE // 2 : BITS * SQUARE : SQUARE, 0]
    return sum(1 << bit for bit, grey in enumerate(row) if grey > 127)


def settled(tab: Tab, index: int, clip: Clip = SWEEP) -> None:
    tab.until(f"{PANE}.dataset.frame === '{clip.sequence_id}/{index:06d}' && {PANE}.dataset.kind === 'whole'")


def test_every_frame_that_is_shown_is_the_one_whose_id_stands_beside_it(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")
    for key, index in (
        ("ArrowRight", 1),
        ("PageDown", 11),
        ("ArrowLeft", 10),
        ("End", 39),
        ("Home", 0),
        ("PageDown", 10),
    ):
        tab.press(key)
        settled(tab, index)
        frame, pixels = on_screen(tab)
        assert frame == f"{SWEEP.sequence_id}/{index:06d}"
        assert np.array_equal(pixels, np.repeat(numbered(index)[..., None], 3, axis=2))
    tab.press("]")
    settled(tab, 0, OTHER)
    tab.press("ArrowRight")
    settled(tab, 1, OTHER)
    grey = numbered(1, 120, 256)
    assert np.array_equal(on_screen(tab)[1], np.stack([grey, grey // 2, 255 - grey], axis=2))
    tab.press("]")
    settled(tab, 0, STILL)
    assert on_screen(tab)[1].shape == (300, 400, 3)
    assert (tab.errors, scene.console.told) == ([], [])


def test_while_it_plays_the_id_is_never_off_by_one(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")
    tab.press("l")
    tab.press(" ")
    seen = set()
    for _ in range(25):
        frame, pixels = on_screen(tab)
        assert int(frame[-6:]) == number_in(pixels)
        seen.add(frame)
    assert len(seen) > 5
    tab.press(" ")
    tab.until(f"!{CINE}.playing && {PANE}.dataset.kind === 'whole'")
    assert "JPEG" not in tab.run(f"{PANE}.querySelector('[data-kind-line]').textContent")


def test_the_outline_is_off_until_a_key_is_held_and_is_that_of_the_frame(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")
    tab.run(f"{CINE}.go(12)")
    settled(tab, 12)
    lit = (
        f"(() => {{ const over = {PANE}.querySelector('[data-over]'); const scale = {CINE}.active.scale();"
        "const copy = new OffscreenCanvas(over.width, over.height).getContext('2d', {willReadFrequently: true});"
        "copy.drawImage(over, 0, 0); const data = copy.getImageData(0, 0, over.width, over.height).data;"
        "const found = []; for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 100) {"
        "const place = at / 4; found.push([(place % over.width + .5 - scale.left) / scale.x,"
        " (Math.floor(place / over.width) + .5 - scale.top) / scale.y]); } return found; })()"
    )
    assert tab.run(lit) == []
    tab.hold("o")
    tab.until(f"{PANE}.dataset.outlined === 'true'")
    drawn = np.array(tab.run(lit))
    border = disc(12) & ~np.logical_and.reduce([np.roll(disc(12), step, axis) for axis in (0, 1) for step in (1, -1)])
    rows, columns = np.nonzero(border)
    far = [np.hypot(columns + 0.5 - x, rows + 0.5 - y).min() for x, y in drawn]
    assert len(drawn) > 200
    assert max(far) < 1.5
    assert abs(drawn[:, 0].min() - columns.min()) < 0.9
    assert abs(drawn[:, 0].max() - columns.max() - 1) < 0.9
    tab.release("o")
    tab.until(f"{PANE}.dataset.outlined === 'false'")
    assert tab.run(lit) == []


def test_despeckled_looped_zoomed_windowed_and_side_by_side_by_keyboard_alone(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")
    tab.hold("d")
    tab.until(f"{PANE}.dataset.kind === 'smooth'")
    tab.release("d")
    settled(tab, 0)
    assert np.array_equal(on_screen(tab)[1][..., 0], numbered(0))
    for key in ("+", "+", "w", "b", "W", "B"):
        tab.press(key)
    assert tab.run(f"{CINE}.active.zoom") == pytest.approx(1.5625)
    tab.press("w")
    assert "contrast" in tab.run(f"{PANE}.querySelector('[data-picture]').style.filter")
    tab.press("0")
    assert tab.run(f"[{CINE}.active.zoom, {CINE}.active.filter()]") == [1, "none"]
    tab.press("n")
    settled(tab, 15)
    tab.press("v")
    tab.until("document.querySelector('[data-pane=two]').dataset.kind === 'whole'")
    tab.press("k")
    tab.press("End")
    settled(tab, 39)
    tab.until(f"document.querySelector('[data-pane=two]').dataset.frame === '{OTHER.sequence_id}/000029'")
    assert on_screen(tab, "two")[0] == f"{OTHER.sequence_id}/000029"
    tab.press("?")
    tab.until("document.querySelector('#keys').open")
    keys = tab.run("[...document.querySelectorAll('#keys dt')].map((each) => each.textContent)")
    assert {"␣", "←", "o", "d", "z", "l", "m", "c", "v"} <= set(keys)


def test_the_loupe_enlarges_while_its_key_is_held_and_the_speed_is_told(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")
    lit = (
        f"(() => {{ const over = {PANE}.querySelector('[data-over]');"
        "const data = over.getContext('2d').getImageData(0, 0, over.width, over.height).data;"
        "let count = 0; for (let at = 3; at < data.length; at += 4) count += data[at] > 0; return count; })()"
    )
    assert tab.run(lit) == 0
    tab.hold("z")
    tab.until(f"{lit} > 10000")
    tab.release("z")
    tab.until(f"{lit} === 0")

    def rate() -> float:
        told = str(tab.run(f"{PANE}.querySelector('[data-state]').textContent"))
        return float(told.split(" frames/s")[0].split()[-1])

    usual = rate()
    for key, times in ((",", 0.5), (".", 1.0), (".", 1.5)):
        tab.press(key)
        assert rate() == pytest.approx(usual * times, abs=0.06)


def test_a_distance_is_in_mm_only_where_the_scale_is_known(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")

    def measured() -> str:
        tab.press("m")
        tab.press("ArrowRight")
        tab.press("Enter")
        for key in ("ArrowRight",) * 30 + ("ArrowDown",) * 40:
            tab.press(key)
        tab.press("Enter")
        told = str(tab.run("document.querySelector('[data-told]').textContent"))
        tab.press("m")
        return told

    assert measured() == "5.0 mm"
    tab.press("]")
    settled(tab, 0, OTHER)
    assert measured().startswith("50 px")


def test_a_frame_without_loss_stays_when_the_small_one_comes_late(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-1")
    settled(tab, 0)
    tab.press("m")
    tab.run(f"{CINE}.active.show(false)")  # what the page does when a frame of the link arrives
    assert tab.run(f"{PANE}.dataset.kind") == "whole"
    tab.press("ArrowRight")
    tab.press("Enter")
    assert tab.run(f"{CINE}.measure.open !== null")


def test_what_was_looked_at_reaches_the_centre(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-5")
    tab.press("ArrowRight")
    settled(tab, 1)
    tab.until(
        f"document.querySelector('[data-sweep=\"{SWEEP.sequence_id}\"] [data-share]').textContent.startsWith('5')"
    )


def test_a_click_raises_the_dice_and_the_mask_is_saved(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-6", PHANTOM)
    index = 6
    tab.run(f"{CINE}.go({index})")
    settled(tab, index, phantom_clip(7))
    tab.press("c")
    tab.until("!document.querySelector('[data-drawing]').hidden")
    tab.until(f"{CINE}.draw.ready")
    at = in_window(tab, *middle(truth(index)))
    tab.drag(at)
    tab.until("document.querySelector('[data-drawing]').dataset.clicks === '1'")
    tab.press("s")
    tab.until("document.querySelector('[data-drawing]').dataset.saved === '1'")
    review = saved(scene, "dr-6")[-1]
    mask = decode_mask(scene.console.images.get(Bucket.MASKS, review.mask_key or "")) > 0
    assert review.frame_id == f"{phantom_clip(7).sequence_id}/{index:06d}"
    assert agreement(mask, truth(index)) > 0.85 > agreement(off(index, 0, 0), truth(index))
    assert review.verdict == "drawn"


def test_a_network_that_is_lost_mid_drawing_loses_nothing(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-7")
    settled(tab, 0)
    tab.press("c")
    tab.until(f"{CINE}.draw.ready")
    tab.press("3")
    tab.drag(in_window(tab, 60, 100), in_window(tab, 100, 100), in_window(tab, 100, 140))
    tab.until(f"document.querySelector('[data-drawing]').dataset.kept === '{SWEEP.sequence_id}/000000'")
    before = drawn_runs(tab)
    tab.press("u")
    assert drawn_runs(tab) == []
    tab.press("y")
    assert drawn_runs(tab) == before
    tab.link(offline=True)
    tab.press("s")
    tab.until("!document.querySelector('[data-unsent]').hidden")
    assert saved(scene, "dr-7") == []
    tab.link()
    tab.go(f"{scene.console.url}/reading/{SHE}")
    until(lambda: len(saved(scene, "dr-7")) == 1, "the drawing that waited is sent", deadline_s=30)
    (review,) = saved(scene, "dr-7")
    mask = decode_mask(scene.console.images.get(Bucket.MASKS, review.mask_key or "")) > 0
    assert mask[[100, 100, 140, 200], [60, 80, 100, 200]].tolist() == [True, True, True, False]
    tab.until("document.querySelector('[data-unsent]').hidden")


def test_an_unsaved_drawing_is_found_again_and_polygons_are_exact(scene: Scene, tab: Tab) -> None:
    opened(tab, scene, "dr-8")
    tab.press("c")
    tab.until(f"{CINE}.draw.ready")
    tab.press("5")
    for place in ((100, 100), (149, 100), (149, 129), (100, 129)):
        tab.drag(in_window(tab, *place))
    tab.press("6")
    tab.until(f"document.querySelector('[data-drawing]').dataset.kept === '{SWEEP.sequence_id}/000000'")
    drawn = drawn_runs(tab)
    assert 27 <= len(drawn) // 4 <= 31  # a mouse moves by whole pixels of the screen
    tab.go(f"{scene.console.url}/reading/{SHE}?again")
    tab.until(f"{PANE}?.dataset.kind === 'whole'")
    tab.press("c")
    tab.until(f"{CINE}.draw.ready")
    assert drawn_runs(tab) == drawn
    kept = tab.run(
        "new Promise((done) => { const open = indexedDB.open('sonovan-drawings'); open.onsuccess = () => {"
        "const all = open.result.transaction('drafts').objectStore('drafts').getAll();"
        "all.onsuccess = () => done(JSON.stringify(all.result.map((each) => ({...each, runs: 0}))));}; })"
    )
    assert {*json.loads(kept)[0]} == {"key", "runs", "from", "at"}


def test_of_a_screening_that_is_drawn_blind_no_outline_can_be_had_before_the_reader_has_drawn(
    scene: Scene, tab: Tab
) -> None:
    opened(tab, scene, "dr-9", BLIND)
    assert tab.run("document.querySelector('[data-blind]').hidden") is False
    assert tab.run("document.querySelectorAll('[data-blind-frames] button').length") == 2
    assert tab.run("document.querySelector('[data-signing]')") is None
    of_machine = (f"outlines/{UNSEEN.sequence_id}?first=0&count=12", "machine")
    statuses = ",".join(f"fetch('/reading/{BLIND}/{each}').then((answer) => answer.status)" for each in of_machine)
    assert tab.run(f"Promise.all([{statuses}])") == [409, 409], "not on request either"
    drawn: dict[str, Any] = {}
    for number in (1, 2):
        left = tab.run(f"[...{CINE}.blind]")
        tab.run("document.querySelector('[data-blind-frames] button').click()")
        tab.until(f"{PANE}.dataset.frame === '{left[0]}' && {PANE}.dataset.kind === 'whole'")
        if number == 1:
            tab.press("c")
        tab.until(f"{CINE}.draw.ready")
        tab.hold("o")
        assert tab.run(f"{PANE}.dataset.outlined ?? 'false'") == "false"
        tab.release("o")
        assert tab.run("[...document.querySelectorAll('[data-draw][data-seeing=true]')].every((each) => each.disabled)")
        tab.press("3")
        tab.drag(in_window(tab, 100, 150), in_window(tab, 120, 150))
        drawn[left[0]] = drawn_runs(tab)
        assert drawn[left[0]]
        tab.press("s")
        if number == 1:
            tab.until(f"{CINE}.blind.length === 1")
    tab.until("document.querySelector('[data-blind]').hidden")
    tab.until(f"{PANE}?.dataset.kind === 'whole'")
    tab.hold("o")
    tab.until(f"{PANE}.dataset.outlined === 'true'")
    tab.release("o")
    reviews = saved(scene, "dr-9")
    assert {each.frame_id for each in reviews} == set(drawn)
    for each in reviews:
        assert (each.blind, each.verdict) == (True, "drawn")
        mask = decode_mask(scene.console.images.get(Bucket.MASKS, each.mask_key or ""))
        mine = labels_of(np.array(drawn[each.frame_id], np.uint16).reshape(-1, 4), mask.shape)
        assert np.array_equal(mask > 0, mine > 0), "what was drawn, and nothing of the machine's"


def in_window(tab: Tab, column: float, row: float) -> tuple[float, float]:
    """Where a place of the frame lies in the window."""
    x, y = tab.run(
        f"(() => {{ const pane = {CINE}.active; const box = pane.stage.getBoundingClientRect();"
        "const at = pane.scale();"
        f"return [box.left + at.left + ({column} + .5) * at.x, box.top + at.top + ({row} + .5) * at.y]; }})()"
    )
    return x, y


def drawn_runs(tab: Tab) -> Any:
    return tab.run(f"[...{CINE}.draw.mask.runs()]")


def saved(scene: Scene, code: str) -> list[FrameReviewed]:
    """The reviews of a reader, each once: what is sent again is the same."""
    sent = [each for each in scene.console.sent if isinstance(each, FrameReviewed) and each.reader == code]
    return list({each.review_id: each for each in sent}.values())
