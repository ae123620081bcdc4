"""Who scans is said once; and when she leaves the couch is told apart from the end of her screening."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sonovan.producers.gateway.register import Expected
from tests.producers.page.pages import FILLED, OTHER_SLIP, Desk, desk
from tests.producers.page.scene import amendments, closings, registered, scan


def left(here: Desk, entry: Expected, **fields: str) -> int:
    return here.ask("POST", "/live/{screening}/left", tuple(fields.items()), screening=entry.screening_id).status


def test_a_closed_screening_says_that_she_stays_until_the_operator_says_that_she_left(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        assert left(here, entry) == 400, "nothing came of her yet"
        scan(here, entry, "left")
        here.ask("POST", "/live/{screening}/close", screening=entry.screening_id)
        assert entry.slip in here.text("/lights")
        assert "still here" in here.text("/lights")
        before = datetime.now(UTC)
        assert left(here, entry) == 303
        assert "still here" not in here.text("/lights")
        assert "She left at" in here.text("/live/{screening}", screening=entry.screening_id)
        assert left(here, entry, back="yes") == 303
        assert left(here, entry) == 303
        first, second, third, fourth = closings(here)
        assert [each.closing_number for each in (first, second, third, fourth)] == [1, 2, 3, 4]
        assert [each.stays for each in (first, second, third, fourth)] == [True, False, True, False]
        assert (first.left_at, third.left_at) == (None, None)
        assert second.left_at is not None
        assert before <= second.left_at <= datetime.now(UTC)


def test_what_arrives_after_she_left_brings_her_not_back(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        scan(here, entry, "left")
        left(here, entry)
        scan(here, entry, "right", seed=9)
        here.ask("POST", "/live/{screening}/close", screening=entry.screening_id)
        first, second = closings(here)
        assert (second.stays, second.left_at) == (False, first.left_at)
        assert len(second.sequence_ids) == 2


def test_each_who_waits_has_a_key_of_her_own_that_is_nobody_elses_once_she_left(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        first = registered(here)
        another = {"slip": OTHER_SLIP, "person": "110101198001011242"}
        here.ask("POST", "/register", tuple((name, another.get(name, value)) for name, value in FILLED))
        _, second = here.page.desk.register.expected()
        for entry in (first, second):
            scan(here, entry, "left")
            here.ask("POST", "/live/{screening}/close", screening=entry.screening_id)
        assert keys_on(here.text("/lights")) == {first.screening_id: "1", second.screening_id: "2"}
        left(here, first)
        assert keys_on(here.text("/lights")) == {second.screening_id: "2"}, "a page that showed her as 2 is right still"
        left(here, first, back="yes")
        assert keys_on(here.text("/lights")) == {second.screening_id: "2", first.screening_id: "3"}


def keys_on(page: str) -> dict[str, str]:
    """By screening, the key that says that she left."""
    return dict(re.findall(r'action="/live/([^/"]+)/left".*data-key="(.)"', page))


def test_whoever_scans_is_asked_once_and_named_until_another_one_is(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        assert "Who scans?" in here.text("/live/{screening}", screening=entry.screening_id)
        assert here.ask("POST", "/operator", (("operator", "Wang Fang"),)).status == 400
        assert here.page.desk.duty.now is None
        assert here.ask("POST", "/operator", (("operator", " OP-7 "),)).location == "/live"
        assert "op-7 scans" in here.text("/live/{screening}", screening=entry.screening_id)
        here.ask("POST", "/operator", (("operator", "op-8"),))
        assert ">✓ op-8<" in here.text("/operator")
        assert ">op-7<" in here.text("/operator")
        scan(here, entry, "left")
        here.ask("POST", "/live/{screening}/mark", screening=entry.screening_id)
        (mark,) = amendments(here)
        assert mark.by == "op-8"
    with desk(tmp_path) as again:
        assert again.page.desk.duty.now == "op-8", "remembered, also by another start"


def test_where_the_van_asks_for_it_nothing_is_closed_before_it_is_said_who_scans(tmp_path: Path) -> None:
    with desk(tmp_path, operator_required=True) as here:
        entry = registered(here)
        scan(here, entry, "left")
        assert "Say first who scans" in here.text("/live/{screening}", screening=entry.screening_id)
        for path in ("/live/{screening}/close", "/live/{screening}/left", "/live/{screening}/capture"):
            answer = here.ask("POST", path, screening=entry.screening_id)
            assert answer.status == 400, path
            assert b"Say first who scans" in answer.body, path
        assert closings(here) == []
        here.ask("POST", "/operator", (("operator", "op-7"),))
        assert here.ask("POST", "/live/{screening}/close", screening=entry.screening_id).location == "/lights"
