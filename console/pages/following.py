"""What follows a reading: alerts to see to, women to be called back, outcomes, and yesterday's women."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import ValidationError
from starlette.responses import Response

from sonovan.clinical.alert_rules import ALWAYS_SHOWN
from sonovan.console.asked import Asked, Refused
from sonovan.console.doors import Door, door
from sonovan.console.figures import span_of
from sonovan.console.phrases import ConsoleWords
from sonovan.console.render import go, page
from sonovan.console.roles import CLINICAL, Role
from sonovan.contracts.alerts import CLOSED_BECAUSE, SEVERITIES, AlertAcknowledged, AlertHandled
from sonovan.contracts.because import Because
from sonovan.contracts.conclusions import ACTIONS
from sonovan.contracts.errors import Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import Organ, sides_of
from sonovan.contracts.outcomes import (
    CONTACTS,
    EXAMINED,
    Bethesda,
    BiRads,
    OutcomeAmended,
    OutcomeKind,
    OutcomeRecorded,
    OutcomeResult,
)
from sonovan.contracts.record import Record
from sonovan.reports.phrases import PHRASES
from sonovan.storage.catalogue.concluded import (
    alert_of,
    alerts_now,
    day_of_vans,
    outcomes_of,
    place_of,
    to_call_back,
)
from sonovan.storage.console.accounts import Account

if TYPE_CHECKING:
    from sonovan.console.world import Console

CALLERS: Final = CLINICAL | {Role.OPERATOR}
"""Who sees to alerts and calls women back."""
LATER: Final = (*EXAMINED, "interval_cancer", "lost_to_follow_up")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ID: Final = re.compile(r"[0-9a-f]{64}")


async def alerts(console: "Console", asked: Asked) -> Response:
    """Alerts that stand, the most urgent first; with `?closed=1` those that were closed."""
    closed = asked.query.get("closed") == "1"

    def found() -> list[dict[str, Any]]:
        with console.catalogue.reading() as connection:
            return alerts_now(connection, _sites(asked), closed=closed)

    words = console.words[asked.language]
    rows = [_alert(each, words, console) for each in await asyncio.to_thread(found)]
    rows.sort(key=lambda row: -SEVERITIES.index(row["severity"]))
    reasons = [(each, words.sign(f"closed_{each}")) for each in CLOSED_BECAUSE]
    return page(console, asked, "alerts.html", rows=rows, closed=closed, reasons=reasons, done=asked.query.get("done"))


async def answer(console: "Console", asked: Asked) -> Response:
    """Acknowledge an alert, hand it over, or close it with what came of it; then back to the list."""
    return await asyncio.to_thread(_answer, console, asked)


def _answer(console: "Console", asked: Asked) -> Response:
    alert_id = asked.path["alert_id"]
    if not _ID.fullmatch(alert_id):
        raise Refused("missing", 404)
    with console.catalogue.reading() as connection:
        row = alert_of(connection, alert_id, _sites(asked))
    if row is None:
        raise Refused("missing", 404)
    if asked.form.get("raised_in") != row["raised_in"]:
        raise Refused("alert_raised_again", 409)
    of = {"alert_id": alert_id, "screening_id": row["screening_id"], "raised_in": row["raised_in"]}
    by, at = asked.person.code, datetime.fromtimestamp(console.clock() / 1000, UTC)
    step = asked.form.get("step")
    try:
        record: Record
        if step == "acknowledge":
            record = AlertAcknowledged(**of, by=by)
        elif step == "hand_over":
            to = asked.form.get("to")
            _check_takes_over(console.accounts.get(to), to, row["site_code"])
            record = AlertHandled.model_validate(
                {**of, "step": {"kind": "handed_over", "to": to}, "by": by, "handled_at": at}
            )
        elif step == "close":
            because = asked.form.get("because")
            record = AlertHandled.model_validate(
                {**of, "step": {"kind": "closed", "because": because}, "by": by, "handled_at": at}
            )
        else:
            raise Refused("unreadable", 400)
    except ValidationError:
        raise Refused("unreadable", 400) from None
    console.send(record)
    return go(f"/alerts?done={alert_id[:16]}")


def _check_takes_over(account: Account | None, code: str, site: str | None) -> None:
    """Whether whoever an alert is handed to can see to it: handing over answers it, so that nobody else is called.

    account: of this code; None where there is none. site: of the alert's screening; None where none is known, which
    who sees every site alone sees. Raises Refused with what is in the way.
    """
    if account is None:
        raise Refused("nobody_of_that_code", 422)
    if account.disabled_at is not None:
        raise Refused("takes_no_alert_disabled", 422, account=code)
    if not account.roles & CALLERS:
        raise Refused("takes_no_alert_role", 422, account=code)
    if account.sites is not None and site not in account.sites:
        raise Refused("takes_no_alert_site", 422, account=code)


async def call_back(console: "Console", asked: Asked) -> Response:
    """Who is asked to come and has not come yet."""

    def found() -> list[dict[str, Any]]:
        with console.catalogue.reading() as connection:
            return to_call_back(connection, _sites(asked))

    rows = await asyncio.to_thread(found)
    today = _today(console)
    for row in rows:
        row["action"] = max((side["action"] for side in row["sides"]), key=ACTIONS.index, default=row["action"])
        row["days"] = (today - _local_day(row["signed_at"])).days
        row["missed"] = _missed(row["appointment_on"], row["attended_on"], today)
    rows.sort(key=lambda row: (-ACTIONS.index(row["action"]), str(row["signed_at"])))
    return page(console, asked, "call_back.html", rows=rows)


async def outcomes(console: "Console", asked: Asked) -> Response:
    """What became of one woman, and a form for more."""
    return await asyncio.to_thread(_outcomes, console, asked, "", 200)


def _outcomes(console: "Console", asked: Asked, error: str, status: int) -> Response:
    words = console.words[asked.language]
    with console.catalogue.reading() as connection:
        known = outcomes_of(connection, asked.path["screening_id"])
        place = place_of(connection, asked.path["screening_id"])
    today = _today(console)
    given = asked.form.get("outcome_id")
    return page(
        console,
        asked,
        "outcomes.html",
        status,
        screening_id=asked.path["screening_id"],
        place=place,
        outcomes=[(each, words.outcome(each)) for each in known],
        error=error,
        today=today.isoformat(),
        outcome_id=given or mint_id(console.clock()),
        contacts=[(each, words.sign(f"outcome_{each}")) for each in CONTACTS],
        later=[(each, words.sign(f"outcome_{each}")) for each in LATER],
        results=[(each, words.sign(f"result_{each}")) for each in get_args(OutcomeResult)],
        replaced=[(each, words.sign(f"replaced_{each}")) for each in get_args(OutcomeAmended)],
        bi_rads=get_args(BiRads),
        bethesda=get_args(Bethesda),
        sides=[(f"{organ}.{side}", words.place(organ, side)) for organ in get_args(Organ) for side in sides_of(organ)],
        done=asked.query.get("done") == "1",
    )


async def record_outcome(console: "Console", asked: Asked) -> Response:
    """Publish one outcome; what does not fit together is said, and the form keeps what was chosen."""
    return await asyncio.to_thread(_record_outcome, console, asked)


def _record_outcome(console: "Console", asked: Asked) -> Response:
    words, form = console.words[asked.language], asked.form
    organ, _, side = form.get("side").partition(".")
    try:
        if form.get("kind") not in {*_kinds()} or not _DAY.fullmatch(form.get("happened_on")):
            raise ValueError
        made = OutcomeRecorded.model_validate(
            {
                "outcome_id": form.get("outcome_id") or mint_id(console.clock()),
                "screening_id": asked.path["screening_id"],
                "kind": form.get("kind"),
                "happened_on": form.get("happened_on"),
                "organ": organ or None,
                "laterality": side or None,
                "result": form.get("result") or None,
                "bi_rads": form.get("bi_rads") or None,
                "bethesda": form.get("bethesda") or None,
                "amends": form.get("amends") or None,
                "because": form.get("because") or None,
                "by": asked.person.code,
                "recorded_at": console.now,
            }
        )
        if made.kind != "appointment_made" and made.happened_on > _today(console):
            told = words.say("outcome_still_to_come", day=words.day(made.happened_on))
            return _outcomes(console, asked, told, 422)
        console.send(made)
    except (ValidationError, ValueError):
        return _outcomes(console, asked, words.say("outcome_does_not_fit"), 422)
    except Transient as error:
        console.tell(f"an outcome was not sent: {error}")
        return _outcomes(console, asked, words.say("outcome_not_sent"), 503)
    return go(f"/outcomes/{asked.path['screening_id']}?done=1")


async def yesterday(console: "Console", asked: Asked) -> Response:
    """What became of the women whom vans screened on a day, yesterday's where none is named, by the clock on the
    console's wall.

    Who is an operator alone sees those whom she scanned herself, and those of whom nobody said who scanned.
    """
    today = _today(console)
    wanted = asked.query.get("day")
    try:
        day = date.fromisoformat(wanted) if _DAY.fullmatch(wanted) else today - timedelta(days=1)
        begins, ends = span_of(day, day)
    except (ValueError, Refused):
        day = today - timedelta(days=1)
        begins, ends = span_of(day, day)

    def found() -> list[dict[str, Any]]:
        with console.catalogue.reading() as connection:
            return day_of_vans(connection, begins, ends, _sites(asked))

    own = not asked.person.may(CLINICAL)
    rows = [
        row for row in await asyncio.to_thread(found)
        if not own or not row["operators"] or asked.person.code in row["operators"]
    ]  # fmt: skip
    counts = {
        "screened": len(rows),
        "signed": sum(row["signed_at"] is not None for row in rows),
        "called": sum(bool(row["calls_back"]) for row in rows),
        "again": sum(row["action"] == "scan_again" for row in rows),
    }
    return page(console, asked, "yesterday.html", rows=rows, day=day, counts=counts, today=today, own=own)


def _today(console: "Console") -> date:
    """Today by the clock on the console's wall, as the worklist and the statistics have it."""
    return console.now.astimezone().date()


def _local_day(told: object) -> date:
    """The day, by the clock on the console's wall, of a time as the catalogue gives it (text in SQLite)."""
    at = told if isinstance(told, datetime) else datetime.fromisoformat(str(told).replace("Z", "+00:00"))
    return at.astimezone().date()


def _missed(appointment_on: object, attended_on: object, today: date) -> bool:
    """Whether the day of her last appointment is over, and nobody recorded that she was there then or later."""
    if appointment_on is None:
        return False
    day = str(appointment_on)
    return date.fromisoformat(day) < today and (attended_on is None or str(attended_on) < day)


def _kinds() -> tuple[str, ...]:
    return tuple(kind for part in get_args(OutcomeKind) for kind in (get_args(part) or (part,)))


def _sites(asked: Asked) -> list[str] | None:
    return None if asked.person.sites is None else sorted(asked.person.sites)


def _alert(row: dict[str, Any], words: ConsoleWords, console: "Console") -> dict[str, Any]:
    """An alert as the list shows it; reasons that tell of a category only where categories are shown."""
    about, phrases = row["about"], PHRASES[words.language]
    reasons = [Because.model_validate(each) for each in row["because"]]
    shown = [each for each in reasons if console.shows_categories or each.code in ALWAYS_SHOWN]
    organ = about.get("organ")
    place = words.place(organ, about.get("laterality")) if organ else words.text("about_screening")
    if about["kind"] == "van":
        place = words.text("about_van", van_id=about["van_id"])
    closed = row["closed_because"]
    return {
        **row,
        "place": place,
        "why": words.all_because(shown) or words.text("withheld_reasons"),
        "severity_words": phrases.severity[row["severity"]],
        "state_words": phrases.alert_state[row["state"]],
        "closed_words": "" if closed is None else words.sign(f"closed_{closed}"),
        "by": row["acknowledged_by"] or row["answered_by"] or "",
    }


_HERS: Final = "/outcomes/{screening_id}"

DOORS: Final[tuple[Door, ...]] = (
    door("GET", "/alerts", alerts, roles=CALLERS, audited="alerts.seen", shown="alerts", key="e"),
    door("POST", "/alerts/{alert_id}", answer, roles=CALLERS, audited="alert.answered"),
    door("GET", "/call-back", call_back, roles=CALLERS, audited="call_back.seen", shown="call_back", key="c"),
    door("GET", _HERS, outcomes, roles=CALLERS, audited="outcomes.seen"),
    door("POST", _HERS, record_outcome, roles=CALLERS, audited="outcome.recorded"),
    door("GET", "/yesterday", yesterday, roles=CALLERS, audited="yesterday.seen", shown="yesterday", key="y"),
)
