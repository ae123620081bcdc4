"""A fault of what is measured, in words: of which network, van and scanner, by how much, and what to do."""

import pytest

from sonovan.contracts.because import Because
from sonovan.contracts.faults import FaultAlerted, MeasuredFault, fault_id
from sonovan.contracts.quality import Stratum
from sonovan.reports.faults import fault_letter, fault_words
from sonovan.reports.phrases import LANGUAGES, Language
from tests.clinical.records import NOON
from tests.reports.quality_scene import stratum


def fault(of: Stratum, code: MeasuredFault, *because: Because) -> FaultAlerted:
    return FaultAlerted(
        fault_id=fault_id(of.name, code), measured=of, fault=code, state="raised" if because else "ended",
        because=because, as_of=NOON,
    )  # fmt: skip


def test_a_drift_names_network_van_scanner_and_what_moved() -> None:
    drift = fault(stratum("source"), "drift", Because(code="drift_brightness", value=19.6))
    told = fault_words(drift, "en")
    assert told["worker"] == "Network lite2-unet-3, Breast · Van van-1 · mindray DC-70"
    assert told["because"] == ["brightness has moved by 19.6 grey levels"]
    assert told["to_do"].endswith("docs/runbook.md#drift")
    assert drift.key == b"lite2-unet-3"


@pytest.mark.parametrize("language", LANGUAGES)
def test_outlines_that_no_longer_agree_are_told_with_their_figures(language: Language) -> None:
    because = (
        Because(code="mean_dice", value=0.7312), Because(code="mean_iou", value=0.61),
        Because(code="screenings_reviewed", value=126),
    )  # fmt: skip
    subject, letter = fault_letter(fault(stratum("network"), "agreement", *because), language)
    assert "lite2-unet-3" in subject
    for figure in ("Dice 0.731", "IoU 0.610", "126", "runbook.md#agreement"):
        assert figure in letter
    assert "{" not in letter
    _, ended = fault_letter(fault(stratum("network"), "agreement"), language)
    assert "runbook" not in ended
