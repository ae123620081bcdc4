"""Which words of the lexicon were said of a lesion, and by whom: what every category is counted from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from sonovan.contracts.results import Finding

By = Literal["software", "reader"]
Entered = Mapping[str, tuple[str, ...]]
"""What a reader entered of one lesion: by term, the words; several of echogenic foci alone."""
NOTHING_ENTERED: Final[Entered] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one term, and who said them. Software says one word; foci that a reader saw may be many."""

    words: tuple[str, ...]
    by: By


def said_of(finding: Finding, entered: Entered = NOTHING_ENTERED) -> dict[str, Said]:
    """What is determined of a finding, by the lexicon's term: a reader's words come before those of software.

    A term that the heads left undetermined is not in it. Outlines that are unreliable have no descriptors.
    """
    said = {each.name: Said((each.value,), "software") for each in finding.descriptors if each.value is not None}
    return said | {term: Said(words, "reader") for term, words in entered.items() if words}
