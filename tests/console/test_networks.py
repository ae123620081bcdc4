"""A shadow network beside the one that counts: paired differences, the frames that differ, and both pictures of one."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import Connection

from sonovan.console.blind import is_sampled
from sonovan.contracts.topics import Topic
from sonovan.models.masks import encode_mask
from sonovan.storage.console.read import Drawing, Read
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import SHADOW, Bucket
from tests.clinical.records import region, segmented, sha
from tests.console.cine_scene import Clip, disc, make_screening, numbered
from tests.console.world import Answer, Running, running

SHE = "0192f0c1-2345-7abc-8def-0123456789ab"
OTHER = "0192f0c2-2345-7abc-8def-0123456789ab"
SWEEP = Clip("0192f0c1-2345-7abc-8def-000000000001", 6)
ELSEWHERE = Clip("0192f0c2-2345-7abc-8def-000000000002", 4)
CANDIDATE = sha("a candidate")
SHADOWS = f"/models/shadow?fingerprint={CANDIDATE}"


def half(index: int) -> Any:
    """The candidate outlines the left half of the disc."""
    whole = disc(index)
    return whole & (np.arange(whole.shape[1]) < np.flatnonzero(whole.any(axis=0)).mean())


def replays(store: FolderStore, screening_id: str, clip: Clip) -> list[Any]:
    """The candidate's results: nothing on the last frame, half of what counts on the others."""
    told: list[Any] = []
    for index in range(clip.count):
        named: dict[str, Any] = {}
        if index < clip.count - 1:
            mask = encode_mask(np.asarray(half(index), np.uint8))
            named = {
                "mask_key": f"{SHADOW}/{clip.sequence_id}/{index}",
                "mask_sha256": hashlib.sha256(mask).hexdigest(),
            }
            store.put(Bucket.MASKS, named["mask_key"], mask, "image/png")
        regions = (region(predicted_dice=0.6),) if named else ()
        shadow = segmented(
            index, regions, screening_id=screening_id, sequence_id=clip.sequence_id, model_id="lesion-2",
            fingerprint=CANDIDATE, **(named or {"mask_key": None, "mask_sha256": None}),
        )  # fmt: skip
        told.append((Topic.FRAME_REPLAYED, shadow))
    return told


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("networks")
    store = FolderStore(folder / "objects")

    def rows(connection: Connection) -> None:
        make_screening(connection, store, SHE, [SWEEP], more=replays(store, SHE, SWEEP))
        make_screening(connection, store, OTHER, [ELSEWHERE], more=replays(store, OTHER, ELSEWHERE), site_code="site-2")

    with running(folder, rows=rows) as made:
        yield made


def picture(answer: Answer) -> Any:
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    return cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_a_shadow_is_reached_from_its_count_and_held_against_what_counts(here: Running) -> None:
    lead = here.browser("ld-1", "lead")
    assert f'<a href="{SHADOWS}">10</a>' in lead.get("/models").text
    page = lead.get(SHADOWS).text
    cells = [re.findall(r"<td[^>]*>(?:<a[^>]*>)?([^<]*)", row) for row in re.findall(r"<tr>(<td.*?)</tr>", page)]
    figures = {row[0]: row[1:] for row in cells}
    assert figures["Regions on a frame"][:4] == ["10", "1.0000", "0.8000", "-0.2000"]
    assert figures["Share of frames not assessed"][:4] == ["10", "0.0000", "0.0000", "+0.0000"]
    assert figures["Dice that is expected (where both outline)"][:4] == ["8", "0.8000", "0.6000", "-0.2000"]
    assert figures["Regions on a frame"][4].startswith("-0."), "two screenings give an interval"


def test_the_frames_that_differ_most_stand_first_with_the_agreement_of_both_masks(here: Running) -> None:
    rows = here.browser("ld-1", "lead").get(f"{SHADOWS}&as=csv").table
    assert [row["candidate_regions"] for row in rows[:3]] == ["0", "0", "1"]
    assert rows[0]["dice"] == "0", "one outlines nothing"
    whole, part = disc(0).sum(), half(0).sum()
    (first,) = [row for row in rows if row["sequence_id"] == SWEEP.sequence_id and row["frame_index"] == "0"]
    assert float(first["dice"]) == pytest.approx(2 * part / (whole + part), abs=1e-3)


def test_both_pictures_of_a_frame_stand_side_by_side_each_with_its_own_outline(here: Running) -> None:
    lead = here.browser("ld-1", "lead")
    link = re.search(rf'<a href="(/models/shadow/{SHE}/[^"]+)">000002</a>', lead.get(SHADOWS).text)
    assert link
    page = lead.get(link[1])
    assert page.status == 200
    found = [each.replace("&amp;", "&") for each in re.findall(r'<img src="([^"]+)"', page.text)]
    assert len(found) == 2
    for address, mask in zip(found, (disc(2), half(2)), strict=True):
        drawn = picture(lead.get(address))
        yellow = (drawn == (255, 220, 0)).all(axis=2)
        assert not (yellow & mask).any(), "the margin is free to be judged"
        grown = np.pad(mask, 1)
        grown = grown | np.roll(grown, 1, 0) | np.roll(grown, -1, 0) | np.roll(grown, 1, 1) | np.roll(grown, -1, 1)
        assert (yellow == grown[1:-1, 1:-1] & ~mask).all()
        assert (drawn[~yellow] == numbered(2)[..., None][~yellow]).all()
    acts = [(each["what"], each["about"].get("screening_id")) for each in here.acts() if each["by"] == "ld-1"]
    assert ("outlines.seen", SHE) in acts


def test_a_site_sees_its_own_frames_and_an_engineer_figures_alone(here: Running) -> None:
    lead, engineer = here.browser("ld-2", "lead", sites=["site-2"]), here.browser("en-1", "engineer")
    assert OTHER in lead.get(SHADOWS).text
    assert SHE not in lead.get(SHADOWS).text
    place = f"/models/shadow/{SHE}/{SWEEP.sequence_id}/000002"
    query = f"?fingerprint={CANDIDATE}"
    assert lead.get(place + query).status == 404
    assert lead.get(f"{place}/picture{query}&of=running").status == 404
    assert here.browser("ld-3", "lead", sites=["site-9"]).get(SHADOWS).status == 404
    page = engineer.get(SHADOWS)
    assert (page.status, place in page.text) == (200, False)
    assert engineer.get(place + query).status == 403


@pytest.mark.parametrize("address", [
    f"/models/shadow?fingerprint={'0' * 64}", f"/models/shadow/{SHE}/{SWEEP.sequence_id}/99?fingerprint={CANDIDATE}",
    f"/models/shadow/{SHE}/{SWEEP.sequence_id}/x?fingerprint={CANDIDATE}",
    f"/models/shadow/{SHE}/x/1?fingerprint={CANDIDATE}",
    f"/models/shadow/{SHE}/{SWEEP.sequence_id}/1/picture?fingerprint={CANDIDATE}&of=another",
])  # fmt: skip
def test_what_there_is_not_is_nowhere(here: Running, address: str) -> None:
    assert here.browser("ld-1", "lead").get(address).status == 404


@pytest.mark.parametrize("query", ["", f"fingerprint={'0' * 65}"])
def test_a_shadow_is_named(here: Running, query: str) -> None:
    assert here.browser("ld-1", "lead").get(f"/models/shadow?{query}").status == 400


def test_who_reads_is_told_of_no_frame_of_a_screening_that_is_still_to_be_drawn_blind(tmp_path: Any) -> None:
    store = FolderStore(tmp_path / "objects")

    def rows(connection: Connection) -> None:
        make_screening(connection, store, SHE, [SWEEP], more=replays(store, SHE, SWEEP))
        make_screening(connection, store, OTHER, [ELSEWHERE], more=replays(store, OTHER, ELSEWHERE))

    shares = ((step / 100, [each for each in (SHE, OTHER) if is_sampled(each, step / 100)]) for step in range(101))
    share, (first,) = next((share, drawn) for share, drawn in shares if len(drawn) == 1)
    second = OTHER if first == SHE else SHE
    with running(tmp_path, rows=rows, blind_share=share) as made:
        both, lead = made.browser("dr-1", "lead", "reader"), made.browser("ld-1", "lead")
        frame = f"{(SWEEP if first == SHE else ELSEWHERE).sequence_id}/000002"
        place = f"/models/shadow/{first}/{frame}"
        for address in (place, f"{place}/picture"):
            query = f"?fingerprint={CANDIDATE}&of=running"
            assert both.get(address + query).status == 409
            assert lead.get(address + query).status == 200
        assert "to be drawn by you first: 1 screenings" in both.get(SHADOWS).text
        for listed in (SHADOWS, f"{SHADOWS}&as=csv"):
            told = both.get(listed).text
            assert (first in told, second in told) == (False, True)
            assert first in lead.get(listed).text
        Read(made.console.database).keep(Drawing("drawn", "dr-1", first, frame, True, '{"review_id": "one"}', True))
        assert both.get(f"{place}?fingerprint={CANDIDATE}").status == 200, "who has drawn sees what others see"
        assert first in both.get(SHADOWS).text


def test_a_mask_that_is_gone_or_was_replaced_is_not_compared_and_not_shown(tmp_path: Any) -> None:
    store = FolderStore(tmp_path / "objects")

    def rows(connection: Connection) -> None:
        make_screening(connection, store, SHE, [SWEEP], more=replays(store, SHE, SWEEP))

    with running(tmp_path, rows=rows) as made:
        store.path(Bucket.MASKS, f"{SHADOW}/{SWEEP.sequence_id}/1").unlink()
        store.path(Bucket.MASKS, f"{SHADOW}/{SWEEP.sequence_id}/2").write_bytes(
            encode_mask(np.asarray(disc(9), np.uint8))
        )
        lead = made.browser("ld-1", "lead")
        lead.cookies["language"] = "zh"
        rows_of = lead.get(f"{SHADOWS}&as=csv").table
        assert {row["frame_index"] for row in rows_of if not row["dice"]} == {"1", "2"}
        place = f"/models/shadow/{SHE}/{SWEEP.sequence_id}"
        statuses = [
            lead.get(f"{place}/{index}/picture?fingerprint={CANDIDATE}&of=candidate").status for index in (0, 1, 2)
        ]
        assert statuses == [200, 404, 400]
