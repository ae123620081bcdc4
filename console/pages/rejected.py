"""What stages could not use, by reason and one by one; an engineer has it sent again, or says why nobody does.

Nothing is sent from here: a decision is a record, and whoever may write where vans write acts on it.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import Field, her, moment, named, plain, yes
from sonovan.console.phrases import ConsoleWords
from sonovan.console.render import go, page
from sonovan.console.roles import OVERSIGHT, Role
from sonovan.console.tables import Cell, Shown, cell, csv_of
from sonovan.contracts.answers import DiscardReason, RejectedHandled
from sonovan.contracts.ids import mint_id
from sonovan.storage.audit import Act
from sonovan.storage.catalogue.operations import Rejected, Rows, rejections

if TYPE_CHECKING:
    from sonovan.console.world import Console

_DECIDES: Final = frozenset({Role.ENGINEER})
_STATES: Final = ("open", "asked", "sent", "not_sent", "discarded")
_EVERY: Final = "every"
_REASONS: Final = get_args(DiscardReason)
_LONGEST: Final = 64
_ID: Final = re.compile(r"[0-9a-f]{64}")


async def rejected(console: "Console", asked: Asked) -> Response:
    """By reason, and the newest records. Query: reason, van, state (open unless another is named, or `every`)."""
    wanted = _wanted(asked, asked.query.get("state") or "open", asked.query.get)
    counted, found = await asyncio.to_thread(_found, console, wanted)
    if asked.query.get("as") == "csv":
        return csv_of("rejected", *plain(found))
    words = console.words[asked.language]
    filters = {"reason": wanted.reason, "van": wanted.van_id, "state": wanted.state or _EVERY}
    address = urlencode({name: value for name, value in filters.items() if value})
    return page(
        console, asked, "rejected.html", hints=(words.say("rejected_hint"),),
        links=((words.say("table_csv"), f"/rejected?{address}&as=csv"),), filters=filters,
        fields=(
            Field("reason", wanted.reason or "", words.say("rejected_reason")),
            Field("van", wanted.van_id or "", words.say("filter_van")),
        ),
        states=(*_STATES, _EVERY), by_reason=_by_reason(counted, wanted.state or _EVERY, words),
        listed=_listed(found, words, asked), count=len(found), again=sum(row["may_help"] for row in found),
        reasons=_REASONS,
        decides=bool(wanted.reason) and wanted.state == "open" and bool(found) and asked.person.may(_DECIDES),
        done=asked.query.get("done") if asked.query.get("done").isdigit() else "",
    )  # fmt: skip


async def one(console: "Console", asked: Asked) -> Response:
    """One of them: what is known, what was decided, and by whom."""
    row = await asyncio.to_thread(_one, console, asked)
    words = console.words[asked.language]
    told = [(words.say(f"rejected_{name}"), text) for name, text in _facts(row, words, asked)]
    return page(
        console, asked, "rejection.html", row=row, facts=told, reasons=_REASONS, again=bool(row["may_help"]),
        decides=asked.person.may(_DECIDES), done=bool(asked.query.get("done")),
    )  # fmt: skip


async def retry(console: "Console", asked: Asked) -> Response:
    """Have one sent again."""
    await asyncio.to_thread(_decide_one, console, asked, "retry")
    return go(f"/rejected/{asked.path['rejection_id']}?done=1")


async def discard(console: "Console", asked: Asked) -> Response:
    """Say why nobody sends one again."""
    await asyncio.to_thread(_decide_one, console, asked, "discard")
    return go(f"/rejected/{asked.path['rejection_id']}?done=1")


async def retry_all(console: "Console", asked: Asked) -> Response:
    """Have all of a reason sent again that are open and that another try may help."""
    return await _all(console, asked, "retry")


async def discard_all(console: "Console", asked: Asked) -> Response:
    """Say of all of a reason that are open why nobody sends them again."""
    return await _all(console, asked, "discard")


async def _all(console: "Console", asked: Asked, decision: str) -> Response:
    wanted = _wanted(asked, "open", asked.form.get)
    if wanted.reason is None:
        raise Refused("filter", 400, name="reason")
    done = await asyncio.to_thread(_decide_all, console, asked, decision, wanted)
    back = {"reason": wanted.reason, "van": wanted.van_id, "done": str(done)}
    return go("/rejected?" + urlencode({name: value for name, value in back.items() if value}))


def _decide_one(console: "Console", asked: Asked, decision: str) -> None:
    row = _one(console, asked)
    if decision == "retry" and not row["may_help"]:
        raise Refused("no_retry", 409)
    made = _decision(asked, decision, row)
    about = {"rejection_id": made.rejection_id, "screening_id": made.screening_id, "because": made.because}
    console.audit.add(Act(f"rejected.{decision}", asked.person.code, datetime.now(UTC), about))
    console.send(made)


def _decide_all(console: "Console", asked: Asked, decision: str, wanted: Rejected) -> int:
    """How many were decided. What was published stays so where a later one cannot be; another try takes the rest."""
    _, found = _found(console, wanted)
    made = [_decision(asked, decision, row) for row in found if decision == "discard" or row["may_help"]]
    about = {
        "reason": wanted.reason, "van_id": wanted.van_id, "records": len(made), "because": _because(asked, decision)
    }  # fmt: skip
    console.audit.add(Act(f"rejected.{decision}_all", asked.person.code, datetime.now(UTC), about))
    for each in made:
        console.send(each)
    return len(made)


def _decision(asked: Asked, decision: str, row: Mapping[str, Any]) -> RejectedHandled:
    """Raises Refused for a reason that there is not, and `not_in_records` for a code that no record may hold."""
    because = _because(asked, decision)
    try:
        return RejectedHandled.model_validate(
            {
                "handling_id": mint_id(), "rejection_id": row["rejection_id"], "screening_id": row["screening_id"],
                "decision": decision, "because": because, "by": asked.person.code, "handled_at": datetime.now(UTC),
            }
        )  # fmt: skip
    except ValidationError:
        raise Refused("not_in_records", 409) from None


def _because(asked: Asked, decision: str) -> str | None:
    if decision == "retry":
        return None
    because = asked.form.get("because")
    if because not in _REASONS:
        raise Refused("no_reason", 400)
    return because


def _wanted(asked: Asked, state: str, told: Callable[[str], str]) -> Rejected:
    """What is asked for in this state. told: the text of a field, empty where there is none."""
    reason, van = told("reason") or None, told("van") or None
    for name, value in (("reason", reason), ("van", van)):
        if len(value or "") > _LONGEST:
            raise Refused("filter", 400, name=name)
    if state not in (*_STATES, _EVERY):
        raise Refused("filter", 400, name="state")
    return Rejected(asked.person.sites, None, reason, van, None if state == _EVERY else state)


def _found(console: "Console", wanted: Rejected) -> tuple[Rows, Rows]:
    with console.catalogue.reading() as connection:
        return rejections(connection, wanted)


def _one(console: "Console", asked: Asked) -> Mapping[str, Any]:
    rejection_id = asked.path["rejection_id"]
    found: Rows = ()
    if _ID.fullmatch(rejection_id):
        _, found = _found(console, Rejected(asked.person.sites, rejection_id))
    if not found:
        raise Refused("missing", 404)
    return found[0]


def _by_reason(counted: Rows, state: str, words: ConsoleWords) -> Shown:
    rows = tuple(
        (
            Cell(words.reason(row["reason"]), f"/rejected?{urlencode({'reason': row['reason'], 'state': state})}"),
            cell(row["stage"]), cell(row["records"]), cell(row["may_help"]), moment(row["newest_at"]),
        )
        for row in counted
    )  # fmt: skip
    columns = ("reason", "stage", "records", "may_help", "newest")
    return Shown(named("rejected", columns, words), rows)


def _listed(found: Rows, words: ConsoleWords, asked: Asked) -> Shown:
    rows = tuple(
        (
            Cell(str(row["rejection_id"])[:12], f"/rejected/{row['rejection_id']}"),
            *(text for name, text in _facts(row, words, asked) if name in _COLUMNS),
        )
        for row in found
    )
    return Shown(named("rejected", ("id", *_COLUMNS), words), rows)


_COLUMNS: Final = ("at", "stage", "reason", "van", "topic", "verified", "may_help", "kept", "screening", "state")


def _facts(row: Mapping[str, Any], words: ConsoleWords, asked: Asked) -> list[tuple[str, Cell]]:
    van = row["van_id"]
    return [
        ("at", moment(row["rejected_at"])), ("stage", cell(row["stage"])),
        ("reason", Cell(words.reason(row["reason"]))),
        ("van", Cell(van, f"/rejected?{urlencode({'van': van})}") if van else cell(None)),
        ("topic", cell(row["topic"])),
        ("verified", yes(row["verified"], words)), ("may_help", yes(bool(row["may_help"]), words)),
        ("kept", yes(row["kept"], words)), ("screening", her(row["screening_id"], asked)),
        ("state", Cell(words.say(f"rejected_state_{row['state']}"))),
        ("because", Cell(words.say(f"discard_{row['because']}") if row["because"] else "–")),
        ("by", cell(row["operator"])), ("handled_at", moment(row["handled_at"])),
        ("sent_at", moment(row["retried_at"])),
    ]  # fmt: skip


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/rejected", rejected, roles=OVERSIGHT, audited="rejected.seen", once=True, shown="rejected", key="r"),
    door("POST", "/rejected/retry", retry_all, roles=_DECIDES),
    door("POST", "/rejected/discard", discard_all, roles=_DECIDES),
    door("GET", "/rejected/{rejection_id}", one, roles=OVERSIGHT, audited="rejection.seen"),
    door("POST", "/rejected/{rejection_id}/retry", retry, roles=_DECIDES),
    door("POST", "/rejected/{rejection_id}/discard", discard, roles=_DECIDES),
)
