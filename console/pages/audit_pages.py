"""Who did what: the audit, searched by person, act, screening and day."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import Field, figures_page
from sonovan.console.roles import Role
from sonovan.console.tables import Cell, Shown, cell, csv_of

if TYPE_CHECKING:
    from sonovan.console.world import Console

MOST: Final = 500
_FILTERS: Final = ("by", "what", "screening", "day")
_LONGEST: Final = 64


async def audit(console: "Console", asked: Asked) -> Response:
    """The newest acts. Query: by (a code), what (the beginning of an act), screening, day (UTC)."""
    wanted = {name: asked.query.get(name) for name in _FILTERS}
    for name, value in wanted.items():
        if len(value) > _LONGEST:
            raise Refused("filter", 400, name=name)
    found, more, verdict = await asyncio.to_thread(_found, console, wanted)
    columns = ("number", "at", "by", "what", "about", "why")
    if asked.query.get("as") == "csv":
        return csv_of("audit", columns, [[_value(each, name) for name in columns] for each in found])
    words = console.words[asked.language]
    rows = tuple(
        (
            cell(each["number"]), Cell(str(each["at"])[:19].replace("T", " ")),
            Cell(each["by"], f"/audit?by={each['by']}" if _plain(each["by"]) else None), Cell(each["what"]),
            Cell(_value(each, "about")), Cell(_value(each, "why") or "–"),
        )
        for each in found
    )  # fmt: skip
    holds = words.say("audit_holds", lines=verdict.lines) if verdict.broken is None else words.say("audit_broken")
    hints = (words.say("audit_hint"), holds, *([words.say("table_cut", count=MOST)] if more else []))
    return figures_page(
        console, asked, words.say("audit_title"),
        (("", Shown(tuple(words.say(f"audit_{each}") for each in columns), rows)),), hints=hints,
        fields=[
            Field(name, value, words.say(f"audit_{name}"), "date" if name == "day" else "text")
            for name, value in wanted.items()
        ],
        links=((words.say("table_csv"), "/audit?as=csv"),),
    )  # fmt: skip


def _found(console: "Console", wanted: dict[str, str]) -> tuple[list[dict[str, Any]], bool, Any]:
    """The newest acts that fit, the newest first; whether there are more; and whether the chain holds."""
    kept: deque[dict[str, Any]] = deque(maxlen=MOST + 1)
    for each in console.audit.acts():
        about = each["about"]
        fits = (
            wanted["by"] in ("", each["by"]),
            each["what"].startswith(wanted["what"]),
            wanted["screening"] in ("", about.get("screening_id"), about.get("screening")),
            each["at"].startswith(wanted["day"]),
        )
        if all(fits):
            kept.append(each)
    found = list(reversed(kept))
    return found[:MOST], len(found) > MOST, console.audit.verify()


def _value(act: dict[str, Any], name: str) -> str:
    value = act[name]
    if isinstance(value, dict):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    return "" if value is None else str(value)


def _plain(code: str) -> bool:
    return code.replace("-", "").replace("_", "").replace(".", "").isalnum()


DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/audit", audit, roles={Role.AUDITOR}, audited="audit.searched", shown="audit", key="u"),
)
