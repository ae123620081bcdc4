"""Signing one screening: what there is to sign, what a draft comes to, and the record that is published."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from sonovan.clinical.contradictions import contradictions
from sonovan.clinical.reading import ReadingRules
from sonovan.clinical.rules import RULES_VERSION
from sonovan.clinical.turn import Turn, turn_of
from sonovan.console.asked import Asked, Refused
from sonovan.console.comparing import Compared, compared
from sonovan.console.drafts import Draft, draft_of
from sonovan.console.phrases import ConsoleWords
from sonovan.console.roles import Person
from sonovan.console.stored_reports import report_of
from sonovan.contracts.comparisons import Comparison
from sonovan.contracts.conclusions import AmendedBecause, Contradicts, FindingRead, ScreeningConcluded, SweepLookedAt
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import ScreeningAssessed
from sonovan.reports.document import ScreeningReport
from sonovan.storage.catalogue.cine import Cine, Sweep
from sonovan.storage.catalogue.concluded import Reported, conclusions_of, newest_number, reported
from sonovan.storage.console.read import Read, joined, seen_of

if TYPE_CHECKING:
    from sonovan.console.world import Console


@dataclass(frozen=True, slots=True)
class ToSign:
    """One screening as somebody may sign it now.

    revision, report: the newest revision with a report; None where there is none yet. newest: the number of the newest
    revision, which may be preliminary. sweeps: her pictures. looked_at: what this reader was shown of each sweep.
    comparison: with her earlier screening, None where there is none that this reader may see. earlier_unreadable: there
    is one, but its report cannot be read.
    """

    screening_id: str
    turn: Turn
    conclusions: tuple[ScreeningConcluded, ...]
    revisions: tuple[Reported, ...]
    revision: Reported | None
    report: ScreeningReport | None
    newest: int | None
    sweeps: tuple[Sweep, ...]
    looked_at: tuple[SweepLookedAt, ...]
    rules: ReadingRules
    comparison: Comparison | None = None
    earlier_unreadable: bool = False

    @property
    def assessed(self) -> ScreeningAssessed:
        """The report as the revision that rules read. Raises ValueError where there is no report."""
        if self.report is None:
            raise ValueError("there is no report")
        return assessed_of(self.report)


def rules_of(console: "Console") -> ReadingRules:
    """What the programme chose of how readings lead on."""
    chosen = console.settings
    return ReadingRules(
        bi_rads_0=chosen.bi_rads_0,
        bi_rads_3=chosen.bi_rads_3,
        second_reader=chosen.second_reader,
        arbitration=chosen.arbitration,
    )


def to_sign(console: "Console", person: Person, cine: Cine) -> ToSign:
    """What `person` may sign of the screening whose pictures these are."""
    reader = person.code
    with console.catalogue.reading() as connection:
        revisions = reported(connection, cine.screening_id)
        conclusions = conclusions_of(connection, cine.screening_id)
        newest = newest_number(connection, cine.screening_id)
    revision = revisions[0] if revisions else None
    rules = rules_of(console)
    report = None if revision is None else report_of(console, revision)
    earlier = Compared() if report is None else compared(console, cine.screening_id, report, person)
    return ToSign(
        screening_id=cine.screening_id,
        turn=turn_of(conclusions, reader, rules),
        conclusions=tuple(conclusions),
        revisions=tuple(revisions),
        revision=revision,
        report=report,
        newest=newest,
        sweeps=cine.sweeps,
        looked_at=looked_at(console, reader, cine),
        rules=rules,
        comparison=earlier.comparison,
        earlier_unreadable=earlier.unreadable,
    )


def looked_at(console: "Console", reader: str, cine: Cine) -> tuple[SweepLookedAt, ...]:
    """How much of each sweep this reader was shown."""
    known = Read(console.database).looked(reader, cine.screening_id)
    found = []
    for sweep in cine.sweeps:
        indices = [frame.frame_index for frame in sweep.frames]
        seen = seen_of(indices, joined(known.get(sweep.sequence_id, [])))
        found.append(SweepLookedAt(sequence_id=sweep.sequence_id, frames=len(indices), frames_seen=seen))
    return tuple(found)


def assessed_of(report: ScreeningReport) -> ScreeningAssessed:
    """A report as the revision of which it was made, without what it withholds."""
    names = ScreeningAssessed.model_fields.keys() & ScreeningReport.model_fields.keys()
    return ScreeningAssessed.model_validate({name: getattr(report, name) for name in names})


def conclusion_of(
    console: "Console", asked: Asked, signing: ToSign, draft: Draft, claim_id: str | None = None
) -> ScreeningConcluded:
    """The record that would be published. Raises Refused where nothing may be signed, or something still lacks."""
    turn, revision = signing.turn, signing.revision
    if turn.role is None or revision is None or signing.report is None:
        raise Refused("nothing_to_sign", 409)
    because = asked.form.get("because") or None
    if turn.amends is not None and because is None:
        raise Refused("say_why_amended", 422)
    if draft.lacking or not draft.sides:
        raise Refused("still_to_choose", 422)
    now = datetime.fromtimestamp(console.clock() / 1000, UTC)
    number = max((each.conclusion_number for each in signing.conclusions), default=0) + 1
    try:
        made = ScreeningConcluded(
            conclusion_id=asked.form.get("conclusion_id") or mint_id(console.clock()),
            screening_id=signing.screening_id,
            van_id=revision.van_id,
            conclusion_number=number,
            role=turn.role,
            amends=None if turn.amends is None else turn.amends.conclusion_id,
            because=cast("AmendedBecause | None", because if turn.amends is not None else None),
            revision_id=revision.revision_id,
            revision_number=revision.revision_number,
            rules_version=RULES_VERSION,
            sides=draft.sides,
            findings=findings_of(draft),
            looked_at=signing.looked_at[:1000],
            comparison=signing.comparison,
            claim=claim_id,
            by=asked.person.code,
            opened_at=_opened(asked, now),
            signed_at=now,
        )
    except ValidationError:
        raise Refused("unreadable", 400) from None
    return made.model_copy(update={"despite": contradictions(made, signing.assessed, signing.rules)})


def content_of(made: ScreeningConcluded) -> str:
    """Names what a conclusion says, and of what: all but when and under which claim it was signed, how much had been
    looked at, and its number."""
    said = {"revision_id", "role", "amends", "because", "sides", "findings", "comparison"}
    return hashlib.sha256(made.model_dump_json(include=said).encode()).hexdigest()[:32]


def is_signed(console: "Console", asked: Asked, signing: ToSign, stored: ScreeningConcluded) -> bool:
    """Whether a form says what its conclusion says that the catalogue has already. Raises Refused `unreadable`."""
    read = next((each for each in signing.revisions if each.revision_id == stored.revision_id), None)
    report = None if read is None else report_of(console, read)
    if report is None or asked.form.get("revision_id") != stored.revision_id or stored.by != asked.person.code:
        return False
    draft = draft_of(asked.form, report, signing.sweeps)
    because = None if stored.amends is None else asked.form.get("because") or None
    said = (draft.sides, findings_of(draft), because)
    return said == (stored.sides, stored.findings, stored.because)


def findings_of(draft: Draft) -> tuple[FindingRead, ...]:
    """The findings of a draft that are signed with it."""
    return tuple(each for each in draft.findings if _on_a_side(each, draft))


def _on_a_side(finding: FindingRead, draft: Draft) -> bool:
    """A finding of a side that is not concluded counts as not judged."""
    return any((each.organ, each.laterality) == (finding.organ, finding.laterality) for each in draft.sides)


def _opened(asked: Asked, now: datetime) -> datetime | None:
    told = asked.form.get("opened_at")
    if not told.isdecimal() or len(told) > 14:
        return None
    return min(datetime.fromtimestamp(int(told) / 1000, UTC), now)


def digest_of(despite: Sequence[Contradicts]) -> str:
    """Names a list of contradictions, so that whoever signs despite them has seen these ones."""
    text = "\n".join(each.model_dump_json() for each in despite)
    return hashlib.sha256(text.encode()).hexdigest()[:32] if despite else ""


def changed_since(before: ScreeningReport | None, now: ScreeningReport, words: ConsoleWords) -> list[str]:
    """What a newer revision has that the one that was read had not, a line for each thing."""
    if before is None:
        return []
    told = []
    was = {each.finding_id: each for each in before.findings}
    for number, finding in enumerate(now.findings, start=1):
        place = words.text("about_number", about=words.place(finding.organ, finding.laterality), number=number)
        old = was.pop(finding.finding_id, None)
        if old is None:
            told.append(words.say("signing_new_finding", finding=place))
        elif words.diameters(old.best) != words.diameters(finding.best) or old.laterality != finding.laterality:
            told.append(words.say("signing_other_finding", finding=place))
    told += [words.say("signing_gone_finding", place=words.place(each.organ, each.laterality)) for each in was.values()]
    levels: Mapping[object, str] = {(each.organ, each.laterality, each.region): each.level for each in before.adequacy}
    for row in now.adequacy:
        if levels.get((row.organ, row.laterality, row.region)) != row.level:
            place = words.place(row.organ, row.laterality, row.region)
            told.append(words.say("signing_other_level", place=place, level=words.level(row.level)))
    if now.amendments != before.amendments:
        told.append(words.say("signing_amended"))
    if now.frames != before.frames:
        told.append(words.say("signing_other_frames", before=before.frames, now=now.frames))
    return told
