"""Rejected records in the browser: an engineer has them sent again or says why nobody does; nothing else is written."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sonovan.contracts.answers import RecordRejected, RejectedHandled
from sonovan.contracts.errors import Transient
from sonovan.contracts.ids import rejection_id
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, VAN, sha
from tests.console.world import Running, running
from tests.stream_apps.catalog.scene import changes, handled, opened, resent


def rejected(offset: int, **other: Any) -> RecordRejected:
    fields: dict[str, Any] = {
        "rejection_id": rejection_id("segment", Topic.FRAME_CAPTURED, 0, offset), "stage": "segment",
        "reason": "van_unknown", "retryable": True, "verified": False, "topic": Topic.FRAME_CAPTURED, "partition": 0,
        "offset": offset, "content_sha256": sha("bytes"), "quarantine_key": "ab/cd", "rejected_at": NOON,
        "screening_id": SCREENING, "van_id": VAN,
    }  # fmt: skip
    return RecordRejected(**{**fields, **other})


MENDED, ANOTHER = rejected(1), rejected(2)
CORRUPT = rejected(3, reason="pixels_corrupt", retryable=False)
GONE = rejected(4, kept=False)
CENTRES = rejected(5, stage="assess", topic=Topic.FRAME_SEGMENTED)
ALL = (MENDED, ANOTHER, CORRUPT, GONE, CENTRES)


def tell(here: Running, *records: Record) -> None:
    """What the worker catalog does with these records, after what there was before; those told earlier first."""
    database = open_database(str(here.console.settings.catalogue_url))
    try:
        with database.writing() as connection:
            write(connection, changes([opened(), *ALL, *records]))
    finally:
        database.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, rows=lambda connection: write(connection, changes([opened(), *ALL]))) as made:
        yield made


def decided(here: Running) -> list[tuple[str, str, str | None, str]]:
    return [
        (each.rejection_id, each.decision, each.because, each.by)
        for each in here.sent
        if isinstance(each, RejectedHandled)
    ]


def test_reasons_and_records_agree_on_what_may_help(here: Running) -> None:
    page = here.browser("en-1", "engineer").get("/rejected").text
    found = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [[html.unescape(re.sub("<[^>]+>", "", each)).strip() for each in re.findall(r"<td.*?</td>", row, re.DOTALL)]
             for row in found]  # fmt: skip
    counts = {(row[1], int(row[2]), int(row[3])) for row in cells if len(row) == 5}
    assert counts == {("segment", 3, 2), ("segment", 1, 0), ("assess", 1, 0)}, "nobody sends the centre's own again"


def test_an_engineer_has_one_sent_again_and_the_page_follows_what_becomes_of_it(here: Running) -> None:
    engineer = here.browser("en-1", "engineer")
    path = f"/rejected/{MENDED.rejection_id}"
    assert "Send again" in engineer.get(path).text
    assert engineer.post(f"{path}/retry").headers["location"] == f"{path}?done=1"
    assert decided(here) == [(MENDED.rejection_id, "retry", None, "en-1")]
    (act,) = [each for each in here.acts() if each["what"] == "rejected.retry"]
    assert (act["by"], act["about"]["rejection_id"]) == ("en-1", MENDED.rejection_id)
    decision = here.sent[0]
    assert isinstance(decision, RejectedHandled)
    tell(here, decision)
    assert "to be sent again" in engineer.get(path).text
    tell(here, decision, resent(rejection_id=MENDED.rejection_id, handling_id=decision.handling_id))
    assert "to be sent again" not in engineer.get(path).text
    assert MENDED.rejection_id in {row["rejection_id"] for row in engineer.get("/rejected?state=sent&as=csv").table}


def test_what_cannot_be_had_again_is_told(here: Running) -> None:
    tell(here, handled("retry", 1, MENDED.rejection_id), resent("gone", MENDED.rejection_id))
    page = here.browser("en-1", "engineer").get(f"/rejected/{MENDED.rejection_id}").text
    assert "could not be sent again" in page


def test_one_is_discarded_with_a_reason_and_leaves_what_is_open(here: Running) -> None:
    engineer = here.browser("en-1", "engineer")
    path = f"/rejected/{CORRUPT.rejection_id}"
    for because in ("", "i do not like it"):
        assert engineer.post(f"{path}/discard", {"because": because}).status == 400
    assert engineer.post(f"{path}/discard", {"because": "damaged"}).status == 303
    assert decided(here) == [(CORRUPT.rejection_id, "discard", "damaged", "en-1")]
    tell(here, here.sent[0])
    assert CORRUPT.rejection_id not in {row["rejection_id"] for row in engineer.get("/rejected?as=csv").table}
    page = engineer.get(path).text
    assert "its bytes cannot be mended" in page
    assert "en-1" in page


def test_all_of_a_reason_are_sent_again_that_another_try_may_help(here: Running) -> None:
    engineer = here.browser("en-1", "engineer")
    page = engineer.get("/rejected?reason=van_unknown").text
    assert "Send 2 again" in page
    assert engineer.post("/rejected/retry", {"reason": "van_unknown"}).headers["location"].endswith("done=2")
    assert {each[0] for each in decided(here)} == {MENDED.rejection_id, ANOTHER.rejection_id}
    tell(here, *here.sent)
    assert engineer.post("/rejected/retry", {"reason": "van_unknown"}).headers["location"].endswith("done=0")
    assert [each["about"]["records"] for each in here.acts() if each["what"] == "rejected.retry_all"] == [2, 0]


def test_all_of_a_reason_are_discarded_and_none_of_another(here: Running) -> None:
    engineer = here.browser("en-1", "engineer")
    assert engineer.post("/rejected/discard", {"reason": "van_unknown", "because": ""}).status == 400
    assert engineer.post("/rejected/discard", {"because": "trial"}).status == 400
    assert engineer.post("/rejected/discard", {"reason": "van_unknown", "because": "trial"}).status == 303
    assert {each[0] for each in decided(here)} == {each.rejection_id for each in ALL} - {CORRUPT.rejection_id}
    assert {each[2] for each in decided(here)} == {"trial"}


@pytest.mark.parametrize("record", [CORRUPT, GONE, CENTRES], ids=["stays", "gone", "of the centre"])
def test_what_another_try_cannot_help_is_not_asked_for(here: Running, record: RecordRejected) -> None:
    engineer = here.browser("en-1", "engineer")
    assert engineer.post(f"/rejected/{record.rejection_id}/retry").status == 409
    assert "Send again" not in engineer.get(f"/rejected/{record.rejection_id}").text
    assert here.sent == []


def test_a_lead_looks_and_decides_nothing_and_no_site_decides_for_another(here: Running) -> None:
    lead, elsewhere = here.browser("ld-1", "lead"), here.browser("en-2", "engineer", sites=["site-9"])
    path = f"/rejected/{MENDED.rejection_id}"
    assert lead.get(path).status == 200
    for address in (f"{path}/retry", f"{path}/discard", "/rejected/retry", "/rejected/discard"):
        assert f'action="{address}"' not in lead.get(path).text + lead.get("/rejected?reason=van_unknown").text
        assert lead.post(address, {"reason": "van_unknown", "because": "trial"}).status == 403
    assert elsewhere.get(path).status == 404
    assert elsewhere.post(f"{path}/discard", {"because": "trial"}).status == 404
    assert elsewhere.post("/rejected/discard", {"reason": "van_unknown", "because": "trial"}).status == 303
    assert here.sent == []


def test_who_has_a_code_that_no_record_may_hold_decides_nothing(here: Running) -> None:
    engineer = here.browser("zhang.wei", "engineer")
    assert engineer.post(f"/rejected/{MENDED.rejection_id}/retry").status == 409
    assert here.sent == []


def test_where_kafka_is_away_nothing_is_said_to_be_decided(tmp_path: Path) -> None:
    def away(record: Record) -> None:
        raise Transient("no broker")

    rows = changes([opened(), *ALL])
    with running(tmp_path, rows=lambda connection: write(connection, rows), send=away) as here:
        engineer = here.browser("en-1", "engineer")
        assert engineer.post(f"/rejected/{MENDED.rejection_id}/retry").status == 503
        assert "to be sent again" not in engineer.get(f"/rejected/{MENDED.rejection_id}").text


@pytest.mark.parametrize("path", ["/rejected/x", f"/rejected/{'0' * 64}", "/rejected/%2e%2e"])
def test_an_id_that_there_is_not_is_nowhere(here: Running, path: str) -> None:
    assert here.browser("en-1", "engineer").get(path).status == 404


@pytest.mark.parametrize("query", ["state=lost", f"reason={'r' * 65}", f"van={'v' * 65}"])
def test_a_filter_that_there_is_not_is_refused_by_its_name(here: Running, query: str) -> None:
    answer = here.browser("en-1", "engineer").get(f"/rejected?{query}")
    assert answer.status == 400
    assert f"a filter that there is not: {query.partition('=')[0]}." in answer.text


def test_the_newest_decision_counts(here: Running) -> None:
    engineer = here.browser("en-1", "engineer")
    steps = [handled(step, number, ANOTHER.rejection_id) for number, step in enumerate(("retry", "discard", "retry"))]
    tell(here, *steps[:2])
    assert "discarded" in engineer.get(f"/rejected/{ANOTHER.rejection_id}").text
    tell(here, *steps)
    assert re.search(r"<dd>to be sent again</dd>", engineer.get(f"/rejected/{ANOTHER.rejection_id}").text)
