"""Which side and organ a DICOM file states, from every place where the standard puts them.

The side: Laterality, ImageLaterality, FrameLaterality, the modifiers of coded regions, and regions that name a side
themselves. The organ: BodyPartExamined, AnatomicRegionSequence and PrimaryAnatomicStructureSequence. All of them stand
in the file's root, in functional groups shared by all frames, or in those of one frame, there within
FrameAnatomySequence (PS3.3 10.5, C.7.6.16.2.8; PS3.16 CID 244, 4031). What people typed into descriptions of a series,
study or protocol names what was ordered, not what the picture shows: it is not read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom import Dataset

from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.sources.agreement import part_of, place_of, side_of_code
from sonovan.producers.sources.reasons import Warned, refusal, warned

_LATERALITIES: Final = ("Laterality", "ImageLaterality", "FrameLaterality")
_REGIONS: Final = (
    ("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
    ("PrimaryAnatomicStructureSequence", "PrimaryAnatomicStructureModifierSequence"),
)
_SIDES: Final[dict[str, Side | None]] = {
    "L": "left", "LEFT": "left", "LT": "left", "左": "left", "左侧": "left",
    "R": "right", "RIGHT": "right", "RT": "right", "右": "right", "右侧": "right",
    "U": None, "UNPAIRED": None,
}  # fmt: skip
_BOTH: Final = frozenset({"B", "BOTH", "BILATERAL", "双侧"})


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file states. foreign: places that are neither breast nor thyroid. warnings: what decides nothing."""

    sides: frozenset[Side]
    organs: frozenset[Organ]
    foreign: frozenset[str]
    warnings: tuple[Warned, ...]


def stated_places(path: Path, dataset: Dataset) -> Stated:
    """Sides, organs and foreign places of a file. path: for messages.

    Raises InvalidRecord `side_unreadable` for a side that is none that DICOM knows.
    """
    sides: set[Side] = set()
    organs: set[Organ] = set()
    foreign: set[str] = set()
    both, unknown = False, set[str]()
    for scope in _scopes(dataset):
        for name in _LATERALITIES:
            for word in _texts(scope, name):
                letter = word.upper()
                if letter in _BOTH:
                    both = True
                elif letter not in _SIDES:
                    detail = f"{name} is '{word[:32]}', which is no side"
                    raise refusal("side_unreadable", path, detail)
                elif (side := _SIDES[letter]) is not None:
                    sides.add(side)
        for word in _texts(scope, "BodyPartExamined"):
            found = part_of(word)
            sides |= found.sides
            organs |= found.organs
            foreign |= found.foreign
            both |= found.both
            if not (found.organs or found.foreign or found.known):
                unknown.add(word[:64])
        for sequence, modifiers in _REGIONS:
            for item in _items(scope, sequence):
                place = place_of(_code(item), _text(item, "CodingSchemeDesignator"), _text(item, "CodeMeaning"))
                sides |= place.sides
                organs |= place.organs
                foreign |= place.foreign
                both |= place.both
                if not (place.organs or place.foreign or place.known):
                    unknown.add(f"{_code(item)} {_text(item, 'CodeMeaning')}".strip()[:64])
                for modifier in _items(item, modifiers):
                    stated = side_of_code(_code(modifier), _text(modifier, "CodeMeaning"))
                    if stated == "both":
                        both = True
                    elif stated is not None:
                        sides.add(stated)
    warnings = []
    if both and not sides:
        warnings.append(warned("side_both", path, "the file says that it shows both sides"))
    if unknown:
        warnings.append(warned("place_unknown", path, f"it shows {', '.join(sorted(unknown))}, unknown here"))
    return Stated(frozenset(sides), frozenset(organs), frozenset(foreign), tuple(warnings))


def _scopes(dataset: Dataset) -> Iterator[Dataset]:
    """The root, every functional group, and every FrameAnatomySequence in one."""
    yield dataset
    yield from _items(dataset, "FrameAnatomySequence")
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in _items(dataset, name):
            yield group
            yield from _items(group, "FrameAnatomySequence")


def _items(dataset: Dataset, name: str) -> Iterable[Dataset]:
    found = dataset.get(name)
    return (
        [item for item in found if isinstance(item, Dataset)] if found and not isinstance(found, (str, bytes)) else []
    )


def _texts(dataset: Dataset, name: str) -> list[str]:
    """The values of an attribute that are not empty, as text: one attribute may hold several."""
    value = dataset.get(name)
    values = [value] if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else list(value)
    return [text for each in values if each is not None and (text := str(each).strip(" \0"))]


def _text(dataset: Dataset, name: str) -> str:
    return " ".join(_texts(dataset, name))


def _code(item: Dataset) -> str:
    return next((text for name in ("CodeValue", "LongCodeValue", "URNCodeValue") if (text := _text(item, name))), "")
