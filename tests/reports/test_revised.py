"""A report that was made again from the same frames says so, and why."""

import pytest

from sonovan.contracts.promotions import PromotionInForce
from sonovan.contracts.results import ReaderFrame
from sonovan.reports.document import ANOTHER_NETWORK, OUTLINED_BY_READER, report_document
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.revised import outlined_by, promoted_words, reviewed_words
from sonovan.reports.words import Words
from tests.clinical.records import NOON, adequacy, assessed, finding, sha
from tests.reports.test_report import page, read
from tests.stream_apps.catalog.scene import FIRST_PROMOTION

PROMOTED = PromotionInForce(
    promotion_id=FIRST_PROMOTION, because="network_replaced", by="op-7", promoted_at=NOON, instead_of=sha("network")
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_whose_results_count_and_that_another_networks_did(language: Language) -> None:
    record = assessed(findings=(finding(1),), adequacy=(adequacy(),))
    words = Words(language)
    assert words.text("promoted_heading") not in read(page(record, language=language))[0]
    record = record.model_copy(update={"promoted": PROMOTED})
    text, _ = read(page(record, language=language))
    said = promoted_words(PROMOTED, record.model_id, words)
    assert said in text
    for part in (record.model_id, sha("network")[:16], words.reason("network_replaced")):
        assert part in said
    document = report_document(record, intended_use="research")
    assert document["promoted"]["because"] == "network_replaced"
    (notice,) = [each for each in document["notices"] if each["code"] == ANOTHER_NETWORK]
    assert notice["words"][language] == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_the_frames_that_a_reader_outlined_and_that_this_signs_nothing(language: Language) -> None:
    words = Words(language)
    found = finding(1)
    drawn = found.best.model_copy(update={"reader_frames": (11, 12), "predicted_dice": None})
    record = assessed(findings=(found.model_copy(update={"sightings": (drawn,)}),), adequacy=(adequacy(),))
    assert words.text("reviewed_heading") not in read(page(assessed(findings=(found,)), language=language))[0]
    frames = tuple(
        ReaderFrame(
            frame_id=f"{drawn.sequence_id}/{index:06d}", review_id=FIRST_PROMOTION, reader=reader, verdict="corrected",
            regions=1,
        )
        for index, reader in ((11, "dr-2"), (12, "dr-1"), (40, "dr-1"))
    )  # fmt: skip
    record = record.model_copy(update={"reviewed": frames})
    text, _ = read(page(record, language=language))
    said = reviewed_words(frames, words)
    assert said in text
    for part in ("dr-1", "dr-2", words.counted(3, "frame")):
        assert part in said
    told = outlined_by(drawn, words)
    assert told in text
    assert (words.counted(2, "frame") in told, words.text("reader_key_frame") in told) == (True, True)
    assert outlined_by(drawn.model_copy(update={"reader_frames": (11,)}), words).endswith(
        words.text("reader_frames", frames=words.counted(1, "frame"), of=drawn.frame_count)
    )
    assert words.text("unsigned") in text
    document = report_document(record, intended_use="research")
    assert [each["reader"] for each in document["reviewed"]] == ["dr-2", "dr-1", "dr-1"]
    (notice,) = [each for each in document["notices"] if each["code"] == OUTLINED_BY_READER]
    assert notice["words"][language] == said
