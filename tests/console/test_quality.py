"""Quality: drift as plots over windows, and from each figure to the windows, screenings and cases behind it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from sonovan.contracts.quality import Drift, QualityMeasured, Stratum, Window
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, VAN, sha
from tests.console.world import Running, running
from tests.stream_apps.catalog.scene import FIRST_REVIEW, changes, reviewed, said

NETWORK = sha("network with companions")
VANS = Stratum(level="van", model_id="lesion-1", fingerprint=NETWORK, organ="breast", van_id=VAN)
SOURCE = Stratum(
    level="source", model_id="lesion-1", fingerprint=NETWORK, organ="breast", van_id=VAN, manufacturer="mindray"
)


def window(number: int, *, drifted: bool = False) -> QualityMeasured:
    """The figures of one window; the first is the reference."""
    drift = Drift(
        feature="brightness", reference_screenings=60, screenings=30, reference_median=120, low=110, high=130,
        median=180 if drifted else 121, distance=0.9 if drifted else 0.1, critical=0.4, psi=0.2, drifted=drifted,
    )  # fmt: skip
    ended = NOON + timedelta(days=number)
    told = Window(
        number=number, screenings=30, reference=number == 1, began_at=ended - timedelta(days=1), ended_at=ended,
        drifts=() if number == 1 else (drift,),
    )  # fmt: skip
    return QualityMeasured(stratum=SOURCE, as_of=ended, window=told)


def agreement() -> QualityMeasured:
    (first,) = [each for each in said() if isinstance(each, QualityMeasured)]
    return first.model_copy(update={"stratum": VANS, "as_of": NOON + timedelta(days=5)})


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    records = [
        *said(), agreement(), *(window(number, drifted=number == 3) for number in (1, 2, 3)),
        window(2), reviewed(FIRST_REVIEW),
    ]  # fmt: skip
    with running(tmp_path_factory.mktemp("quality"), rows=lambda made: write(made, changes(records))) as made:
        yield made


def page_of(stratum: Stratum) -> str:
    return f"/quality/of?stratum={quote(stratum.name, safe='')}"


def test_what_drifts_is_a_plot_of_which_each_mark_leads_to_its_window(here: Running) -> None:
    page = here.browser("ld-1", "lead").get(page_of(SOURCE)).text
    marks = re.findall(r'<a href="#(window-\d+)">', page)
    assert marks == ["window-1", "window-2"], "the reference was not tested; the second stands once"
    assert set(marks) <= set(re.findall(r'<tr id="([^"]+)"', page))
    assert page.count('class="attention"') == 1
    assert "180" in page


def test_a_window_leads_to_the_screenings_of_its_time(here: Running) -> None:
    lead = here.browser("ld-1", "lead")
    links = re.findall(r'<a href="([^"]+window=\d)">', lead.get(page_of(SOURCE)).text)
    assert len(set(links)) == 3
    first, third = (lead.get(f"{page_of(SOURCE)}&window={number}").text for number in (1, 3))
    assert f"/reading/{SCREENING}" in first
    assert f"/reading/{SCREENING}" not in third, "it was assessed in the time of the first window"
    assert "in the time of window" not in lead.get(f"{page_of(SOURCE)}&window=0000012").text, "there is no such window"
    assert "Screenings in the time of window 3" in third


def test_every_figure_of_agreement_leads_to_its_cases(here: Running) -> None:
    lead = here.browser("ld-1", "lead")
    links = {
        each.replace("&amp;", "&") for each in re.findall(r'<a href="(/quality/of[^"]+)"', lead.get("/quality").text)
    }
    assert page_of(VANS).partition("=")[2] in {each.partition("=")[2] for each in links}
    assert {lead.get(each.partition("#")[0]).status for each in links} == {200}
    cases = lead.get(f"{page_of(VANS)}&as=csv").table
    assert [(each["screening_id"], each["frame_index"], each["reader"]) for each in cases] == [
        (SCREENING, "12", "dr-1")
    ]
    assert f"/reading/{SCREENING}" in lead.get(page_of(VANS)).text
    assert "quality.cases_seen" in {each["what"] for each in here.acts() if each["by"] == "ld-1"}


def test_flags_are_counted_by_day_and_each_bar_leads_to_its_first_row(here: Running) -> None:
    page = here.browser("ld-1", "lead").get("/quality").text
    bars = set(re.findall(r'<a href="#(flag-\d+)">', page))
    assert bars
    assert bars <= set(re.findall(r'<tr id="([^"]+)"', page))


def test_cases_and_screenings_of_another_site_are_not_shown(here: Running) -> None:
    elsewhere = here.browser("ld-2", "lead", sites=["site-9"])
    for address in (page_of(VANS), f"{page_of(SOURCE)}&window=1"):
        assert SCREENING not in elsewhere.get(address).text


@pytest.mark.parametrize(("query", "status"), [("", 404), ("stratum=x", 404), (f"stratum={'x' * 301}", 400),
                                               ("stratum=x&window=-1", 400)])  # fmt: skip
def test_what_there_is_not_is_refused(here: Running, query: str, status: int) -> None:
    answer = here.browser("ld-1", "lead").get(f"/quality/of?{query}")
    assert answer.status == status
    if status == 400:
        wrong = "window" if "window" in query else "stratum"
        assert f"a filter that there is not: {wrong}." in answer.text


def test_an_engineer_has_the_figures_and_no_way_to_her_pictures(here: Running) -> None:
    engineer = here.browser("en-1", "engineer")
    engineer.cookies["language"] = "zh"
    page = engineer.get(page_of(VANS))
    assert page.status == 200
    assert f"/reading/{SCREENING}" not in page.text
