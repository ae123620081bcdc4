"""The page of a signed conclusion: what the reader says, apart from it what software had suggested."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sonovan.clinical.amended_since import Since
from sonovan.contracts.conclusions import FindingRead, ScreeningConcluded, SideConcluded
from sonovan.contracts.results import Member
from sonovan.reports import details
from sonovan.reports.amended import amended_words
from sonovan.reports.compared import lines_of
from sonovan.reports.document import ScreeningReport, numbers_of
from sonovan.reports.page import ENVIRONMENT, KeyPictures, OwnPictures, own_sources, sources
from sonovan.reports.phrases import Language
from sonovan.reports.recorded import answers, not_asked
from sonovan.reports.signed_words import SignedWords

Earlier = Literal["holds", "otherwise", "unchecked"]
NOTHING_SINCE: Final = Since()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conclusion stands among what is known of its screening.

    before: the conclusion that it replaces. newest: the number of the newest revision with a report, None where it is
    the one that was read. replaced_by: the number of a later conclusion of its role. to_arbitrate: two readings differ,
    and nobody has decided. earlier: whether what was compared with her earlier screening still holds: `otherwise` where
    that one does not count any more, or says something else than when this was signed; `unchecked` where the catalogue
    was not asked, or whoever is shown the page may not see the earlier screening. It is shown where it holds alone.
    since: what was amended since the revision that was read.
    """

    before: ScreeningConcluded | None = None
    newest: int | None = None
    replaced_by: int | None = None
    to_arbitrate: bool = False
    earlier: Earlier = "unchecked"
    since: Since = NOTHING_SINCE


ALONE = Standing()


def render_signed(
    document: Mapping[str, Any],
    conclusion: ScreeningConcluded,
    pictures: Mapping[Member, KeyPictures],
    language: Language = "en",
    standing: Standing = ALONE,
    own: Mapping[int, OwnPictures] | None = None,
) -> bytes:
    """The page of a conclusion in one language, UTF-8; equal arguments give equal bytes.

    document: the report of the revision that was read, as `report_document` gave it; pictures: as for its page. own:
    the frame of each finding of the reader's own, by its place among the conclusion's findings, from 0. What the
    machine suggested stands under a heading of its own, withheld where the document withholds it.
    Raises ValueError where the document is of another screening or revision, or no report.
    """
    report, words = ScreeningReport.model_validate(document), SignedWords(language)
    if (report.screening_id, report.revision_id) != (conclusion.screening_id, conclusion.revision_id):
        raise ValueError("a conclusion is shown with the revision that was read")
    numbers, compared = numbers_of(report), conclusion.comparison
    page = ENVIRONMENT.get_template("signed.html").render(
        report=report,
        conclusion=conclusion,
        standing=standing,
        words=words,
        details=details,
        amended=[amended_words(each, words) for each in report.amendments],
        since=[
            *(words.sign("signed_since", amended=amended_words(each, words)) for each in standing.since.new),
            *(words.sign("signed_since_gone", amended=amended_words(each, words)) for each in standing.since.gone),
        ],
        numbers=numbers,
        compared=lines_of(compared, numbers, words) if compared is not None and standing.earlier == "holds" else (),
        changes=[] if standing.before is None else list(changes(standing.before, conclusion, numbers, words)),
        despite=[words.despite(each) for each in conclusion.despite],
        told=answers(report.recorded, words) if report.recorded else [],
        not_asked=not_asked(report.recorded, words) if report.recorded else "",
        pictures={key: sources(each) for key, each in pictures.items()},
        own=[
            {**own_sources(each), **words.own_picture(conclusion.findings[at], drawn=each.drawn is not None)}
            for at, each in sorted((own or {}).items())
        ],
    )
    return page.encode()


def changes(
    before: ScreeningConcluded, now: ScreeningConcluded, numbers: Mapping[str, int], words: SignedWords
) -> Iterator[str]:
    """What a conclusion changes of the one that it replaces, a line for each side and finding that differs.

    numbers: by finding id, the number of a finding in the report.
    """
    nothing = words.sign("signed_nothing")
    for organ, side in dict.fromkeys((each.organ, each.laterality) for each in (*before.sides, *now.sides)):
        old, new = before.side(organ, side), now.side(organ, side)
        told = [nothing if each is None else side_words(each, words) for each in (old, new)]
        if told[0] != told[1]:
            yield words.sign("signed_change", what=words.place(organ, side), before=told[0], now=told[1])
    was, is_now = ({_key(each): each for each in of.findings} for of in (before, now))
    for key in dict.fromkeys((*was, *is_now)):
        finding = is_now.get(key) or was[key]
        told = [finding_words(each[key], words) if key in each else nothing for each in (was, is_now)]
        if told[0] != told[1]:
            number = numbers.get(finding.finding_id or "")
            place = words.place(finding.organ, finding.laterality)
            what = words.text("about_number", about=place, number=number) if number else place
            yield words.sign("signed_change", what=what, before=told[0], now=told[1])


def side_words(side: SideConcluded, words: SignedWords) -> str:
    """A side in one line: categories, what is recommended, text blocks."""
    told = [*map(words.category_read, side.categories), words.recommended(side.recommended)]
    blocks = [words.sign(f"block_{each}") for each in side.blocks]
    return words.text("semicolon").join((words.text("comma").join(told), *([" ".join(blocks)] if blocks else [])))


def finding_words(finding: FindingRead, words: SignedWords) -> str:
    """A finding in one line: verdict, categories, each word."""
    said = [words.word_read(finding.organ, each) for each in finding.words]
    return words.text("semicolon").join((words.finding_read(finding), *said))


def _key(finding: FindingRead) -> tuple[str | None, str | None]:
    return finding.finding_id, finding.frame_id if finding.finding_id is None else None
