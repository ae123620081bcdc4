"""A report that was made again from the same frames says so, and why."""

import pytest

from sonovan.contracts.promotions import PromotionInForce
from sonovan.reports.document import ANOTHER_NETWORK, report_document
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.revised import promoted_words
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
