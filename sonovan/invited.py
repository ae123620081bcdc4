"""Read a programme's file of how many women were invited: counts by site, month and organ, and nothing of anybody."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.words import SiteCode
from sonovan.storage.catalogue.inviting import Invited

COLUMNS: Final = ("site_code", "month", "organ", "women")
MOST_BYTES: Final = 2**20
MOST_WOMEN: Final = 10_000_000
_SITE: Final[TypeAdapter[str]] = TypeAdapter(SiteCode)
_ORGAN: Final[TypeAdapter[Organ]] = TypeAdapter(Organ)
_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def read_invited(data: bytes) -> list[Invited]:
    """The counts in a CSV file (UTF-8, a line of headings, COLUMNS in any order); an empty count takes one back.

    A column more is refused, so that no list of women is taken for one of counts.
    Raises InvalidRecord `option_invalid`, naming the line and what it should say, and no text of the file.
    """
    if len(data) > MOST_BYTES:
        raise _wrong(f"it has more than {MOST_BYTES} bytes: a file of counts is short")
    try:
        lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if sorted(lines.fieldnames or ()) != sorted(COLUMNS):
            raise _wrong(f"its first line must name these columns and no others: {','.join(COLUMNS)}")
        found = list(_counts(lines))
    except (UnicodeDecodeError, csv.Error):
        raise _wrong("it is no CSV file in UTF-8") from None
    known: set[tuple[str, str, str]] = set()
    for number, each in enumerate(found, start=2):
        key = (each.site_code, each.month, each.organ)
        if key in known:
            raise _wrong(f"line {number}: this site, month and organ stands there twice")
        known.add(key)
    if not found:
        raise _wrong("it has no count")
    return found


def _counts(lines: "csv.DictReader[str]") -> Iterator[Invited]:
    for number, row in enumerate(lines, start=2):
        told = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if None in row:
            raise _wrong(f"line {number}: it has more fields than the first line")
        try:
            site = _SITE.validate_python(told["site_code"])
        except ValidationError:
            raise _wrong(f"line {number}: site_code is a code such as site-7") from None
        if not _MONTH.fullmatch(told["month"]):
            raise _wrong(f"line {number}: month is a year and a month such as 2026-03")
        try:
            organ = _ORGAN.validate_python(told["organ"])
        except ValidationError:
            raise _wrong(f"line {number}: organ is breast or thyroid") from None
        yield Invited(site, told["month"], organ, _women(told["women"], number))


def _women(text: str, number: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MOST_WOMEN and len(text) <= 8):
        raise _wrong(f"line {number}: women is a whole number, {MOST_WOMEN} at most, or empty to take it back")
    return int(text)


def _wrong(detail: str) -> InvalidRecord:
    return InvalidRecord("option_invalid", f"the file of invitations: {detail}")
