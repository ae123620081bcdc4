"""The woman's own page in plain language: of each side what was found and what to do, where and when; what to bring.

It exists only after a reader has signed, says no category and no figure, names no disease that nobody has proven, and
calls nothing harmless. A side that was planned or seen and of which the reader concluded nothing is named as such.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationError

from sonovan.clinical.left_open import sides_left_open, sides_not_examined
from sonovan.contracts.conclusions import ACTIONS, Action, Recommended, ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.record import Part
from sonovan.reports.document import ScreeningReport
from sonovan.reports.page import ENVIRONMENT
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.signed_words import SignedWords

WITHIN_DAYS: Final[Mapping[Action, int]] = {
    "scan_again": 28,
    "mammography": 28,
    "further_imaging": 28,
    "fna": 28,
    "tissue_diagnosis": 14,
    "specialist": 14,
    "treatment": 14,
}
"""By when she should come. No standard binds a programme here: these are a month for pictures and two weeks where a
cancer is suspected, as in the two-week referral of the National Health Service; a site may set its own."""

RESULTS: Final[Mapping[Action, str]] = {
    "routine_screening": "none",
    "follow_up": "follow",
    "scan_again": "again",
    "mammography": "more",
    "further_imaging": "more",
    "fna": "more",
    "tissue_diagnosis": "more",
    "specialist": "more",
    "treatment": "known",
}
OF_PICTURES: Final = frozenset({"none", "follow", "again"})
"""Results that speak of pictures: of a side that was not examined the page says that instead, whatever was signed."""
FULL_SIZE_SENTENCES: Final = 4
"""With more sentences of what to do the page is set smaller, to stay one sheet."""
OPEN_STANDS_AS: Final[Action] = "scan_again"
"""A side of which nothing is concluded stands among the others as if it were to be scanned again."""

_Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Directions(Part):
    """Where a site sends women, in its own words of one language.

    place: for all; places: by action, before that. phone: whom to call. within_days: by action, instead of WITHIN_DAYS.
    """

    place: _Line | None = None
    places: dict[Action, _Line] = Field(default_factory=dict)
    phone: _Line | None = None
    within_days: dict[Action, Annotated[int, Field(ge=1, le=365)]] = Field(default_factory=dict)


class _Site(Part):
    en: Directions = Directions()
    zh: Directions = Directions()

    @property
    def by_language(self) -> dict[Language, Directions]:
        return {"en": self.en, "zh": self.zh}


NOWHERE: Final = Directions()


def directions_of(toml: str, source: str) -> dict[Language, Directions]:
    """A site's directions by language, from a file with a table for each: `[en]` and `[zh]`.

    Raises InvalidRecord `option_invalid` that names the file, the field and what is wrong with it.
    """
    try:
        tables = tomllib.loads(toml)
        unknown = sorted(tables.keys() - set(LANGUAGES))
        if unknown:
            raise InvalidRecord("option_invalid", f"{source}: {unknown[0]}: no language; known: {', '.join(LANGUAGES)}")
        return _Site.model_validate(tables).by_language
    except tomllib.TOMLDecodeError as error:
        raise InvalidRecord("option_invalid", f"{source}: no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidRecord("option_invalid", f"{source}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of a side, and in the same words of every other side of its organ.

    order: what presses more stands higher up; of two follow-ups the earlier one. sentences: what to do; may be empty.
    """

    order: tuple[int, int]
    organ: Organ
    result: str
    sentences: tuple[str, ...] = ()


def render_for_her(
    conclusion: ScreeningConcluded, report: ScreeningReport, language: Language, *, directions: Directions = NOWHERE
) -> bytes:
    """The page in one language, UTF-8, for printing on one sheet; equal arguments give equal bytes.

    report: of the revision that was read. It says which sides were planned and which were examined, and has the day and
    the slip number where the site shows them. Days count from the day of signing.
    Raises ValueError for the report of another revision.
    """
    if (report.screening_id, report.revision_id) != (conclusion.screening_id, conclusion.revision_id):
        raise ValueError("a conclusion is shown with the revision that was read")
    words = SignedWords(language)
    told: dict[_Told, list[Side | None]] = {}
    for side, what in (*_concluded(conclusion, report, words, directions), *_left_open(conclusion, report, words)):
        told.setdefault(what, []).append(side)
    page = ENVIRONMENT.get_template("woman.html").render(
        words=words,
        many=sum(len(what.sentences) for what in told) > FULL_SIZE_SENTENCES,
        parts=[(_place(what.organ, told[what], words), what) for what in sorted(told, key=lambda each: each.order)],
        conclusion=conclusion,
        directions=directions,
        examined_on=report.examined_on,
        slip_number=report.slip_number,
        asks=any(each.recommended.action in WITHIN_DAYS for each in conclusion.sides),
    )
    return page.encode()


def _concluded(
    conclusion: ScreeningConcluded, report: ScreeningReport, words: SignedWords, directions: Directions
) -> Iterator[tuple[Side | None, _Told]]:
    """Each side that the reader concluded, with what is told of it."""
    unseen = sides_not_examined(report.adequacy, report.findings)
    for side in conclusion.sides:
        found = side.recommended
        result = RESULTS[found.action]
        if result in OF_PICTURES and (side.organ, side.laterality) in unseen:
            result = "not_examined"
        yield (
            side.laterality,
            _Told(
                (-ACTIONS.index(found.action), found.months or 0),
                side.organ,
                words.sign(f"her_result_{result}"),
                tuple(_sentences(found, conclusion, words, directions)),
            ),
        )


def _left_open(
    conclusion: ScreeningConcluded, report: ScreeningReport, words: SignedWords
) -> Iterator[tuple[Side | None, _Told]]:
    """Each side that was planned or seen and of which nothing is concluded, with what is told of it."""
    for side in sides_left_open(conclusion, report.adequacy, report.findings):
        yield (
            side.laterality,
            _Told(
                (-ACTIONS.index(OPEN_STANDS_AS), 0),
                side.organ,
                words.sign("her_result_not_judged" if side.examined else "her_result_not_examined"),
                (words.sign("her_still_to_see"),) if side.to_be_seen else (),
            ),
        )


def _place(organ: Organ, sides: Sequence[Side | None], words: SignedWords) -> str:
    """Sides of one organ in plain words: "Both breasts"."""
    both: tuple[Side, ...] = ("left", "right")
    together = set(both) <= set(sides)
    names = ["both"] if together else []
    names += [each or "none" for each in sides if not (together and each in both)]
    return words.text("comma").join(words.sign(f"her_place_{organ}_{name}") for name in names)


def _sentences(
    found: Recommended, conclusion: ScreeningConcluded, words: SignedWords, directions: Directions
) -> list[str]:
    signed = conclusion.signed_at.date()
    month = ""
    if found.months is not None:
        ahead = signed.month - 1 + found.months
        later = date(signed.year + ahead // 12, ahead % 12 + 1, 1)
        month = _month(later, words)
    told = [words.sign(f"her_do_{found.action}", months=found.months, month=month)]
    days = directions.within_days.get(found.action, WITHIN_DAYS.get(found.action))
    if days is not None:
        told.append(words.sign("her_when", days=days, day=words.day(signed + timedelta(days=days))))
        place = directions.places.get(found.action) or directions.place or words.sign("her_where_slip")
        told.append(words.sign("her_where", place=place))
    return told


def _month(day: date, words: SignedWords) -> str:
    name = words.text("months").split()[day.month - 1]
    return words.sign("her_month", month=name, year=day.year)
