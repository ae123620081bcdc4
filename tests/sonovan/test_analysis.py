"""`analyse`: arrays, datasets and paths in, findings out; the same input and ids give the same revision."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, examples

from sonovan import Ids, analyse
from sonovan.analysis import analysis_of
from sonovan.contracts.because import Because
from sonovan.contracts.errors import InvalidRecord
from sonovan.embedded import Screened
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.items import mint_ids
from sonovan.producers.screening import Composed
from sonovan.scratch import Scratch
from sonovan.stored import StoredResults
from tests.clinical.records import SCREENING, assessed
from tests.producers.files import grey, write_dicom
from tests.stream_apps.alert.scene import Stage, revision

YBR = str(examples.get_path("ybr_color"))


@pytest.fixture(scope="module")
def sweep() -> np.ndarray:
    return np.stack(simulate_sweep("breast", frames=6, seed=11, size=(240, 320)).frames)


def test_a_sweep_of_arrays_gives_a_complete_revision_with_a_mask_per_outlined_frame(sweep):
    analysis = analyse(sweep, organ="breast", side="left", pixel_spacing_mm=0.2)
    assert analysis.screening.status == "complete"
    assert [frame.frame_index for frame in analysis.frames] == list(range(6))
    outlined = {frame.frame_id: frame for frame in analysis.frames if frame.regions}
    assert set(analysis.masks) == set(outlined)
    for name, mask in analysis.masks.items():
        assert mask.shape == (240, 320)
        for region in outlined[name].regions:
            assert np.count_nonzero(mask == region.ordinal + 1) == region.area_px
            assert region.measures.area_mm2 == pytest.approx(region.area_px * 0.04, abs=0.01)


def test_the_same_input_and_ids_give_the_same_revision(sweep):
    ids = mint_ids(1)
    one = analyse(sweep, organ="breast", side="left", ids=ids)
    other = analyse(list(sweep), organ="breast", side="left", ids=ids)
    assert one.revision_id == other.revision_id
    assert analyse(sweep[:5], organ="breast", side="left", ids=ids).revision_id != one.revision_id


def test_a_sweep_with_blurred_frames_says_so_and_keeps_what_they_show():
    frames = list(simulate_sweep("breast", frames=12, seed=11, size=(240, 320)).frames)
    still = analyse(np.stack(frames), organ="breast", side="left")
    assert "motion" not in still.screening.adequacy[0].reasons
    for index in (5, 6, 7):
        shifted = [np.roll(frames[index], columns, axis=1).astype(np.float32) for columns in range(-4, 5)]
        frames[index] = np.mean(shifted, axis=0).astype(np.uint8)
    moved = analyse(np.stack(frames), organ="breast", side="left", plan=["left"])
    (row,) = moved.screening.adequacy
    assert (row.level, row.reasons, row.assessable_share) == ("limited", ("motion", "coverage_not_known"), 1.0)
    assert [bool(frame.regions) for frame in moved.frames] == [bool(frame.regions) for frame in still.frames]


def test_a_dataset_in_memory_is_read_like_its_file():
    ids = mint_ids(1)
    from_path = analyse(YBR, organ="breast", side="left", ids=ids)
    from_dataset = analyse(dcmread(YBR), organ="breast", side="left", ids=Ids(ids.screening_id, ids.sequence_ids))
    assert from_path.revision_id == from_dataset.revision_id
    assert len(from_path.frames) == 30


def test_what_should_be_looked_at_is_told(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", [grey(), grey(seed=1)], BodyPartExamined="SEIN DROIT", BurnedInAnnotation="YES"
    )
    told = analyse(path, organ="breast", side="left").warnings
    assert len(told) == 2
    assert "SEIN DROIT" in told[0]
    assert "burned" in told[1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: np.zeros((64, 64)),
        lambda: np.zeros(64, np.uint8),
        lambda: np.zeros((2, 64, 64, 4), np.uint8),
        lambda: np.zeros((1, 1), np.uint8),
        list,
        lambda: ["a.png", np.zeros((64, 64), np.uint8)],
    ],
)
def test_other_arrays_are_refused_by_name(wrong: Callable[[], object]):
    with pytest.raises(InvalidRecord):
        analyse(wrong(), organ="breast")  # type: ignore[arg-type]


def test_categories_and_advice_are_withheld_unless_for_decision_support():
    dark = np.zeros((3, 240, 320), np.uint8)
    research = analyse(dark, organ="breast", side="left")
    support = analyse(dark, organ="breast", side="left", intended_use="decision_support")
    assert [category.value for category in support.screening.categories] == ["0"]
    assert [category.value for category in research.screening.categories] == [None]
    assert research.screening.advice == support.screening.advice, "who scans must know it under every intended use"
    assert any(each.rule == "scan_again" and each.because for each in support.screening.advice)


def test_a_malignant_score_is_withheld_in_frames_too_unless_for_decision_support(sweep):
    ids = mint_ids(1)
    research = analyse(sweep, organ="breast", side="left", ids=ids)
    support = analyse(sweep, organ="breast", side="left", ids=ids, intended_use="decision_support")
    scored = [region for frame in support.frames for region in frame.regions]
    assert scored
    assert all(region.malignant is not None and not region.malignant_withheld for region in scored)
    shown = [region for frame in research.frames for region in frame.regions]
    assert [(region.malignant, region.malignant_withheld) for region in shown] == [(None, True)] * len(scored)
    assert all(finding.malignant is None for finding in research.findings)
    assert research.revision_id == support.revision_id


def test_an_alerts_reasons_are_withheld_unless_for_decision_support():
    (alert,) = Stage().take(revision(1, {1: "suspicious"}))
    figure = Because(code="malignant_probability", value=0.7, unit="1")
    alert = alert.model_copy(update={"because": (*alert.because, figure)})
    scratch = Scratch()
    screened = Screened(Composed(SCREENING, (), ()), StoredResults(scratch), [assessed()], [alert])
    research, support = (analysis_of(screened, (), scratch, use).alerts[0] for use in ("research", "decision_support"))
    assert support == alert
    assert (research.because, research.withheld) == (alert.because[:-1], True)


def test_a_dark_frame_is_not_assessable_and_no_negative():
    analysis = analyse(np.zeros((3, 240, 320), np.uint8), organ="breast", side="left")
    assert [frame.assessable for frame in analysis.frames] == [False] * 3
    assert [row.level for row in analysis.screening.adequacy] == ["inadequate", "not_examined"]
