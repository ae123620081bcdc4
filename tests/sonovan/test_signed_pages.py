"""What a reader signed, and the woman's page, as files beside the machine's report."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.comparisons import Comparison
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.models.masks import encode_mask
from sonovan.outputs import report_of
from sonovan.reports.document import ScreeningReport
from sonovan.reports.phrases import LANGUAGES
from sonovan.reports.signed_words import SignedWords
from sonovan.signed_pages import Amended, Compare, SignedPages, compared_now, read_directions, write_signed
from sonovan.storage.catalogue.comparing import Visit
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.reviews import Drawn, review_of, store_mask
from sonovan.stream_apps.assess.report import store_report
from tests.clinical.records import SCREENING, sha
from tests.contracts.conclusions import FIRST, SECOND, concluded, left_breast, left_lobe, lesion
from tests.reports.test_pdf import needs_chinese
from tests.stream_apps.assess.test_report import Pictured

pytestmark = needs_chinese


NO_REPORT = dict.fromkeys(("report_html_key", "report_html_sha256", "report_json_key", "report_json_sha256"))


def nothing_earlier(_report: object) -> None:
    """She comes for the first time."""


class Desk:
    """A screening with one stored report, and what readers signed of it."""

    def __init__(self, folder: Path) -> None:
        self.out, self.store = folder, FolderStore(folder / "store")
        self.revision = Pictured(self.store).revision()
        self.read = store_report(self.revision, self.store, "research")
        self.revisions: list[ScreeningAssessed] = [self.read]
        self.drawn: list[FrameReviewed] = []
        self.amended: Amended = lambda: ()

    def signed(
        self, *conclusions: ScreeningConcluded, directions: Any = None, compare: Compare = nothing_earlier
    ) -> SignedPages:
        frames, told, drawn = list(self.revision.results.values()), directions or {}, self.drawn
        return write_signed(
            conclusions, self.revisions, lambda _read: frames, self.store, self.out, told, compare, lambda: drawn,
            self.amended,
        )  # fmt: skip

    def conclusion(self, conclusion_id: str = FIRST, **other: Any) -> ScreeningConcluded:
        of = {"screening_id": self.read.screening_id, "revision_id": self.read.revision_id}
        findings: tuple[Any, ...] = ()
        return concluded(conclusion_id, **{**of, "revision_number": 1, "findings": findings, **other})

    def files(self) -> set[str]:
        return {path.name for path in self.out.iterdir() if path.suffix in (".html", ".pdf")}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_signed_screening_has_the_result_and_her_page_in_each_language(desk: Desk) -> None:
    pages = desk.signed(desk.conclusion())
    assert pages.missing == ()
    assert pages.summary == "signed by dr-1, conclusion 1"
    kinds = ("signed", "woman")
    assert desk.files() == {f"{kind}-{each}.{end}" for kind in kinds for each in LANGUAGES for end in ("html", "pdf")}
    assert all(path.read_bytes().startswith(b"%PDF") for path in (*pages.pdf.values(), *pages.her_pdf.values()))


def test_an_exported_page_of_hers_names_the_side_of_which_nothing_was_concluded(desk: Desk) -> None:
    pages = desk.signed(desk.conclusion(sides=(left_lobe(),)))
    for language, told in (("en", "No doctor has judged this yet"), ("zh", "医师还没有对此处作出判断")):
        breast, _ = pages.her_html[language].read_text(encoding="utf-8").split("<section")[1:]
        assert SignedWords(language).sign("her_place_breast_left") in breast
        assert told in breast


COMPARED = Comparison(months=12)


def away(_report: object) -> Comparison | None:
    raise Transient("the catalogue is away")


@pytest.mark.parametrize(
    ("compare", "told", "missing"),
    [
        (lambda _report: COMPARED, "12 months before", 0),
        (lambda _report: Comparison(months=3), "does not count any more", 0),
        (nothing_earlier, "does not count any more", 0),
        (away, "the catalogue alone knows", 1),
    ],
)
def test_what_was_compared_is_on_the_page_where_the_catalogue_still_says_so(
    desk: Desk, compare: Compare, told: str, missing: int
) -> None:
    pages = desk.signed(desk.conclusion(comparison=COMPARED), compare=compare)
    text = pages.html["en"].read_text(encoding="utf-8")
    found = [
        each for each in ("12 months before", "does not count any more", "the catalogue alone knows") if each in text
    ]
    assert (found, len(pages.missing)) == ([told], missing)


def test_her_earlier_report_is_compared_with_and_one_that_is_gone_is_not(desk: Desk, tmp_path: Path) -> None:
    document = json.loads(report_of(desk.read, desk.store)[1])
    now = ScreeningReport.model_validate({**document, "screening_id": SCREENING})
    before = Visit(desk.read.screening_id, "site-1", 400)
    made = compared_now(now, before, desk.revisions, [], desk.store)
    assert made is not None
    assert made.months == 13
    assert {each.change for each in made.findings} <= {"seen_before", "undecided"}
    assert len([each for each in made.findings if each.finding_id]) == len(now.findings)
    assert compared_now(now, before, [], [], desk.store) is None
    assert compared_now(now, before, desk.revisions, [], FolderStore(tmp_path / "empty")) is None


def test_the_frame_of_a_finding_of_the_readers_own_is_shown_with_what_its_reader_drew(desk: Desk) -> None:
    result = next(iter(desk.revision.results.values()))
    own = lesion(finding_id=None, frame_id=result.frame_id, words=(), categories=())
    made = desk.conclusion(findings=(own,))

    def reader_pictures() -> int:
        page = desk.signed(made).html["en"].read_text(encoding="utf-8")
        return page.split('<section class="machine">')[0].count("data:image/png")

    assert reader_pictures() == 1, "plain alone"
    for number, (reader, later) in enumerate([("dr-2", 0), ("dr-1", 1), ("dr-1", 0)], start=1):
        labels = np.zeros((result.rows, result.columns), np.uint8)
        labels[50:90, 60:120] = 1
        mask = encode_mask(labels)
        review = review_of(
            result, Drawn(reader, False, "drawn", mask, "console"), weights_sha256=None, predicted_dice=None,
            review_id=mint_id(number), at=made.signed_at + timedelta(minutes=later),
        )  # fmt: skip
        store_mask(desk.store, review, mask)
        desk.drawn.append(review)
        assert reader_pictures() == (2 if number == 3 else 1)
    gone = desk.signed(desk.conclusion(findings=(own.model_copy(update={"frame_id": f"{FIRST}/000001"}),)))
    assert gone.missing == (f"picture of frame {FIRST}/000001: not stored, or not the one that was",)


def test_without_a_signature_neither_is_there_and_earlier_ones_go(desk: Desk) -> None:
    desk.signed(desk.conclusion())
    pages = desk.signed()
    assert (pages.conclusion, desk.files(), pages.summary) == (None, set(), "unsigned, not a result")


def test_while_two_readings_differ_she_gets_no_page(desk: Desk) -> None:
    quiet = desk.conclusion(sides=(left_breast("2", "routine_screening"),))
    pages = desk.signed(quiet, desk.conclusion(SECOND, role="second", conclusion_number=2))
    assert (len(pages.html), pages.her_html) == (2, {})
    assert "TWO READINGS DIFFER" in pages.html["en"].read_text(encoding="utf-8")


def test_a_newer_revision_is_told_and_one_that_says_nothing_of_her_takes_her_page(desk: Desk) -> None:
    void = (AmendmentInForce(amendment_number=1, kind="void", because="wrong_woman"),)
    number = desk.read.revision_number + 1
    newer = desk.read.model_copy(update={"revision_id": sha("newer"), "revision_number": number, "amendments": void})
    desk.revisions.append(newer)
    pages = desk.signed(desk.conclusion())
    assert f"A NEWER REVISION HAS COME: {newer.revision_number}." in pages.html["en"].read_text(encoding="utf-8")
    assert pages.her_html == {}


@pytest.mark.parametrize(
    ("made", "told", "refused"),
    [
        ({"kind": "void", "because": "no_screening"}, "VOID: this screening", "void, or she agrees to it no longer"),
        ({"kind": "woman", "because": "wrong_woman"}, "belongs to another slip", "amended since it was signed"),
        (
            {"kind": "side", "because": "side_entered_wrong", "sequence_ids": (FIRST,), "laterality": "right"},
            "WRONG SIDE BEFORE",
            "amended since it was signed",
        ),
    ],
)
def test_what_was_amended_since_gives_her_no_page_and_is_named_whether_or_not_a_revision_was_made_of_it(
    desk: Desk, made: dict[str, Any], told: str, refused: str
) -> None:
    amendment = AmendmentInForce.model_validate({"amendment_number": 1, **made})
    desk.signed(desk.conclusion())
    assert any(each.startswith("woman-") for each in desk.files())
    number = desk.read.revision_number + 1
    changed = {"revision_id": sha("newer"), "revision_number": number, "amendments": (amendment,), **NO_REPORT}
    newer = desk.read.model_copy(update={**changed, "status": "preliminary"})
    for revisions, amended in (([], (amendment,)), ([newer], ())):
        desk.revisions, desk.amended = [desk.read, *revisions], lambda known=amended: known
        pages = desk.signed(desk.conclusion())
        assert pages.her_html == {}
        assert not any(each.startswith("woman-") for each in desk.files())
        assert [each for each in pages.missing if refused in each]
        assert told in pages.html["en"].read_text(encoding="utf-8")


def test_where_nobody_can_say_what_was_amended_there_is_no_page_of_hers(desk: Desk) -> None:
    def no_catalogue() -> tuple[AmendmentInForce, ...]:
        raise Transient("the catalogue is away")

    desk.amended = no_catalogue
    pages = desk.signed(desk.conclusion())
    assert (len(pages.html), pages.her_html) == (2, {})
    assert pages.missing == ("woman's page: nobody can say what was amended since: the catalogue is away",)


def test_a_revision_that_is_gone_is_named(desk: Desk) -> None:
    pages = desk.signed(desk.conclusion(revision_id=sha("gone"), revision_number=7))
    assert pages.missing == ("signed page: revision 7, which was read, is not there any more",)
    assert desk.files() == set()


def test_directions_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord, match=r"nowhere\.toml"):
        read_directions(tmp_path / "nowhere.toml")
    assert read_directions(None) == {}
