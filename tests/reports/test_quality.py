"""The page of quality: each figure leads to its row, in both languages, with nothing from elsewhere."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from sonovan.contracts.quality import QualityMeasured
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.quality import Figures, figures_of, render_quality
from tests.reports.quality_scene import WORK, figures, reviewed, stratum

MADE = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Links(HTMLParser):
    """Targets and links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids, self.links, self.tags = list[str](), list[str](), set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "src"):
                self.links.append(str(value))


@pytest.fixture(scope="module")
def found() -> Figures:
    return figures_of(figures())


@pytest.fixture(scope="module")
def page(found: Figures) -> str:
    return render_quality(found, WORK, MADE).decode()


def test_every_mark_of_a_plot_leads_to_its_row_on_the_page_and_nothing_leads_elsewhere(page: str) -> None:
    seen = Links(page)
    assert len(seen.ids) == len(set(seen.ids))
    assert {link.removeprefix("#") for link in seen.links} <= set(seen.ids)
    assert all(link.startswith("#") for link in seen.links)
    assert not seen.tags & {"script", "link", "img", "iframe"}
    assert page.count("<svg") == page.count("</svg>") > 20
    assert re.search(r"https?://", page) is None


def test_the_newest_agreement_of_each_stratum_counts(found: Figures) -> None:
    shown = [(of.level, of.organ, figure.screenings) for _, of, figure in found.agreements]
    assert shown[:2] == [("network", "breast", 180), ("network", "thyroid", 40)]
    assert len(found.agreements) == 6


def test_the_order_of_records_and_one_that_stands_twice_change_nothing(found: Figures) -> None:
    records = figures()
    again = figures_of([*reversed(records), records[3], records[-1]])
    assert again.agreements == found.agreements
    assert again.watched == found.watched
    assert again.flagged == found.flagged


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_on_the_page(page: str, language: Language) -> None:
    texts = PHRASES[language].texts
    begin = page.index(f'<article class="{language}"')
    part = page[begin : page.index("</article>", begin)]
    drifted = texts["standing_drift"].format(features=texts["feature_brightness"])
    for expected in (
        texts["verdict_missed"], texts["verdict_met"], texts["verdict_too_few"].format(screenings=20, needed=126),
        drifted, texts["standing_alike"], texts["standing_reference"].format(number=3),
        texts["flag_predicted_low"], "91 %", "141.2", "sonovan query",
    ):  # fmt: skip
        assert expected in part, expected
    assert "{" not in re.sub(r"<style.*?</style>", "", part, flags=re.DOTALL)


def test_a_drift_stands_first(found: Figures) -> None:
    assert [bool(each.drifted) for each in found.watched] == [True, False, False]
    assert found.watched[0].stratum == stratum("source", 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_any_figure_the_page_says_that_nobody_knows(language: Language) -> None:
    page, texts = render_quality(figures_of([]), None, MADE).decode(), PHRASES[language].texts
    for name in ("agreement_none", "drift_none", "flags_none", "work_no_catalogue"):
        assert texts[name] in page


def test_however_much_there_is_the_page_stays_readable() -> None:
    records: list[QualityMeasured] = []
    for number in range(400):
        of = stratum("van", number)
        records.append(reviewed(of, 2, 0.9, number))
    window = next(each for each in figures() if each.window is not None)
    records += [window.model_copy(update={"stratum": stratum("source", number)}) for number in range(60)]
    page = render_quality(figures_of(records), (), MADE).decode()
    assert len(page) < 2_000_000
    assert PHRASES["en"].texts["drift_more"].format(number=20) in page
    seen = Links(page)
    assert {link.removeprefix("#") for link in seen.links} <= set(seen.ids)
