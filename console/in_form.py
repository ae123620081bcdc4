"""What the form for signing asks about: findings of the revision, and those that the reader found on a frame.

Each has a key, by which fields are named (`sonovan.console.drafts`). Findings of the reader's own have the keys `own1`
to `own9` and a field `f.<key>.frame`, which names the frame that shows it; organ and side are those of its sweep. The
side of a sweep may change while the form is open, so a field `f.<key>.side` says which one the form shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, get_args

from sonovan.console.asked import Fields, Refused
from sonovan.contracts.lexicon import Organ, Position, Side
from sonovan.contracts.results import Finding
from sonovan.reports.document import ScreeningReport
from sonovan.storage.catalogue.cine import Sweep

MOST_SHOWN: Final = 40
"""So many findings, the first ones of the report, stand in the form; others count as not judged."""
MOST_OWN: Final = 9
OWN_KEYS: Final = tuple(f"own{number}" for number in range(1, MOST_OWN + 1))
_LOBE: Final = frozenset({"upper", "middle", "lower"})
POSITIONS: Final[Mapping[Organ, tuple[Position, ...]]] = {
    "breast": tuple(each for each in get_args(Position) if each not in _LOBE),
    "thyroid": tuple(each for each in get_args(Position) if each in _LOBE),
}
"""Where in its organ a reader may place a finding; hours come first, so that the keys 1 to 9 are those hours."""


@dataclass(frozen=True, slots=True)
class InForm:
    """A finding in the form. finding_id: None for the reader's own. suggested: term → the machine's word.

    moved: it is the reader's own, and lies on another side than the form showed.
    """

    key: str
    finding_id: str | None
    organ: Organ
    laterality: Side | None
    frame_id: str
    position: Position | None
    suggested: Mapping[str, str | None] = field(default_factory=dict)
    moved: bool = False

    @property
    def own(self) -> bool:
        """Whether the reader found it, and no machine."""
        return self.finding_id is None

    @property
    def side(self) -> str:
        """How fields name its side."""
        return side_name(self.laterality)


def side_name(laterality: Side | None) -> str:
    """How fields name a side."""
    return laterality or "none"


def finding_key(finding_id: str) -> str:
    """How fields name a finding of the revision."""
    return finding_id[:16]


def in_form(finding: Finding) -> InForm:
    """A finding of the revision."""
    return InForm(
        finding_key(finding.finding_id),
        finding.finding_id,
        finding.organ,
        finding.laterality,
        finding.best.key_frame_id,
        finding.best.position,
        {each.name: each.value for each in finding.descriptors},
    )


def asked_about(form: Fields, report: ScreeningReport, sweeps: Sequence[Sweep]) -> tuple[InForm, ...]:
    """Every finding of the form: the first ones of the report, then the reader's own. Raises as `own_in_form`."""
    return (*map(in_form, report.findings[:MOST_SHOWN]), *own_in_form(form, sweeps))


def own_in_form(form: Fields, sweeps: Sequence[Sweep]) -> tuple[InForm, ...]:
    """The findings of the reader's own that the fields name. Raises Refused `unreadable` for a frame that none of these
    sweeps has, and for a place that its organ has not."""
    return tuple(_own(form, sweeps))


def _own(form: Fields, sweeps: Sequence[Sweep]) -> Iterator[InForm]:
    known = {each.sequence_id: each for each in sweeps}
    for key in OWN_KEYS:
        frame_id, position = form.get(f"f.{key}.frame"), form.get(f"f.{key}.position")
        if not frame_id:
            continue
        sequence_id, _, index = frame_id.rpartition("/")
        sweep = known.get(sequence_id)
        if sweep is None or index not in {f"{each.frame_index:06d}" for each in sweep.frames}:
            raise Refused("unreadable", 400)
        if position and position not in POSITIONS[sweep.organ]:
            raise Refused("unreadable", 400)
        found = InForm(key, None, sweep.organ, sweep.laterality, frame_id, position or None)
        yield replace(found, moved=form.get(f"f.{key}.side") != found.side)
