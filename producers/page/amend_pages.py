"""Amend: what turned out to be wrong is put right by a record with a reason, in two clicks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.amendments import REASONS_OF, Amendment, AmendmentKind, Purpose
from sonovan.contracts.lexicon import Side
from sonovan.contracts.topics import Topic
from sonovan.producers.amend import spool_amendment
from sonovan.producers.page.asked import Answer, Asked, Form, Refused, go
from sonovan.producers.page.register_form import typed_slip
from sonovan.producers.page.render import rendered
from sonovan.producers.spool import Sweep

if TYPE_CHECKING:
    from sonovan.producers.page.page import Page

KINDS: Final[tuple[AmendmentKind, ...]] = tuple(each for each in get_args(AmendmentKind) if each != "seen")
"""What this page puts right; a mark is made while she is scanned."""
_AMENDMENT: Final[TypeAdapter[Amendment]] = TypeAdapter(Amendment)


@dataclass(frozen=True, slots=True)
class Line:
    """A screening as the list shows it. slip: None where it is not in the register."""

    screening_id: str
    slip: str | None
    frames: int
    unfinished: bool


def choose(page: "Page", asked: Asked) -> Answer:
    """The screenings on this van, the newest one first."""
    slips = {each.screening_id: each.slip for each in page.desk.register.expected()}
    lines = [
        Line(each.screening_id, slips.get(each.screening_id), each.frames, each.unfinished)
        for each in reversed(page.spool.screenings())
    ]
    return rendered("amend_choose.html", page.words[asked.language], asked, lines=lines)


def form(page: "Page", asked: Asked) -> Answer:
    """What may be amended of a screening, each with its reasons as buttons: the first click."""
    return _form(page, asked, "amend.html")


def amend(page: "Page", asked: Asked) -> Answer:
    """With `sure` the second click: put the amendment. Without it: say what would be put, and ask."""
    screening_id, kind, because = asked.params["screening"], asked.form.get("kind"), asked.form.get("because")
    _known(page, screening_id)
    sweeps = page.spool.sweeps(screening_id)
    amendment = amendment_of(page, asked.form, sweeps)
    if _plans_both(page, screening_id, amendment, sweeps):
        raise Refused("plan_has_that_side")
    if because not in REASONS_OF[amendment.kind]:
        raise Refused("reason_missing")
    if asked.form.get("sure") != "yes":
        fields = [each for each in asked.form.fields if each[0] != "sure"]
        return _form(page, asked, "amend_sure.html", kind=kind, because=because, fields=fields)
    spool_amendment(page.spool, page.signer, screening_id, amendment, because, by=asked.operator)
    return go(f"/amend/{screening_id}")


def amendment_of(page: "Page", fields: Form, sweeps: Sequence[Sweep]) -> Amendment:
    """The amendment that a form describes. sweeps: those of the screening. Raises Refused."""
    kind = fields.get("kind")
    made: dict[str, Any] = {"kind": kind}
    if kind == "side":
        named = [each.sequence_id for each in sweeps if fields.has("of", f"{each.organ}.{each.side or ''}")]
        named += [each.sequence_id for each in sweeps if fields.has("sequence", each.sequence_id)]
        made |= {"sequence_ids": tuple(dict.fromkeys(named)), "laterality": fields.get("to")}
        made |= {"planned_too": fields.get("plan_too") == "yes"}
    elif kind == "woman":
        entry = page.desk.register.by_slip(typed_slip(fields.get("slip")))
        if entry is None:
            raise Refused("nobody_expected")
        made |= {"subject_key": entry.visit.subject_key, "slip_number": entry.slip}
    elif kind == "consent":
        made |= {"withdrawn": fields.all("withdrawn")}
    elif kind == "taken_back":
        made |= {"amendment_number": fields.get("number")}
    try:
        return _AMENDMENT.validate_python(made)
    except ValidationError:
        raise Refused("amendment_incomplete") from None


def _plans_both(page: "Page", screening_id: str, amendment: Amendment, sweeps: Sequence[Sweep]) -> bool:
    """Whether an amendment exchanges the checklist's side for one that the checklist has as well: that side would be
    said twice, and nobody would be told that the other one was not scanned.
    """
    entry = page.desk.register.of_screening(screening_id)
    if amendment.kind != "side" or not amendment.planned_too or entry is None:
        return False
    organs = {each.organ for each in sweeps if each.sequence_id in amendment.sequence_ids}
    return any(each.organ in organs and each.side == amendment.laterality for each in entry.visit.planned or ())


def _form(page: "Page", asked: Asked, template: str, **more: Any) -> Answer:
    screening_id = asked.params["screening"]
    made = _known(page, screening_id)
    entry, sweeps = page.desk.register.of_screening(screening_id), page.spool.sweeps(screening_id)
    by_side = Counter((each.organ, each.side) for each in sweeps)
    others = [each for each in page.desk.register.expected() if each.screening_id != screening_id]
    return rendered(
        template, page.words[asked.language], asked, screening_id=screening_id, entry=entry, others=others, made=made,
        sweeps=sweeps, by_side=list(by_side.items()), kinds=KINDS, reasons=REASONS_OF, purposes=get_args(Purpose),
        sides=get_args(Side), **more,
    )  # fmt: skip


def _known(page: "Page", screening_id: str) -> int:
    """How many amendments a screening has. Raises Refused `unknown` where this van never had it."""
    made = page.spool.newest(screening_id, Topic.SCREENING_AMENDED)
    if made is None:
        raise Refused("unknown")
    return made
