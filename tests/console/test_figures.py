"""What leads and engineers look at: every figure leads to its rows, in both languages, of their own sites, as CSV."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert

from sonovan.console.tables import csv_of
from sonovan.contracts.conclusions import Recommended
from sonovan.contracts.words import slip_number
from sonovan.storage.catalogue.changes import moment
from sonovan.storage.catalogue.tables import INVITED
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, SWEEP, VAN, screening_closed
from tests.console.world import Running, running
from tests.contracts.conclusions import THIRD, concluded, left_lobe, outcome
from tests.stream_apps.catalog.scene import changes, opened, said

DUE = "0198ffff-ffff-7abc-8def-000000000009"
SLIP = slip_number("A", 17)
DAYS = "from=2025-03-01&until=2026-12-31"
PAGES = (
    "/statistics",
    "/statistics/rows?figure=opened",
    "/statistics/due",
    f"/statistics/sides?van={VAN}&organ=breast",
    "/statistics/sides?site=site-1&operator=op-7&organ=breast",
    "/fleet",
    "/rejected",
    "/quality",
    "/models",
    "/lag",
)


def rows(connection: Any) -> None:
    """The catalogue's scene, and a woman who was recalled and has cancer."""
    write(connection, changes([*said(), screening_closed(SWEEP), concluded(), outcome()]))
    routine = left_lobe(recommended=Recommended(action="routine_screening"))
    of_her = {"screening_id": DUE, "conclusion_id": THIRD, "looked_at": (), "findings": (), "sides": (routine,)}
    write(connection, changes([opened(screening_id=DUE, subject_key="d" * 64, slip_number=SLIP), concluded(**of_her)]))
    told = {"site_code": "site-1", "month": f"{NOON:%Y-%m}", "organ": "breast", "women": 4, "operator": "op-1"}
    connection.execute(insert(INVITED).values(**told, recorded_at=moment(NOON)))


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("figures"), rows=rows, invite_thyroid_months=12) as made:
        yield made


def test_every_figure_leads_to_the_screenings_behind_it(console: Running) -> None:
    lead = console.browser("f1", "lead")
    page = lead.get(f"/statistics?{DAYS}")
    links = re.findall(r'<a href="(/statistics/rows\?[^"]+)">(\d+)</a>', page.text)
    assert len(links) >= 8
    for link, count in links:
        found = lead.get(link.replace("&amp;", "&") + "&as=csv").table
        assert len(found) == int(count), link
    (whole,) = [row for row in lead.get(f"/statistics?{DAYS}&as=csv").table if row["van_id"] == "all"]
    assert (whole["recalled"], whole["cancers"], whole["ppv1"]) == ("1", "1", "1")


def test_times_are_those_of_the_clock_on_the_wall_to_the_minute(console: Running) -> None:
    page = console.browser("f21", "lead").get(f"/statistics/rows?figure=opened&{DAYS}").text
    assert f"<td>{NOON.astimezone():%Y-%m-%d %H:%M}</td>" in page
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:", page)


def test_participation_is_shown_by_site_and_who_was_not_counted_as_not_recorded(console: Running) -> None:
    lead = console.browser("f15", "lead")
    page = lead.get(f"/statistics?{DAYS}").text
    assert "25.0 %" in page
    assert "not recorded" in page
    by_organ = {row["organ"]: row for row in lead.get(f"/statistics?{DAYS}&as=csv&of=participation").table}
    assert (by_organ["breast"]["invited"], by_organ["breast"]["answered"], by_organ["breast"]["share"]) == (
        "4", "1", "0.25",
    )  # fmt: skip
    assert by_organ["thyroid"]["invited"] == ""


def test_who_is_due_as_usual_stands_under_her_slip_from_the_day_that_the_programme_sets(console: Running) -> None:
    lead = console.browser("f16", "lead")
    page = lead.get("/statistics/due?until=2026-03-31").text
    assert "Thyroid every 12 months" in page
    assert f"/reading/{DUE}" in page
    assert SLIP in page
    assert DUE not in lead.get("/statistics/due?until=2026-03-01").text
    rows = lead.get("/statistics/due?until=2026-03-31&as=csv&of=usual").table
    assert [(row["due_on"], row["slip_number"], row["organ"]) for row in rows] == [("2026-03-04", SLIP, "thyroid")]
    assert lead.get("/statistics/due?until=soon").status == 400


def test_every_figure_of_how_a_van_screens_leads_to_its_sides(console: Running) -> None:
    lead = console.browser("f13", "lead")
    links = set(re.findall(r'<a href="(/statistics/sides[^"]+)">', lead.get(f"/statistics?{DAYS}").text))
    links = {link for link in links if "operator=" not in link}
    assert links
    for link in links:
        found = lead.get(link.replace("&amp;", "&") + "&as=csv").table
        assert {row["van_id"] for row in found} == {VAN}
        assert SCREENING in lead.get(link.replace("&amp;", "&")).text
    elsewhere = console.browser("f14", "lead", sites=["site-9"])
    assert SCREENING not in elsewhere.get(f"/statistics/sides?van={VAN}&organ=breast").text
    for query in ("", "van=x&organ=lung", "organ=breast", "operator=op-7&organ=breast"):
        assert lead.get(f"/statistics/sides?{query}").status == 400


def test_how_each_operator_screens_is_shown_and_given_as_a_file(console: Running) -> None:
    lead = console.browser("f19", "lead")
    assert "How each operator screens" in lead.get("/statistics").text
    rows = lead.get("/statistics?as=csv&of=operators").table
    assert {(row["site_code"], row["operator"]) for row in rows} == {("site-1", "op-7")}
    assert [row["organ"] for row in rows] == ["breast", "thyroid"]
    assert float(rows[0]["coverage"]) > 0
    elsewhere = console.browser("f20", "lead", sites=["site-9"])
    assert elsewhere.get("/statistics?as=csv&of=operators").table == []


def test_every_figure_of_how_an_operator_screens_leads_to_as_many_sides_as_it_counts(console: Running) -> None:
    lead = console.browser("f21", "lead")
    page = lead.get("/statistics").text
    links = set(re.findall(r'<a href="(/statistics/sides[^"]+operator=[^"]+)">', page))
    assert len(links) == 2, "one for each organ, under each of its figures"
    counted = {row["organ"]: row for row in lead.get("/statistics?as=csv&of=operators").table}
    for link in links:
        address = link.replace("&amp;", "&")
        found = lead.get(f"{address}&as=csv").table
        (organ,) = {row["organ"] for row in found}
        assert len(found) == int(counted[organ]["sides"])
        assert {(row["site_code"], row["operator"]) for row in found} == {("site-1", "op-7")}
        assert "op-7 (site-1)" in lead.get(address).text
        assert f"/reading/{SCREENING}" in lead.get(address).text
    for whose in ("site=site-1&operator=op-8", "site=site-2&operator=op-7"):
        assert lead.get(f"/statistics/sides?{whose}&organ=breast&as=csv").table == []
    elsewhere = console.browser("f22", "lead", sites=["site-9"])
    assert elsewhere.get("/statistics/sides?site=site-1&operator=op-7&organ=breast&as=csv").table == []


def test_the_acts_of_looking_at_rows_are_noted(console: Running) -> None:
    console.browser("f2", "lead").get(f"/statistics/rows?figure=opened&{DAYS}")
    assert [each["what"] for each in console.acts() if each["by"] == "f2"] == ["statistics.rows_seen"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_there_in_each_language_and_as_csv(console: Running, path: str, language: str) -> None:
    lead = console.browser("f3", "lead")
    lead.cookies["language"] = language
    answer = lead.get(path)
    assert answer.status == 200, console.told
    assert "<table>" in answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    assert not re.search(r"\{[a-z_]+\}", main), "a figure that no phrase took"
    mark = "&" if "?" in path else "?"
    told = lead.get(f"{path}{mark}as=csv")
    assert (told.status, told.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert console.told == []


def test_a_lead_of_one_site_sees_nothing_of_another(console: Running) -> None:
    lead = console.browser("f4", "lead", sites=["site-9"])
    assert [row["opened"] for row in lead.get(f"/statistics?{DAYS}&as=csv").table] == ["0"]
    for path in ("/fleet", "/rejected", "/quality", "/statistics/due"):
        assert SCREENING not in lead.get(path).text
    assert lead.get("/fleet?as=csv").table == []


def test_rejections_are_counted_by_reason_and_listed_with_their_screening(console: Running) -> None:
    engineer = console.browser("f5", "engineer")
    found = engineer.get("/rejected?as=csv").table
    assert found
    reason = found[0]["reason"]
    page = engineer.get(f"/rejected?reason={reason}").text
    assert f"/rejected?reason={reason}" in page
    assert engineer.get("/rejected?reason=nothing&as=csv").table == []
    assert f"/reading/{SCREENING}" not in page, "an engineer reads nobody's pictures"


def test_a_van_stands_with_what_it_reported_last(console: Running) -> None:
    (van,) = [each for each in console.browser("f6", "engineer").get("/fleet?as=csv").table if each["van_id"] == VAN]
    assert van["waiting"] == "1"
    assert van["reported_at"].startswith("2025")


def test_agreement_is_drawn_and_each_mark_leads_to_its_row(console: Running) -> None:
    page = console.browser("f12", "lead").get("/quality").text
    marks = set(re.findall(r'<a href="#(stratum-\d+)">', page))
    assert marks
    assert marks <= set(re.findall(r'<tr id="([^"]+)"', page))
    assert f"/reading/{SCREENING}" in page, "the frames to look at lead to their screening"


def test_the_audit_is_searched_by_its_auditor_alone(console: Running) -> None:
    console.browser("f7", "lead").get(f"/statistics/rows?figure=opened&{DAYS}")
    auditor = console.browser("f8", "auditor")
    page = auditor.get("/audit?by=f7&what=statistics")
    assert (page.status, page.text.count("statistics.rows_seen")) == (200, 1)
    assert "chain of" in page.text
    assert auditor.get("/audit?by=f7&day=2020-01-01").text.count("statistics.rows_seen") == 0
    assert {row["by"] for row in auditor.get("/audit?by=f7&as=csv").table} == {"f7"}
    for role in ("reader", "lead", "engineer", "operator"):
        assert console.browser(f"f9-{role}", role).get("/audit").status == 403


@pytest.mark.parametrize("role", ["reader", "operator", "auditor"])
def test_who_leads_nothing_sees_no_figures(console: Running, role: str) -> None:
    someone = console.browser(f"f10-{role}", role)
    for path in PAGES:
        assert someone.get(path).status == 403, path


@pytest.mark.parametrize("query", ["from=yesterday", "until=2020-13-01", f"van={'v' * 65}", "until=9999-12-31"])
def test_days_that_are_none_are_refused(console: Running, query: str) -> None:
    assert console.browser("f11", "lead").get(f"/statistics?{query}").status == 400


def test_a_spreadsheet_runs_nothing_of_a_file() -> None:
    made = csv_of("x", ["a"], [["=1+1"], ["-5"], ["@x"], [None], [True], [1.5]])
    text = bytes(made.body).decode().removeprefix("\ufeff")
    assert text.split("\r\n") == ["a", "'=1+1", "-5", "'@x", '""', "1", "1.5", ""]
