"""Measurements in a DICOM structured report (PS3.3 C.17.3), and what else a file's standard attributes say of a woman.

A number is taken with its concept's code, its UCUM unit, and what its modifiers, or those of what it stands in, say of
the place: finding site and laterality. What no standard code names stays as it was written, and is not interpreted. The
text of a report is not read: it may name anybody.
"""

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from pydicom import Dataset

from sonovan.contracts.lexicon import Organ, Sex
from sonovan.producers.sources.agreement import place_of, side_of_code
from sonovan.producers.sources.reasons import refusal

REPORTS: Final = frozenset(f"1.2.840.10008.5.1.4.1.1.88.{kind}" for kind in (11, 22, 33, 34, 35))
"""Basic Text, Enhanced, Comprehensive, Comprehensive 3D and Extensible SR."""
_DEEPEST, _MOST = 32, 20_000
_FINDING_SITE: Final = frozenset({("SCT", "363698007"), ("SRT", "G-C0E3")})
_LATERALITY: Final = frozenset({("SCT", "272741003"), ("SRT", "G-C171")})
_SUBJECT_AGE, _SUBJECT_SEX = ("DCM", "121033"), ("DCM", "121032")
_MM: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
_SEXES: Final[dict[str, Sex]] = {"F": "female", "M": "male", "O": "other"}
_OLDEST: Final = 120


@dataclass(frozen=True, slots=True)
class Coded:
    """A code as the report has it. scheme: of the code, such as SCT, LN, DCM or a private one."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of a report.

    what: its concept. unit: by UCUM, as written. mm: the number as a distance, None where it is none. site: where, as
    coded; organ, side: what that names here, None for anything else.
    """

    what: Coded
    number: float
    unit: str
    mm: float | None = None
    site: Coded | None = None
    organ: Organ | None = None
    side: Literal["left", "right", "both", "isthmus"] | None = None


@dataclass(frozen=True, slots=True)
class SaidOfHer:
    """What one object says beside its pixels. age_years, sex: None where it does not say, or contradicts itself."""

    measured: tuple[Measured, ...] = ()
    age_years: int | None = None
    sex: Sex | None = None

    def __bool__(self) -> bool:
        return bool(self.measured or self.fields)

    @property
    def fields(self) -> dict[str, int | str]:
        """Those of the clinical record."""
        found = {"age_years": self.age_years, "sex": self.sex}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Place:
    site: Coded | None = None
    side: Literal["left", "right", "both"] | None = None


@dataclass
class _Found:
    measured: list[Measured] = field(default_factory=list)
    ages: set[int] = field(default_factory=set)
    sexes: set[Sex] = field(default_factory=set)
    items: int = 0


def is_report(sop_class: str) -> bool:
    """Whether objects of this class are structured reports that are read here."""
    return sop_class in REPORTS


def read_said(path: Path, dataset: Dataset) -> SaidOfHer:
    """What an object says. path: for messages. Call it inside `dicom_header.guarded`.

    Raises InvalidRecord `too_large` for a report of more items, or deeper, than any scanner writes.
    """
    found = _Found()
    if match := re.fullmatch(r"(\d{3})Y", str(dataset.get("PatientAge") or "").strip()):
        found.ages.add(int(match[1]))
    if sex := _SEXES.get(str(dataset.get("PatientSex") or "").strip().upper()):
        found.sexes.add(sex)
    if is_report(str(dataset.get("SOPClassUID") or "")):
        _walk(path, dataset, _Place(), found, 0)
    ages = {age for age in found.ages if age <= _OLDEST}
    return SaidOfHer(
        tuple(found.measured),
        ages.pop() if len(ages) == 1 else None,
        found.sexes.pop() if len(found.sexes) == 1 else None,
    )


def _walk(path: Path, holder: Dataset, place: _Place, found: _Found, depth: int) -> None:
    items = list(_sequence(holder, "ContentSequence"))
    found.items += len(items)
    if depth > _DEEPEST or found.items > _MOST:
        raise refusal("too_large", path, f"the report has more than {_MOST} items, or is deeper than {_DEEPEST}")
    place = _placed(place, items)
    for item in items:
        if str(item.get("ValueType") or "") == "NUM":
            _number(item, place, found)
        elif _key(item) == _SUBJECT_SEX:
            code = _code(item, "ConceptCodeSequence")
            found.sexes.update({_SEXES[code.value.upper()]} if code and code.value.upper() in _SEXES else ())
        _walk(path, item, place, found, depth + 1)


def _placed(place: _Place, items: list[Dataset]) -> _Place:
    """The place that a holder's own modifiers say, or else that of what it stands in."""
    for item in items:
        if str(item.get("RelationshipType") or "") not in ("HAS CONCEPT MOD", "HAS OBS CONTEXT"):
            continue
        code = _code(item, "ConceptCodeSequence")
        if code is not None and _key(item) in _FINDING_SITE:
            place = replace(place, site=code)
            modifiers = [_code(each, "ConceptCodeSequence") for each in _sequence(item, "ContentSequence")
                         if _key(each) in _LATERALITY]  # fmt: skip
            if modifiers and modifiers[0] is not None:
                place = replace(place, side=side_of_code(modifiers[0].value, modifiers[0].meaning))
        elif code is not None and _key(item) in _LATERALITY:
            place = replace(place, side=side_of_code(code.value, code.meaning))
    return place


def _number(item: Dataset, place: _Place, found: _Found) -> None:
    what = _code(item, "ConceptNameCodeSequence")
    place = _placed(place, list(_sequence(item, "ContentSequence")))
    for value in _sequence(item, "MeasuredValueSequence"):
        number = math.nan
        with suppress(TypeError, ValueError, OverflowError):
            number = float(value.get("NumericValue"))
        unit = _code(value, "MeasurementUnitsCodeSequence")
        if what is None or not math.isfinite(number):
            continue
        ucum = unit.value if unit is not None and unit.scheme == "UCUM" else ""
        if (what.scheme, what.value) == _SUBJECT_AGE:
            if ucum == "a" and number == int(number) and number >= 0:
                found.ages.add(int(number))
            continue
        found.measured.append(_measured(what, number, ucum, place))


def _measured(what: Coded, number: float, ucum: str, place: _Place) -> Measured:
    told = None if place.site is None else place_of(place.site.value, place.site.scheme, place.site.meaning)
    organs = told.organs if told is not None else frozenset()
    sides = set(told.sides) if told is not None else set()
    side: Any = place.side
    if sides:  # a site that names its side, such as the left lobe
        side = next(iter(sides)) if place.side in (None, next(iter(sides))) and len(sides) == 1 else None
    elif told is not None and told.both and place.side is None:
        side = "both"
    factor = _MM.get(ucum)
    mm = None if factor is None or number < 0 else round(number * factor, 4)
    return Measured(what, number, ucum, mm, place.site, next(iter(organs)) if len(organs) == 1 else None, side)


def _sequence(dataset: Dataset, name: str) -> Iterator[Dataset]:
    for item in dataset.get(name) or ():
        if isinstance(item, Dataset):
            yield item


def _key(item: Dataset) -> tuple[str, str]:
    code = _code(item, "ConceptNameCodeSequence")
    return ("", "") if code is None else (code.scheme, code.value)


def _code(dataset: Dataset, name: str) -> Coded | None:
    """The first code of a sequence; None where there is none."""
    item = next(_sequence(dataset, name), None)
    if item is None:
        return None
    value = next((str(item.get(each)) for each in ("CodeValue", "LongCodeValue", "URNCodeValue") if item.get(each)), "")
    scheme, meaning = (str(item.get(each) or "").strip() for each in ("CodingSchemeDesignator", "CodeMeaning"))
    return Coded(scheme.upper(), value.strip(), meaning) if value.strip() else None
