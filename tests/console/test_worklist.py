"""The worklist over HTTP: queues, filters in the address, whose screenings are seen, claims, and what is told live."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from sonovan.storage.catalogue.database import open_database
from tests.console import worklist_scene as scene
from tests.console.world import Browser, Running, running
from tests.storage.catalogue.listed import put, row
from tests.waiting import until

IDS = scene.ids()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("worklist"), rows=scene.rows) as made:
        yield made


def listed(page: str) -> list[str]:
    """The screenings of a page, from top to bottom."""
    return re.findall(r'<tr data-id="([0-9a-f-]+)"', page)


def change(console: Running, statement: str, **values: Any) -> None:
    """Write into the catalogue, as the worker does."""
    database = open_database(str(console.console.settings.catalogue_url))
    with database.writing() as connection:
        connection.execute(text(statement), values)
    database.close()


def add(console: Running, **values: Any) -> str:
    """Another row of the worklist."""
    made = row(opened_at=scene.NOW - timedelta(hours=1), site_code="north", **values)
    made["changed_ms"] = 10 + made["changed_ms"] + int(values["number"])
    database = open_database(str(console.console.settings.catalogue_url))
    with database.writing() as connection:
        put(connection, [made])
    database.close()
    return str(made["screening_id"])


def test_each_queue_shows_its_screenings_most_suspicious_first(console: Running) -> None:
    reader = console.browser("w1", "reader")
    wanted = {
        "suspicious": [3, 1, 4, 2], "incomplete": [5], "couch": [7], "overdue": [8], "changed": [9], "signed": [9],
        "mine": [],
    }  # fmt: skip
    for queue, numbers in wanted.items():
        answer = reader.get(f"/worklist?queue={queue}")
        assert (answer.status, listed(answer.text)) == (200, [IDS[each] for each in numbers]), queue
    assert "0.9" not in reader.get("/worklist").text, "the order is shown, and no figure of it"


def test_who_is_on_the_couch_usually_leaves_when_the_vans_visits_end_and_else_nobody_knows(console: Running) -> None:
    page = console.browser("w2", "reader").get("/worklist?queue=couch").text
    assert "on the couch for 12 min" in page
    assert "usually leaves in 8 min" in page, "the van's visits took 20 minutes"
    assert "nothing heard from the van" in page


def test_who_was_closed_and_stays_is_on_the_couch_and_who_left_is_said_to_have_left(console: Running) -> None:
    stays = add(console, number=71, closed_at=scene.NOW - timedelta(minutes=2), stays=True)
    left = add(console, number=72, left_at=scene.NOW - timedelta(minutes=1), rank=-0.4)
    reader = console.browser("w2-left", "reader")
    page = reader.get("/worklist?queue=couch").text
    assert stays in listed(page)
    assert left not in listed(page)
    assert "closed, and she stays" in page
    assert f"left at {scene.NOW.astimezone() - timedelta(minutes=1):%H:%M}" in reader.get("/worklist").text
    change(console, "DELETE FROM listed WHERE screening_id IN (:one, :two)", one=stays, two=left)


def test_an_account_of_one_site_sees_nothing_of_another(console: Running) -> None:
    south = console.browser("w3", "reader", sites=["south"])
    assert listed(south.get("/worklist?queue=waiting").text) == [IDS[4]]
    assert listed(south.get("/worklist?queue=waiting&site=north").text) == []
    assert json.loads(south.get("/worklist/counts?queue=waiting").text)["waiting"] == "1"
    assert south.post(f"/worklist/{IDS[1]}/claim").status == 404


@pytest.mark.parametrize(
    ("query", "numbers"),
    [("site=south", [4]), ("van=van-9", []), ("organ=thyroid", []), ("status=complete", [3, 1, 4, 2]),
     ("day=2020-01-01", [])],
)  # fmt: skip
def test_a_filter_in_the_address_holds(console: Running, query: str, numbers: list[int]) -> None:
    page = console.browser("w4", "reader").get(f"/worklist?queue=suspicious&{query}").text
    assert listed(page) == [IDS[each] for each in numbers]


@pytest.mark.parametrize(
    "query",
    [
        "queue=all",
        "organ=liver",
        "status=x",
        "day=yesterday",
        "day=9999-12-31",
        "day=0001-01-01",
        "after=x",
        f"van={'v' * 65}",
    ],
)
def test_an_address_that_names_no_filter_is_refused_and_named(console: Running, query: str) -> None:
    answer = console.browser("w5", "reader").get(f"/worklist?{query}")
    assert answer.status == 400


def test_two_readers_never_hold_one_screening_and_a_lead_takes_over(console: Running) -> None:
    one, other, lead = (console.browser(*who) for who in (("w6", "reader"), ("w7", "reader"), ("w8", "lead")))
    held = json.loads(one.post(f"/worklist/{IDS[1]}/claim").text)
    assert (held["held"], held["by"], len(held["claim"])) == (True, "w6", 36)
    assert json.loads(other.post(f"/worklist/{IDS[1]}/claim").text) == {"held": False, "by": "w6", "claim": None}
    assert json.loads(one.post(f"/worklist/{IDS[1]}/renew").text) == {"held": True}
    assert listed(one.get("/worklist?queue=mine").text) == [IDS[1]]
    assert "w6 reads it" in other.get("/worklist?queue=suspicious").text
    assert other.post(f"/worklist/{IDS[1]}/take-over").status == 403
    assert json.loads(lead.post(f"/worklist/{IDS[1]}/take-over").text)["held"]
    assert json.loads(one.post(f"/worklist/{IDS[1]}/renew").text) == {"held": False}
    assert json.loads(lead.post(f"/worklist/{IDS[1]}/give-back").text) == {"ended": True}
    acts = [each["what"] for each in console.acts() if each["about"].get("screening_id") == IDS[1]]
    assert {"screening.claimed", "screening.taken_over", "screening.given_back"} <= set(acts)


@pytest.mark.parametrize("role", ["operator", "engineer", "auditor"])
def test_who_reads_nothing_has_no_worklist(console: Running, role: str) -> None:
    someone = console.browser(f"w9-{role}", role)
    for path in ("/worklist", "/worklist/counts", "/worklist/events"):
        assert someone.get(path).status == 403


class Stream:
    """The events of one page, read off the socket as they come."""

    def __init__(self, browser: Browser, query: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", browser.port), timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        lines = [f"GET /worklist/events?{query} HTTP/1.1", f"Host: 127.0.0.1:{browser.port}", f"Cookie: {cookies}"]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.file = self._socket.makefile("rb")
        self.seen = set[str]()
        assert b"200" in self.file.readline()

    def told(self, wanted: str) -> dict[str, Any]:
        """What is told of one screening, once it is."""
        for line in self.file:
            if line.startswith(b"data: ["):
                told = {each["id"]: each for each in json.loads(line[6:])}
                self.seen |= told.keys()
                if wanted in told:
                    return dict(told[wanted])
        raise AssertionError("the stream ended")

    def close(self) -> None:
        self.file.close()
        self._socket.close()


def test_what_changes_is_told_to_whoever_may_see_it(console: Running) -> None:
    north = Stream(console.browser("w10", "reader", sites=["north"]), "queue=suspicious")
    every = Stream(console.browser("w11", "reader"), "queue=suspicious")
    south = Stream(console.browser("w12", "reader", sites=["south"]), "queue=suspicious")
    until(lambda: console.console.feed.looked, "the feed has looked")
    new = add(console, number=21, rank=-0.4)
    assert north.told(new)["stands"]
    told = every.told(new)
    assert told["stands"]
    assert told["html"].startswith("<tr")
    change(console, "UPDATE listed SET waiting = 0, signed_by = 'dr-3', signed_at = '2026-09-21T09:00:00.000Z',"
           " changed_ms = changed_ms + 1 WHERE screening_id = :id", id=new)  # fmt: skip
    left = every.told(new)
    assert not left["stands"]
    assert "signed by dr-3" in left["html"]
    another = add(console, number=22, rank=-0.3)
    change(console, "UPDATE listed SET site_code = 'south', changed_ms = changed_ms + 1 WHERE screening_id = :id",
           id=another)  # fmt: skip
    assert south.told(another)["id"] == another
    assert south.seen == {another}, "nothing of another site is told, whatever changes there"
    for each in (north, every, south):
        each.close()
    until(lambda: console.console.feed.listeners == 0, "nobody listens any more")


def test_a_claim_is_told_as_a_change_of_its_row(console: Running) -> None:
    every = Stream(console.browser("w13", "reader"), "queue=suspicious")
    until(lambda: console.console.feed.looked, "the feed has looked")
    console.browser("w14", "reader").post(f"/worklist/{IDS[2]}/claim")
    told = every.told(IDS[2])
    assert told["stands"]
    assert 'data-holder="w14"' in told["html"]
    every.close()


def test_a_name_with_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    def rows(connection: Any) -> None:
        put(connection, [row(number=1, rank=-0.9, van_id="<b>", opened_at=scene.NOW)])

    with running(tmp_path, rows=rows) as console:
        page = console.browser("w15", "reader").get("/worklist?queue=suspicious").text
    assert "&lt;b&gt;" in page
    assert "<b>" + "<br>" not in page
