"""`sonovan alerts`: what stands, who answers, and what a file of rules would do."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption, format_table

if TYPE_CHECKING:
    from sonovan.contracts.alerts import AlertAcknowledged, LesionAlerted
    from sonovan.contracts.results import IntendedUse
    from sonovan.stream_apps.alert.course import Concerns
    from sonovan.stream_apps.alert.rule_file import RuleFile
    from sonovan.stream_apps.alert.trial import Trial

app = typer.Typer(help="Alerts: who is told, and who answers.", no_args_is_help=True, rich_markup_mode=None)

SEND_WITHIN_S: Final = 30.0
KNOWN_WITHIN_S: Final = 5.0
"""Whoever is told by webhook may answer before the alert stands on its topic: each is told on its own."""

LOOK_EVERY_S: Final = 0.5


@app.command("list")
def list_alerts(
    every: Annotated[bool, typer.Option("--all", help="Those that are answered or withdrawn, too.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the alerts that nobody has answered, the most urgent first."""
    from sonovan.contracts.alerts import SEVERITIES
    from sonovan.reports.alerts import SHOWN, alert_words

    alerts = [each for each in newest(_alerts(state)) if every or _waits(each)]
    alerts.sort(key=lambda each: (-SEVERITIES.index(each.severity), each.as_of))
    if as_json:
        sys.stdout.write(json.dumps([json.loads(each.encode()) for each in alerts], indent=1) + "\n")
        return
    rows: list[dict[str, object]] = [
        {
            "alert": each.alert_id[:SHOWN],
            "severity": each.severity,
            "state": each.state,
            "about": alert_words(each, "en")["about"],
            "rule": each.rule,
            "screening": each.screening_id,
            "as_of": each.as_of.isoformat(timespec="seconds"),
            "answered_by": each.acknowledged_by,
        }
        for each in alerts
    ]
    sys.stdout.write(format_table(rows) if rows else "no alert waits for an answer\n")


@app.command()
def ack(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="An alert's id, or its beginning.")],
    by: Annotated[str, typer.Option("--by", help="Your code at this site: no name, no spaces.")],
    state: StateOption = None,
) -> None:
    """Say that you see to an alert: nobody else is called for it."""
    from sonovan.contracts.topics import Topic
    from sonovan.reports.alerts import alert_words
    from sonovan.transport.producer import BoundedProducer

    alert = find(_alerts_with(state, alert_id), alert_id)
    answered = answer_to(alert, by)
    with BoundedProducer(kafka_settings(state, "operator")) as producer:
        sent = producer.send(Topic.ALERT_ACKNOWLEDGED, alert.screening_id.encode(), answered.encode())
        sent.result(SEND_WITHIN_S)
    words = alert_words(alert, "en")
    sys.stdout.write(f"{by} sees to it: {words['about']}, {words['severity']}; nobody else is called\n")


@app.command("test")
def try_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rules, as docs/alerts.md describes them.")],
    screening: Annotated[str | None, typer.Option(help="A screening's id: what they would do with it.")] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int | None:
    """Check a file of rules, and show whom it would call for a screening, when and why. Nobody is told."""
    from sonovan.contracts.errors import Fatal, InvalidRecord
    from sonovan.contracts.results import ScreeningAssessed
    from sonovan.contracts.settings import read_settings
    from sonovan.settings import FaceSettings
    from sonovan.stream_apps.alert.recipients import ladder_of
    from sonovan.stream_apps.alert.rule_file import read_rule_file
    from sonovan.stream_apps.alert.settings import AlertSettings
    from sonovan.stream_apps.alert.trial import Trial, try_course, try_rules

    try:
        rules = read_rule_file(file)
    except Fatal as error:
        sys.stderr.write(f"{error}\n")
        return Exit.USAGE
    if screening is None:
        document = json.dumps(json.loads(rules.model_dump_json(by_alias=True)), indent=1) + "\n"
        sys.stdout.write(document if as_json else "\n".join(told_of_file(rules)) + "\n")
        return None
    records = _course(state, screening)
    revisions = [each for _, each in records if isinstance(each, ScreeningAssessed)]
    if not revisions:
        raise InvalidRecord("record_invalid", f"no revision of screening {screening} stands on the topic")
    ladder = ladder_of(read_settings(AlertSettings), rules)
    trial = try_rules(revisions, rules.rule_set, ladder)
    trial = Trial((*trial.told, *try_course(records, rules.rule_set, ladder)), trial.silent)
    use = read_settings(FaceSettings).intended_use
    shown = json.dumps(as_document(trial, use), indent=1) if as_json else "\n".join(told_of_trial(trial, use))
    sys.stdout.write(shown + "\n")
    return None


def newest(alerts: "Iterable[LesionAlerted]") -> "list[LesionAlerted]":
    """The newest record of each alert. alerts: in the order of the topic."""
    return list({each.alert_id: each for each in alerts}.values())


def find(alerts: "Sequence[LesionAlerted]", beginning: str) -> "LesionAlerted":
    """The one alert whose id starts so. Raises BadParameter for none, or for several."""
    found = [each for each in alerts if each.alert_id.startswith(beginning)]
    if len(found) != 1:
        what = "no alert has" if not found else f"{len(found)} alerts have"
        raise typer.BadParameter(f"{what} an id that begins with {beginning!r}; see: sonovan alerts list --all")
    return found[0]


def answer_to(alert: "LesionAlerted", by: str) -> "AlertAcknowledged":
    """The answer to send. Raises BadParameter where there is nothing to answer, or `by` is no code."""
    from pydantic import ValidationError

    from sonovan.contracts.alerts import AlertAcknowledged

    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        since = f"{alert.acknowledged_at:%Y-%m-%d %H:%M} UTC"
        raise typer.BadParameter(f"{alert.acknowledged_by} has seen to it since {since}")
    if not _waits(alert):
        raise typer.BadParameter("its cause is gone and it was withdrawn: there is nothing to answer")
    try:
        return AlertAcknowledged(
            alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, by=by
        )
    except ValidationError:
        raise typer.BadParameter("--by takes a code of letters, digits, dots and hyphens, never a name") from None


def told_of_file(file: "RuleFile") -> list[str]:
    """What a sound file says: its rules, and who is called when, in lines for a person."""
    lines = [f"rules {file.version}: sound"]
    lines += [f"  {rule.name}: {rule.severity}" for rule in file.rule_set.rules]
    lines += [f"  {rule.name}: {rule.severity}, after {_time(rule.after)}" for rule in file.rule_set.course_rules]
    for rung in file.ladder:
        lines.append(f"  {rung.severity}, after {rung.after_min} min: {', '.join(rung.to)}")
    if not file.ladder:
        lines.append("  no ladder: the webhook of SONOVAN_ALERT_WEBHOOK_URL, if set, is told of everything at once")
    if (quiet := file.quiet_hours) is not None:
        lines.append(f"  quiet {quiet.start:%H:%M} to {quiet.end:%H:%M} {quiet.zone} for {', '.join(quiet.hold)}")
    if file.faults:
        lines.append(f"  faults of the centre: {', '.join(file.faults)}")
    return lines


def told_of_trial(trial: "Trial", use: "IntendedUse") -> list[str]:
    """What the rules would do with a screening, in lines for a person, as this intended use may show it."""
    from sonovan.clinical.alert_rules import withhold_alert
    from sonovan.reports.alerts import alert_line
    from sonovan.reports.words import Words

    words = Words()
    lines = [words.text("unsigned")]
    for each in trial.told:
        revision = each.revision
        by = "after its report" if revision is None else f"revision {revision.revision_number} ({revision.status})"
        lines.append(f"{by}, rule {each.alert.rule}:")
        lines.append(f"  {alert_line(withhold_alert(each.alert, use), 'en', each.number)}")
        lines += [f"  {call.due:%Y-%m-%d %H:%M} UTC: {call.recipient}" for call in each.calls]
    if not trial.told:
        lines.append("no rule is met: nobody would be told")
    for number, finding in trial.silent:
        best = finding.best
        seen = f"{words.frames_seen(best)}, {words.size(best)}, region score {best.score_mean:.2f}"
        lines.append(f"no alert stands for finding {number}, {words.place(finding.organ, finding.laterality)}: {seen}")
    return lines


def as_document(trial: "Trial", use: "IntendedUse") -> dict[str, object]:
    """The same as JSON: `told` with each alert and its calls, `silent` with the ids of findings without an alert."""
    from sonovan.clinical.alert_rules import withhold_alert

    told = [
        {
            "revision_number": None if each.revision is None else each.revision.revision_number,
            "finding": each.number,
            "alert": json.loads(withhold_alert(each.alert, use).encode()),
            "calls": [
                {"recipient": call.recipient, "due": call.due.isoformat(), "rung": call.rung} for call in each.calls
            ],
        }
        for each in trial.told
    ]
    return {"told": told, "silent": [finding.finding_id for _, finding in trial.silent]}


def _waits(alert: "LesionAlerted") -> bool:
    return alert.acknowledged_by is None and alert.state != "withdrawn"


def _alerts_with(state: Path | None, beginning: str) -> "list[LesionAlerted]":
    """The newest record of each alert; looks again for a moment while no id starts so."""
    give_up_at = time.monotonic() + KNOWN_WITHIN_S
    while True:
        alerts = newest(_alerts(state))
        if time.monotonic() > give_up_at or any(each.alert_id.startswith(beginning) for each in alerts):
            return alerts
        time.sleep(LOOK_EVERY_S)


def _alerts(state: Path | None) -> "list[LesionAlerted]":
    from sonovan.contracts.alerts import LesionAlerted
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    messages = read_all(kafka_settings(state, "operator"), Topic.LESION_ALERTED)
    return [record for message in messages if isinstance(record := message.decode(), LesionAlerted)]


def _course(state: Path | None, screening: str) -> "list[tuple[datetime, Concerns]]":
    """What stands on the topics of one screening, with the broker's times: revisions, conclusions, outcomes, amendments
    that their vans signed."""
    from sonovan.contracts.amendments import ScreeningAmended
    from sonovan.contracts.conclusions import ScreeningConcluded
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.outcomes import OutcomeRecorded
    from sonovan.contracts.results import ScreeningAssessed
    from sonovan.contracts.topics import Topic
    from sonovan.contracts.van import VanEnrolled
    from sonovan.stream_apps.signed import signed_record
    from sonovan.stream_apps.vans import VanRegistry
    from sonovan.transport.tail import read_all

    kafka, key = kafka_settings(state, "reader"), screening.encode()
    found: list[tuple[datetime, Concerns]] = []
    for topic in (Topic.SCREENING_ASSESSED, Topic.SCREENING_CONCLUDED, Topic.OUTCOME_RECORDED):
        for message in read_all(kafka, topic):
            record = message.decode() if message.key == key else None
            if isinstance(record, ScreeningAssessed | ScreeningConcluded | OutcomeRecorded):
                found.append((message.appended_at, record))
    vans, amended = VanRegistry(), Topic.SCREENING_AMENDED
    for message in read_all(kafka, Topic.VAN_ENROLLED):
        if isinstance(van := message.readable(), VanEnrolled):
            vans.learn(van)
    for message in read_all(kafka, amended):
        if message.key == key and message.value is not None:
            with suppress(InvalidRecord):  # `alert` leaves out as well what nobody signed
                at, value = message.appended_at, message.value
                found.append((at, signed_record(ScreeningAmended, amended, key, value, at, vans.verify)))
    return found


def _time(after: timedelta) -> str:
    hours = after / timedelta(hours=1)
    return f"{hours:g} hours" if hours < 72 else f"{hours / 24:g} days"
