"""What a reader has chosen in the form so far, as parts of a conclusion; and what is still to be chosen. Pure.

Fields are named by what they are about: `f.<finding>.verdict`, `f.<finding>.w.<term>`, `f.<finding>.c.<scheme>`,
`f.<finding>.mm`, of the reader's own findings also `f.<finding>.frame`, `.side` and `.position` (`console/in_form.py`);
`s.<organ>.<side>.c.<scheme>`, `.block`, `.action`, `.months`. So choices stay with their finding and side where a newer
revision has others. Nothing is chosen unless a field says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import ValidationError

from sonovan.clinical.reading import derived
from sonovan.console.asked import Fields, Refused
from sonovan.console.in_form import OWN_KEYS, InForm, asked_about, finding_key, side_name
from sonovan.contracts.conclusions import (
    CategoryRead,
    FindingRead,
    Recommended,
    SideConcluded,
    WordRead,
    WordVerdict,
)
from sonovan.contracts.derivation import Category, Programme
from sonovan.contracts.lexicon import DESCRIPTORS, SCHEMES, Organ, Scheme, Side
from sonovan.reports.document import ScreeningReport
from sonovan.storage.catalogue.cine import Sweep

UNDETERMINED: Final = "undetermined"

Lacks = Literal["category", "action", "months", "words", "own", "moved"]
"""words: a lobe without a category says that it has no nodule. own: the side of a finding of the reader's own has no
conclusion. moved: a finding of the reader's own lies on this side by now, and the form showed another one."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Something that a side must still say before it can be signed."""

    what: Lacks
    organ: Organ
    laterality: Side | None


@dataclass(frozen=True, slots=True)
class Draft:
    """The sides and findings that are whole, and what others lack. untouched: sides of which nothing was chosen."""

    sides: tuple[SideConcluded, ...]
    findings: tuple[FindingRead, ...]
    lacking: tuple[Lacking, ...]
    untouched: tuple[tuple[Organ, Side | None], ...]


def side_key(organ: Organ, laterality: Side | None) -> str:
    """How fields name a side of an organ."""
    return f"{organ}.{side_name(laterality)}"


def sides_shown(report: ScreeningReport, own: Sequence[InForm] = ()) -> list[tuple[Organ, Side | None]]:
    """The sides that can be concluded: those that were planned or seen, and those that only findings name."""
    rows = [(each.organ, each.laterality) for each in report.adequacy]
    found = [(each.organ, each.laterality) for each in report.findings]
    return list(dict.fromkeys([*rows, *found, *((each.organ, each.laterality) for each in own)]))


def draft_of(form: Fields, report: ScreeningReport, sweeps: Sequence[Sweep]) -> Draft:
    """What the fields say of this report. sweeps: those on whose frames a reader may have found something.

    Raises Refused `unreadable` for a field that no page offers.
    """
    about = asked_about(form, report, sweeps)
    own = [each for each in about if each.own]
    try:
        findings = [_finding(form, each, report.programme) for each in about]
        judged = tuple(each for each in findings if each is not None)
        sides, untouched = [], list[tuple[Organ, Side | None]]()
        lacking = [Lacking("moved", each.organ, each.laterality) for each in own if each.moved]
        for organ, side in sides_shown(report, own):
            made = _side(form, organ, side)
            if isinstance(made, SideConcluded):
                sides.append(made)
            elif made is not None:
                lacking += made
            elif any((each.organ, each.laterality) == (organ, side) for each in own):
                lacking.append(Lacking("own", organ, side))
            else:
                untouched.append((organ, side))
        return Draft(tuple(sides), judged, tuple(lacking), tuple(untouched))
    except (ValidationError, ValueError, KeyError):
        raise Refused("unreadable", 400) from None


def derived_of(form: Fields, finding: InForm) -> tuple[Category, ...]:
    """What the chosen words of a finding come to."""
    return derived(finding.organ, tuple(_words(form, finding)), finding.laterality)


def _words(form: Fields, finding: InForm) -> Iterator[WordRead]:
    """The words that were chosen of a finding, each with what became of the machine's."""
    for term in DESCRIPTORS[finding.organ]:
        chosen = form.all(f"f.{finding.key}.w.{term}")
        if not chosen:
            continue
        machines = finding.suggested.get(term)
        if UNDETERMINED in chosen:
            yield WordRead(term=term, verdict="undetermined", suggested=machines)
            continue
        verdict: WordVerdict = "entered" if machines is None else "changed"
        if tuple(chosen) == (machines,):
            verdict = "confirmed"
        yield WordRead(term=term, verdict=verdict, words=tuple(chosen), suggested=machines)


def _finding(form: Fields, finding: InForm, programme: Programme) -> FindingRead | None:
    name = f"f.{finding.key}"
    verdict = "lesion" if finding.own else form.get(f"{name}.verdict")
    if not verdict:
        return None
    words = tuple(_words(form, finding)) if verdict == "lesion" else ()
    comes_to = {each.scheme: each for each in derived(finding.organ, words, finding.laterality)}
    categories = _categories(form, name, finding.organ, comes_to, programme) if verdict == "lesion" else ()
    size = form.get(f"{name}.mm")
    return FindingRead.model_validate(
        {
            "finding_id": finding.finding_id,
            "organ": finding.organ,
            "laterality": finding.laterality,
            "verdict": verdict,
            "frame_id": finding.frame_id,
            "position": finding.position,
            "largest_mm": float(size.replace(",", ".")) if size and verdict == "lesion" else None,
            "words": words,
            "categories": categories,
        }
    )


def _categories(
    form: Fields, name: str, organ: Organ, comes_to: dict[Scheme, Category], programme: Programme
) -> tuple[CategoryRead, ...]:
    found = []
    for scheme in SCHEMES[organ]:
        value = form.get(f"{name}.c.{scheme}")
        if not value:
            continue
        rule = comes_to.get(scheme)
        whole = rule if rule is not None and not rule.at_least else None
        edition = programme.bi_rads_edition if scheme == "BI-RADS" else None if rule is None else rule.edition
        found.append(
            CategoryRead(
                scheme=scheme,
                value=value,
                edition=edition,
                derived=None if whole is None else whole.value,
                points=None if whole is None else whole.total,
            )
        )
    return tuple(found)


def _side(form: Fields, organ: Organ, side: Side | None) -> SideConcluded | list[Lacking] | None:
    name = f"s.{side_key(organ, side)}"
    values = [(scheme, form.get(f"{name}.c.{scheme}")) for scheme in SCHEMES[organ]]
    blocks, action, months = form.all(f"{name}.block"), form.get(f"{name}.action"), form.get(f"{name}.months")
    given = [(scheme, value) for scheme, value in values if value]
    if not given and not blocks and not action:
        return None
    lacks: list[Lacks] = []
    if not given and (organ == "breast" or "no_nodule" not in blocks):
        lacks.append("category" if organ == "breast" else "words")
    if not action:
        lacks.append("action")
    if action == "follow_up" and not months:
        lacks.append("months")
    if lacks:
        return [Lacking(each, organ, side) for each in lacks]
    return SideConcluded.model_validate(
        {
            "organ": organ,
            "laterality": side,
            "categories": [CategoryRead(scheme=scheme, value=value) for scheme, value in given],
            "blocks": blocks,
            "recommended": Recommended.model_validate(
                {"action": action, "months": int(months) if action == "follow_up" else None}
            ),
        }
    )


def fields_of(sides: Sequence[SideConcluded], findings: Sequence[FindingRead]) -> Fields:
    """The fields that say what a conclusion says: what is shown when somebody amends it."""
    told: list[tuple[str, str]] = []
    for side in sides:
        name = f"s.{side_key(side.organ, side.laterality)}"
        told += [(f"{name}.c.{each.scheme}", each.value) for each in side.categories]
        told += [(f"{name}.block", each) for each in side.blocks]
        told.append((f"{name}.action", side.recommended.action))
        if side.recommended.months is not None:
            told.append((f"{name}.months", str(side.recommended.months)))
    free = iter(OWN_KEYS)
    for finding in findings:
        if finding.finding_id is None:
            name = f"f.{next(free)}"
            told += [(f"{name}.frame", finding.frame_id or ""), (f"{name}.side", side_name(finding.laterality))]
            told.append((f"{name}.position", finding.position or ""))
        else:
            name = f"f.{finding_key(finding.finding_id)}"
            told.append((f"{name}.verdict", finding.verdict))
        told += [(f"{name}.c.{each.scheme}", each.value) for each in finding.categories]
        if finding.largest_mm is not None:
            told.append((f"{name}.mm", f"{finding.largest_mm:g}"))
        for word in finding.words:
            told += [(f"{name}.w.{word.term}", each) for each in word.words or (UNDETERMINED,)]
    return Fields(told)
