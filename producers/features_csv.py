"""Read the clinical record of a visit from a table of two columns, as a spreadsheet writes it.

    field,value
    age_years,52
    symptoms,lump
    symptoms,voice_change
    family.1.cancer,breast
    family.1.degree,first
    biopsies,none

A field that takes several answers stands once for each; one whose answers have parts names the answer's number, from
1, and the part. `none` beside such a field means asked, and there is none. A line without a value means not asked.
"""

import csv
import io
from typing import Any, Final, get_args, get_origin

from sonovan.contracts.clinical_record import FeaturesRecorded

_HEAD: Final = ["field", "value"]
_NONE: Final = "none"
_SEVERAL: Final = frozenset(
    name
    for name, field in FeaturesRecorded.model_fields.items()
    if any(get_origin(each) is tuple for each in get_args(field.annotation))
)


def fields_of(text: str) -> dict[str, Any]:
    """The fields of a table, as the JSON file has them; their values are not checked here.

    Raises ValueError that says which line is wrong and how.
    """
    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text.lstrip("\ufeff")))]
    if not lines or lines[0] != _HEAD:
        raise ValueError("its first line is not `field,value`")
    found: dict[str, Any] = {}
    parts: dict[str, dict[int, dict[str, str]]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        if len(line) != len(_HEAD):
            raise ValueError(f"line {number} has {len(line)} columns, not 2")
        name, value = line
        if not value:
            continue
        field, _, rest = name.partition(".")
        if rest:
            place, _, part = rest.partition(".")
            if field not in _SEVERAL or not place.isdecimal() or not part:
                raise ValueError(f"line {number}: {name} is no `field.number.part`")
            answers = parts.setdefault(field, {}).setdefault(int(place), {})
            _once(answers, part, value, number)
        elif field not in _SEVERAL:
            _once(found, field, value, number)
        elif value != _NONE:
            found.setdefault(field, []).append(value)
        else:
            _once(found, field, [], number)
    for field, answers_of in parts.items():
        _once(found, field, [answers_of[place] for place in sorted(answers_of)], 0)
    return found


def _once(found: dict[str, Any], name: str, value: object, number: int) -> None:
    if name in found:
        raise ValueError(f"{name} is answered twice" + (f", again in line {number}" if number else ""))
    found[name] = value
