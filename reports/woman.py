"""The woman's own page in plain language: what was found, what to do, where, when, and what to bring.

It exists only after a reader has signed, says no category and no figure, and names no disease that nobody has proven.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationError

from sonovan.clinical.reading import most_pressing_of
from sonovan.contracts.conclusions import Action, Recommended, ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.record import Part
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
class _Part:
    organ: str
    result: str
    sentences: tuple[str, ...]


def render_for_her(
    conclusion: ScreeningConcluded,
    language: Language,
    *,
    directions: Directions = NOWHERE,
    examined_on: date | None = None,
    slip_number: str | None = None,
) -> bytes:
    """The page in one language, UTF-8, for printing on one sheet; equal arguments give equal bytes.

    examined_on, slip_number: None where the site does not show them. Days count from the day of signing.
    """
    words = SignedWords(language)
    parts = [_part(organ, conclusion, words, directions) for organ in ("breast", "thyroid")]
    page = ENVIRONMENT.get_template("woman.html").render(
        words=words,
        parts=[each for each in parts if each is not None],
        conclusion=conclusion,
        directions=directions,
        examined_on=examined_on,
        slip_number=slip_number,
        asks=any(each.recommended.action in WITHIN_DAYS for each in conclusion.sides),
    )
    return page.encode()


def _part(organ: Organ, conclusion: ScreeningConcluded, words: SignedWords, directions: Directions) -> _Part | None:
    found = most_pressing_of(each.recommended for each in conclusion.sides if each.organ == organ)
    if found is None:
        return None
    result = words.sign(f"her_result_{RESULTS[found.action]}")
    return _Part(words.sign(f"her_{organ}"), result, tuple(_sentences(found, conclusion, words, directions)))


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
