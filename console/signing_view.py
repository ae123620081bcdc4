"""What the form for signing shows: findings with the words of the lexicon; sides with categories, blocks, actions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sonovan.clinical.contradictions import contradictions
from sonovan.clinical.reading import asked_by_nodules, most_pressing_of, recommended_for_breast, worst_category
from sonovan.clinical.tirads import UNDETERMINABLE
from sonovan.console.asked import Asked, Fields, Refused
from sonovan.console.comparing import name_of
from sonovan.console.drafts import (
    UNDETERMINED,
    Draft,
    derived_of,
    draft_of,
    fields_of,
    side_key,
    sides_shown,
)
from sonovan.console.in_form import MOST_SHOWN, POSITIONS, InForm, asked_about, finding_key, in_form, own_in_form
from sonovan.console.people import code_in_records
from sonovan.console.phrases import ConsoleWords
from sonovan.console.reading_data import sweep_title
from sonovan.console.roles import Role
from sonovan.console.signing import ToSign, conclusion_of, digest_of, to_sign
from sonovan.contracts.conclusions import ACTIONS, AMENDED_BECAUSE, BLOCKS, Contradicts, Recommended
from sonovan.contracts.derivation import Category
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import CATEGORIES, DESCRIPTORS, SCHEMES, Organ, Side, Term
from sonovan.reports import details
from sonovan.reports.compared import Line, lines_of
from sonovan.reports.document import ScreeningReport, numbers_of
from sonovan.storage.catalogue.cine import Cine, Sweep

if TYPE_CHECKING:
    from sonovan.console.world import Console

FIRST_TERMS: Final = frozenset(
    {"shape", "orientation", "margin", "echo_pattern", "posterior_features", "calcifications", "composition",
     "echogenicity", "echogenic_foci"}
)  # fmt: skip
"""Terms that are shown at once; others are folded away until somebody opens them, or chose one of their words."""
LEFT_OUT: Final = {"breast": frozenset({"tissue_composition", "halo"}), "thyroid": frozenset({"calcifications"})}
"""Terms of a side or of an earlier edition; calcifications of a nodule are among its echogenic foci."""
SEVERAL: Final = "echogenic_foci"
BLANK: Final = "BLANK"
"""The key of a finding that nobody has added yet."""
_MINTED: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about an attempt to sign. changed: what a newer revision has that the one that was read had not.
    fresh: the form's id stands for something else that was sent, so that it gets another.
    """

    error: str = ""
    changed: tuple[str, ...] = ()
    newer: bool = False
    despite: bool = False
    fresh: bool = False


NOTHING_TOLD: Final = Told()


@dataclass(frozen=True, slots=True)
class TermView:
    """A term with its words as (word, label); suggested: the machine's word. several: more than one may be chosen."""

    name: str
    label: str
    words: tuple[tuple[str, str], ...]
    suggested: str | None
    several: bool
    first: bool
    chosen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the form shows it. suggested: the machine's categories in words, by the intended use.

    number: None for one of the reader's own, which lies on `frame_id`, has a place to choose among `positions` and no
    suggestion. side: of such a one, as a field names it. moved: it was another one when the form was shown before.
    """

    key: str
    number: int | None
    place: str
    size: str
    suggested: str
    organ: Organ
    terms: tuple[TermView, ...]
    schemes: tuple[tuple[str, tuple[str, ...], str], ...]
    verdict: str
    mm: str
    frame_id: str = ""
    positions: tuple[tuple[str, str], ...] = ()
    position: str = ""
    side: str = ""
    moved: bool = False


@dataclass(frozen=True, slots=True)
class SideView:
    """A side as the form shows it: schemes with their values and the one that is chosen, blocks, what was seen."""

    key: str
    place: str
    levels: tuple[str, ...]
    schemes: tuple[tuple[str, tuple[str, ...], str], ...]
    blocks: tuple[tuple[str, str, bool], ...]
    action: str
    months: str


@dataclass(frozen=True, slots=True)
class SigningView:
    """The form, or why there is none (`why`).

    own: findings of the reader's own; blanks: an empty one for each organ of which there are pictures. live: what the
    choices come to, as the script shows it. compared: with her earlier screening, in lines. compared_as: names what is
    shown there.
    """

    why: str = ""
    signing: ToSign | None = None
    told: Told = NOTHING_TOLD
    holder: str = ""
    findings: tuple[FindingView, ...] = ()
    more: int = 0
    own: tuple[FindingView, ...] = ()
    blanks: tuple[FindingView, ...] = ()
    sides: tuple[SideView, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    because: str = ""
    conclusion_id: str = ""
    opened_at: int = 0
    live: dict[str, object] = field(default_factory=dict)
    compared: tuple[Line, ...] = ()
    compared_as: str = ""


def signing_view(
    console: "Console", asked: Asked, cine: Cine, told: Told = NOTHING_TOLD, *, blind: bool = False
) -> SigningView | None:
    """The form for whoever asks; None for who is no reader. blind: frames are still to be drawn before."""
    if Role.READER not in asked.person.roles:
        return None
    signing = to_sign(console, asked.person, cine)
    if code_in_records(asked.person.code) is None:
        return SigningView("signing_code", signing)
    if blind:
        return SigningView("signing_draw_first", signing)
    if signing.revision is None or signing.report is None:
        return SigningView("signing_no_report", signing)
    if signing.revision.ended:
        return SigningView("signing_ended", signing)
    if signing.turn.role is None:
        return SigningView("signing_done", signing)
    claim = console.claims.take(cine.screening_id, asked.person.code)
    words, report = console.words[asked.language], signing.report
    form = asked.form
    if not form and signing.turn.amends is not None:
        form = fields_of(signing.turn.amends.sides, signing.turn.amends.findings)
    own = own_in_form(form, cine.sweeps)
    given = form.get("conclusion_id")
    return SigningView(
        signing=signing,
        told=told,
        holder="" if claim.account == asked.person.code else claim.account,
        findings=tuple(_findings(form, report, words)),
        more=max(0, len(report.findings) - MOST_SHOWN),
        own=tuple(_own(form, each, cine.sweeps, words) for each in own),
        blanks=tuple(_blank(organ, words) for organ in dict.fromkeys(each.organ for each in cine.sweeps)),
        sides=tuple(_sides(form, report, own, words)),
        actions=tuple((each, words.sign(f"action_{each}", months="…")) for each in ACTIONS),
        reasons=tuple((each, words.sign(f"amended_{each}")) for each in AMENDED_BECAUSE),
        because=form.get("because"),
        conclusion_id=given if _MINTED.fullmatch(given) and not told.fresh else mint_id(console.clock()),
        opened_at=int(told_at) if (told_at := form.get("opened_at")).isdecimal() else console.clock(),
        live=live_of(console, asked, form, signing),
        compared=() if signing.comparison is None else lines_of(signing.comparison, numbers_of(report), words),
        compared_as=name_of(signing.comparison),
    )


def live_of(console: "Console", asked: Asked, form: Fields, signing: ToSign) -> dict[str, object]:
    """What the choices come to, in words: categories of findings, what rules recommend, what lacks and contradicts."""
    report, words = signing.report, console.words[asked.language]
    if report is None:
        raise Refused("nothing_to_sign", 409)
    draft = draft_of(form, report, signing.sweeps)
    about = asked_about(form, report, signing.sweeps)
    lacking = [
        words.say(f"signing_lacks_{each.what}", place=words.place(each.organ, each.laterality))
        for each in draft.lacking
    ]
    if not draft.sides and not draft.lacking:
        lacking.append(words.say("signing_lacks_side"))
    found = () if draft.lacking or not draft.sides else _despite(console, asked, signing, draft)
    return {
        "findings": {
            each.key: [words.category_derived(found) + points(found, words) for found in derived_of(form, each)]
            for each in about
        },
        "sides": {
            side_key(organ, side): _rule(organ, side, form, draft, signing, words)
            for organ, side in sides_shown(report, [each for each in about if each.own])
        },
        "lacking": lacking,
        "despite": [words.despite(each) for each in found],
        "digest": digest_of(found),
        "looked": _looked(signing, words),
    }


def _looked(signing: ToSign, words: ConsoleWords) -> str:
    seen = sum(each.frames_seen for each in signing.looked_at)
    frames = sum(each.frames for each in signing.looked_at)
    share = words.text("share", share=100 * seen / frames if frames else 0)
    return words.say("signing_looked", seen=seen, frames=frames, share=share)


def points(found: Category, words: ConsoleWords) -> str:
    """Every point of a category, in brackets."""
    told = words.points(found)
    return words.text("brackets", text=told) if told else ""


def _despite(console: "Console", asked: Asked, signing: ToSign, draft: Draft) -> tuple[Contradicts, ...]:
    try:
        made = conclusion_of(console, asked, signing, draft)
    except Refused:
        return ()
    return contradictions(made, signing.assessed, signing.rules)


def _rule(
    organ: Organ, side: Side | None, form: Fields, draft: Draft, signing: ToSign, words: ConsoleWords
) -> dict[str, str]:
    """The most worrisome category of the side's findings, and what the rule recommends for what is chosen so far.

    Where a nodule whose size or category is missing could lead to more, nothing is recommended, and `recommended` says
    why.
    """
    lesions = [each for each in draft.findings if (each.organ, each.laterality) == (organ, side)]
    worst = [(scheme, worst_category(scheme, lesions)) for scheme in SCHEMES[organ]]
    told = [f"{scheme} {value}" for scheme, value in worst if value is not None]
    chosen = {scheme: form.get(f"s.{side_key(organ, side)}.c.{scheme}") for scheme in SCHEMES[organ]}
    mine = {scheme: value for scheme, value in chosen.items() if value in CATEGORIES[scheme]}
    asked = list[Recommended | None]()
    if organ == "breast":
        asked += [recommended_for_breast(value, signing.rules) for value in mine.values()]
    elif signing.report is not None:
        asked += asked_by_nodules(lesions, mine, signing.report.findings, signing.report.programme)
    recommended = most_pressing_of(asked)
    undecided = words.say("signing_rule_undecided") if asked else ""
    return {
        "worst": words.text("comma").join(told),
        "action": "" if recommended is None else recommended.action,
        "months": "" if recommended is None or recommended.months is None else str(recommended.months),
        "recommended": undecided if recommended is None else words.recommended(recommended),
    }


def _findings(form: Fields, report: ScreeningReport, words: ConsoleWords) -> list[FindingView]:
    return [
        replace(
            _shown(form, in_form(finding), words),
            number=number,
            place=details.place(finding, words),
            size=words.diameters(finding.best),
            suggested=words.categories(finding),
            verdict=form.get(f"f.{finding_key(finding.finding_id)}.verdict"),
        )
        for number, finding in enumerate(report.findings[:MOST_SHOWN], start=1)
    ]


def _own(form: Fields, finding: InForm, sweeps: Sequence[Sweep], words: ConsoleWords) -> FindingView:
    """A finding of the reader's own, with the places that its organ has."""
    sequence_id = finding.frame_id.rpartition("/")[0]
    title = next((sweep_title(each, words) for each in sweeps if each.sequence_id == sequence_id), "")
    places = tuple((each, words.lexicon(f"position.{each}")) for each in POSITIONS[finding.organ])
    shown = _shown(form, finding, words)
    return replace(
        shown, place=title, verdict="lesion", positions=places, position=finding.position or "", side=finding.side,
        moved=finding.moved,
    )  # fmt: skip


def _blank(organ: Organ, words: ConsoleWords) -> FindingView:
    """What the script copies where a reader adds a finding; BLANK in it becomes its key."""
    return _own(Fields(), InForm(BLANK, None, organ, None, "", None), (), words)


def _shown(form: Fields, finding: InForm, words: ConsoleWords) -> FindingView:
    """What the form shows of a finding of either kind."""
    return FindingView(
        key=finding.key,
        number=None,
        place="",
        size="",
        suggested="",
        organ=finding.organ,
        terms=tuple(_terms(form, finding, words)),
        schemes=tuple(
            (scheme, CATEGORIES[scheme], form.get(f"f.{finding.key}.c.{scheme}")) for scheme in SCHEMES[finding.organ]
        ),
        verdict="",
        mm=form.get(f"f.{finding.key}.mm"),
        frame_id=finding.frame_id,
    )


def _terms(form: Fields, finding: InForm, words: ConsoleWords) -> list[TermView]:
    found = []
    for term in DESCRIPTORS[finding.organ].values():
        if term.name in LEFT_OUT[finding.organ]:
            continue
        chosen = tuple(form.all(f"f.{finding.key}.w.{term.name}"))
        machines = finding.suggested.get(term.name)
        key = f"{finding.organ}.{term.name}"
        found.append(
            TermView(
                name=term.name,
                label=words.lexicon(key),
                words=tuple((each, words.lexicon(f"{key}.{each}")) for each in offered(term, machines)),
                suggested=machines,
                several=term.name == SEVERAL,
                first=term.name in FIRST_TERMS or bool(chosen),
                chosen=chosen,
            )
        )
    return found


def offered(term: Term, suggested: str | None) -> Sequence[str]:
    """The words of a term that a reader may choose: those that stand for several only where the machine said one."""
    own = [each for each in term.words if each not in term.covers and each != UNDETERMINABLE]
    vague = [suggested] if suggested is not None and suggested in term.covers else []
    return [*own, *vague, UNDETERMINED]


def _sides(form: Fields, report: ScreeningReport, own: Sequence[InForm], words: ConsoleWords) -> list[SideView]:
    found = []
    for organ, side in sides_shown(report, own):
        name = f"s.{side_key(organ, side)}"
        rows = [each for each in report.adequacy if (each.organ, each.laterality) == (organ, side)]
        chosen = form.all(f"{name}.block")
        found.append(
            SideView(
                key=side_key(organ, side),
                place=words.place(organ, side),
                levels=tuple(dict.fromkeys(f"{words.level(each.level)}" for each in rows)),
                schemes=tuple(
                    (scheme, CATEGORIES[scheme], form.get(f"{name}.c.{scheme}")) for scheme in SCHEMES[organ]
                ),
                blocks=tuple((each, words.sign(f"block_{each}"), each in chosen) for each in BLOCKS[organ]),
                action=form.get(f"{name}.action"),
                months=form.get(f"{name}.months"),
            )
        )
    return found
