"""What was amended about a screening since the revision that a reader read. Pure.

A conclusion is of the revision that was read: of its sides, and of the slip in its report. An amendment that comes
later makes a newer revision, or, where the rows of the screening are deleted, none at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.amendments import AmendmentInForce, silences

_WHOSE_AND_WHERE: Final = frozenset({"woman", "side"})


@dataclass(frozen=True, slots=True)
class Since:
    """How what is known now differs from the revision that was read.

    new: amendments in force that this revision does not name, and by which it is another woman's, of another side, or
    by which nothing is said of its pictures. gone: amendments of woman or side that it names and that hold no longer.
    """

    new: tuple[AmendmentInForce, ...] = ()
    gone: tuple[AmendmentInForce, ...] = ()

    @property
    def silenced(self) -> bool:
        """Whether the screening became void since, or she withdrew what its report needs."""
        return silences(self.new)

    @property
    def another(self) -> bool:
        """Whether the report that was read has another woman's slip, or another side, than is known now."""
        return any(each.kind in _WHOSE_AND_WHERE for each in (*self.new, *self.gone))


def amended_since(read: Iterable[AmendmentInForce], *known: Iterable[AmendmentInForce]) -> Since:
    """What was amended since.

    read: as the revision names them that was read. known: what holds by each source that can be asked: the newest
    revision, and the records of amendments, of which either may be ahead of the other. Where two of them differ, what
    withholds her page counts.
    """
    before = {each.amendment_number: each for each in read}
    new = dict[int, AmendmentInForce]()
    gone = dict[int, AmendmentInForce]()
    for source in known:
        now = {each.amendment_number: each for each in counting_of(source)}
        for number, made in now.items():
            if number not in before and (made.kind in _WHOSE_AND_WHERE or silences((made,))):
                new.setdefault(number, made)
        for number, made in before.items():
            if number not in now and made.kind in _WHOSE_AND_WHERE:
                gone.setdefault(number, made)
    return Since(tuple(new[number] for number in sorted(new)), tuple(gone[number] for number in sorted(gone)))


def counting_of(amendments: Iterable[AmendmentInForce]) -> tuple[AmendmentInForce, ...]:
    """Those that no newer one about the same replaces, by number: of the woman the newest alone, and none about sides
    of which every sweep is named by a newer one.

    A revision names these and no others (`clinical/amended.py:told_of_amendments`). It may name one whose sweeps have
    not arrived, which stays.
    """
    made = sorted(amendments, key=lambda each: each.amendment_number)
    newest = {about: each.amendment_number for each in made for about in _about(each)}
    return tuple(
        each for each in made if not _about(each) or any(newest[a] == each.amendment_number for a in _about(each))
    )


def _about(made: AmendmentInForce) -> tuple[str, ...]:
    return ("woman",) if made.kind == "woman" else made.sequence_ids
