"""What the worklist's pages show: filters from an address, and a row as a person reads it. Nothing here asks a
database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, get_args
from urllib.parse import urlencode

from sonovan.console.asked import Asked, Fields, Refused
from sonovan.console.phrases import ConsoleWords
from sonovan.contracts.lexicon import Organ
from sonovan.storage.catalogue.queues import QUEUES, Policy, Queue, Row, queues_of
from sonovan.storage.catalogue.worklist import Filter
from sonovan.storage.console.claims import Claim

FILTERS: Final = ("site", "van", "organ", "day", "status")
STATUSES: Final = ("none", "preliminary", "incomplete", "complete")
FIRST: Final[Queue] = "suspicious"
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Usual:
    """What is known of vans while women are on their couches: how long a visit takes there (s), when it was heard."""

    visits_s: Mapping[str, float]
    heard_at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Note:
    """A short note on a row. kind: how it is coloured."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is shown. opened_ms, usual_s: for the script that lets the minutes go by; None off the couch."""

    screening_id: str
    slip: str | None
    van: str | None
    site: str | None
    opened: str | None
    organs: str
    status: str
    outlined: int | None
    notes: tuple[Note, ...]
    holder: str | None
    signer: str | None
    on_couch: bool
    couch: tuple[str, ...]
    opened_ms: int | None
    usual_s: int | None

    @property
    def short(self) -> str:
        """The end of the id, by which people tell two apart; it is random, where the beginning is a time."""
        return self.screening_id[-8:]


def queue_of(query: Fields) -> Queue:
    """The queue that an address names. Raises Refused `filter`."""
    named = query.get("queue", FIRST)
    for queue in QUEUES:
        if queue == named:
            return queue
    raise Refused("filter", 400, name="queue")


def filter_of(asked: Asked) -> Filter:
    """The filter that an address names, within the sites of who asks. Raises Refused `filter` for one that is none."""
    query = asked.query
    told = {name: query.get(name) or None for name in FILTERS}
    for name, allowed in (("organ", get_args(Organ)), ("status", STATUSES)):
        if told[name] is not None and told[name] not in allowed:
            raise Refused("filter", 400, name=name)
    for name in ("site", "van"):
        if len(told[name] or "") > _LONGEST:
            raise Refused("filter", 400, name=name)
    opened = None if told["day"] is None else _day(told["day"])
    return Filter(asked.person.sites, told["site"], told["van"], told["organ"], told["status"], opened)


def address_of(query: Fields, **other: str | None) -> str:
    """The worklist's address with these filters, and others in their place; None takes one out."""
    fields = {name: query.get(name) for name in ("queue", *FILTERS)} | other
    return "/worklist?" + urlencode({name: value for name, value in fields.items() if value})


def line_of(row: Row, claim: Claim | None, words: ConsoleWords, policy: Policy, now: datetime, usual: Usual) -> Line:
    """A row as a person reads it."""
    on_couch = "couch" in queues_of(row, policy, now)
    organs = [
        words.lexicon(f"organ.{organ}") for organ, there in (("breast", row.breast), ("thyroid", row.thyroid)) if there
    ]
    opened = row.opened_at
    visit = usual.visits_s.get(row.van_id or "") if on_couch else None
    return Line(
        screening_id=row.screening_id,
        slip=row.slip_number,
        van=row.van_id,
        site=row.site_code,
        opened=None if opened is None else f"{opened.astimezone():%Y-%m-%d %H:%M}",
        organs=words.text("comma").join(organs),
        status=words.say(f"status_{row.status or 'none'}"),
        outlined=row.findings,
        notes=tuple(_notes(row, words, now)),
        holder=None if claim is None else claim.account,
        signer=row.signed_by,
        on_couch=on_couch,
        couch=_couch(row, words, now, usual) if on_couch else (),
        opened_ms=round(opened.timestamp() * 1000) if on_couch and opened is not None else None,
        usual_s=None if visit is None else round(visit),
    )


def _notes(row: Row, words: ConsoleWords, now: datetime) -> list[Note]:
    left = None if row.left_at is None else row.left_at.astimezone()
    today = left is not None and left.date() == now.astimezone().date()
    newer = row.signed_revision_number is not None and (row.revision_number or 0) > row.signed_revision_number
    told = (
        (row.referred, "note_referred", "bad"),
        (row.to_arbitrate, "note_arbitrate", "bad"),
        (newer, "note_changed", "bad"),
        (row.unseen > 0, "note_unseen", "warn"),
        (row.silenced, "note_silenced", "warn"),
        (row.marked, "note_marked", "plain"),
        (today and row.signed_at is None, "note_left", "plain"),
    )
    time_left = "" if left is None else f"{left:%H:%M}"
    return [Note(words.say(name, count=row.unseen, time=time_left), kind) for there, name, kind in told if there]


def _couch(row: Row, words: ConsoleWords, now: datetime, usual: Usual) -> tuple[str, ...]:
    assert row.opened_at is not None
    there = max(timedelta(), now - row.opened_at)
    told = [words.say("couch_for", minutes=round(there.total_seconds() // 60))]
    if row.stays:
        told.append(words.say("couch_stays"))
    visit, heard = usual.visits_s.get(row.van_id or ""), usual.heard_at.get(row.van_id or "")
    if visit is None:
        told.append(words.say("couch_unknown"))
    elif (left := visit - there.total_seconds()) > 0:
        told.append(words.say("couch_leaves", minutes=-(-round(left) // 60)))
    else:
        told.append(words.say("couch_over"))
    ago = None if heard is None else max(0, round((now - heard).total_seconds() // 60))
    told.append(words.say("couch_unheard") if ago is None else words.say("couch_heard", minutes=ago))
    return tuple(told)


def _day(told: str | None) -> tuple[datetime, datetime]:
    """From the beginning of a day to that of the next, by the clock on the console's wall."""
    try:
        day = date.fromisoformat(told or "")
        begins, ends = (datetime.combine(each, time()).astimezone() for each in (day, day + timedelta(days=1)))
    except (ValueError, OverflowError):
        raise Refused("filter", 400, name="day") from None
    return begins, ends
