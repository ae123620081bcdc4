"""One revision to the alerts that it raises, corrects or withdraws; one answer to what becomes of an alert. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sonovan.clinical.alert_changes import changes_of, risen_of, side_changes
from sonovan.clinical.alert_rules import (
    FINDING_MERGED,
    FINDING_WITHDRAWN,
    LESION_PARTED,
    REGIONS_ARE_ONE,
    RULE_NO_LONGER_MET,
    SHE_LEFT,
    AlertRule,
    Reasons,
    rules_of,
    told_of,
    why_silent,
)
from sonovan.clinical.alert_settings import AlertSettings
from sonovan.clinical.course_rules import COURSE_RULES, CourseRule, course_rules_of
from sonovan.contracts.alerts import (
    SEVERITIES,
    About,
    AboutFinding,
    AlertAcknowledged,
    AlertHandled,
    Evidence,
    HandedOver,
    LesionAlerted,
    ToldOf,
    about_key,
)
from sonovan.contracts.because import Because
from sonovan.contracts.results import Finding, ScreeningAssessed
from sonovan.stream_apps.alert.belonging import kept_of, lesions_of, new_id

USUAL: Final = "usual-1"
"""The version of the rules of a site that sets none."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a site, and what they are called in alerts.

    rules: of one revision. change_share: by what share of the size that was told a lesion must differ for a correction
    to be sent. course_rules: of what becomes of a report (`sonovan.stream_apps.alert.course`).
    """

    version: str
    rules: tuple[AlertRule, ...]
    change_share: float
    course_rules: tuple[CourseRule, ...] = ()

    @classmethod
    def of(cls, settings: AlertSettings, version: str = USUAL) -> "RuleSet":
        """The rules with these numbers."""
        return cls(version, rules_of(settings), settings.change_share, course_rules_of(settings))


def alerts_of(assessed: ScreeningAssessed, known: Mapping[str, LesionAlerted], rules: RuleSet) -> list[LesionAlerted]:
    """What must be told because of this revision: raised or corrected first, in the rules' order, then what is gone.

    known: the newest record of every alert of this screening and, where a rule is about vans, of its van, by alert id.
    An alert is raised once, and again only after its cause was gone, or with a higher severity or category. It follows
    its lesion where regions become one or part (`sonovan.stream_apps.alert.belonging`). A revision that is not
    preliminary corrects one whose lesion is another finding, on another side, of another size or category than told.
    An alert is withdrawn once: when its finding is withdrawn and no other one is its lesion, or when a revision that is
    not preliminary no longer meets its rule, or has another alert of that rule for its lesion. One that somebody has
    acknowledged stays, and tells that its cause is gone. Of a screening that is void, or to whose reading by a machine
    she agrees no more, all are withdrawn and none is raised. Alerts of course rules are left alone.
    """
    standing = {
        name: alert for name, alert in sorted(known.items()) if stands(alert) and alert.rule not in COURSE_RULES
    }
    lesions = lesions_of(standing.values(), assessed, ())
    told: list[LesionAlerted] = []
    met: set[str] = set()
    shown: set[tuple[str, str]] = set()
    replaced: set[tuple[str, str]] = set()
    for rule in () if assessed.silenced else rules.rules:
        found = list(rule.find(assessed))
        mine = [alert for alert in standing.values() if alert.rule == rule.name]
        lesions |= lesions_of(mine, assessed, [about for about, _ in found])
        for about, because in found:
            now = _raised(assessed, rule, rules.version, known, about, because)
            if rule.replaces is not None:
                replaced.add((rule.replaces, about_key(assessed.screening_id, about)))
            if isinstance(about, AboutFinding):
                shown.add((rule.name, about.finding_id))
                before = kept_of((each for each in mine if lesions[each.alert_id] == about.finding_id), now)
            else:
                before = standing.get(now.alert_id)
            met.add(now.alert_id if before is None else before.alert_id)
            alert = now if before is None else _met(assessed, before, now, rules.change_share)
            if alert is not None:
                told.append(alert)
    gone = []
    for name, before in standing.items():
        another = (before.rule, lesions[name]) in shown
        why = None if name in met else _why_gone(assessed, before, lesions[name], rules.rules, another=another)
        if why is not None and (before.rule, about_key(before.screening_id, before.about)) in replaced:
            why = Because(code=SHE_LEFT)
        if why is not None:
            gone.append(_gone(assessed, before, why))
    return [*told, *gone]


def acknowledged(before: LesionAlerted, answer: AlertAcknowledged | AlertHandled, at: datetime) -> LesionAlerted | None:
    """What becomes of an alert that somebody answers, hands over or closes: somebody sees to it, and nobody is called.

    The first answer counts; whoever it is handed over to sees to it from then on. None where it stands no longer, was
    raised again since, or nothing changes in who sees to it.
    """
    if not stands(before) or before.raised_in != answer.raised_in:
        return None
    to = answer.step.to if isinstance(answer, AlertHandled) and isinstance(answer.step, HandedOver) else None
    by = to or answer.by
    if by == before.acknowledged_by or (before.acknowledged_by is not None and to is None):
        return None
    new = {"state": "acknowledged", "acknowledged_by": by, "acknowledged_at": at, "as_of": at}
    return before.model_copy(update=new)


def stands(alert: LesionAlerted) -> bool:
    """Whether the cause of an alert is not gone."""
    return alert.state not in ("withdrawn", "vanished")


def _met(assessed: ScreeningAssessed, before: LesionAlerted, now: LesionAlerted, share: float) -> LesionAlerted | None:
    """What to tell of an alert that stands and whose rule is met: that it is raised again, a correction, or None.

    now: as it would be raised, under an id that may be another one.
    """
    now = now.model_copy(update={"alert_id": before.alert_id})
    risen = risen_of(before.lesion, now.lesion) if before.lesion and now.lesion else ()
    if risen or SEVERITIES.index(now.severity) > SEVERITIES.index(before.severity):
        return now.model_copy(update={"because": (*risen, *now.because)})
    changes = tuple(_changes(assessed, before, now, share)) if assessed.status != "preliminary" else ()
    if not changes:
        return None
    kept = {
        "state": "corrected",
        "severity": before.severity,
        "because": (*changes, *now.because),
        "raised_in": before.raised_in,
        "acknowledged_by": before.acknowledged_by,
        "acknowledged_at": before.acknowledged_at,
    }
    return now.model_copy(update=kept)


def _changes(assessed: ScreeningAssessed, before: LesionAlerted, now: LesionAlerted, share: float) -> Iterator[Because]:
    if isinstance(before.about, AboutFinding) and isinstance(now.about, AboutFinding):
        if before.about.finding_id != now.about.finding_id:
            parted = any(each.finding_id == before.about.finding_id for each in assessed.findings)
            yield Because(code=LESION_PARTED if parted else REGIONS_ARE_ONE, value=now.about.finding_id)
        yield from side_changes(before.about, now.about)
        if before.lesion and now.lesion:
            yield from changes_of(before.lesion, now.lesion, share)


def _why_gone(
    assessed: ScreeningAssessed,
    before: LesionAlerted,
    lesion: str | None,
    rules: Sequence[AlertRule],
    *,
    another: bool,
) -> Because | None:
    """Why an alert that stands, and whose rule this revision does not meet, is gone; None where it stays.

    lesion: the finding that its lesion is now. another: another alert of the same rule is kept for that one.
    An alert about a van is withdrawn by the screening that raised it alone: another one tells nothing about that one.
    One of a rule that is not in `rules` stays until its finding is withdrawn, and one of a rule of which this revision
    leaves open whether it is met stays as well.
    """
    silent = why_silent(assessed)
    if silent is not None:
        return silent if before.screening_id == assessed.screening_id else None
    if isinstance(before.about, AboutFinding) and lesion is None:
        withdrawn = {each.finding_id for each in assessed.withdrawn}
        return Because(code=FINDING_WITHDRAWN) if before.about.finding_id in withdrawn else None
    if before.screening_id != assessed.screening_id or assessed.status == "preliminary":
        return None
    if another:
        return Because(code=FINDING_MERGED, value=lesion)
    rule = next((each for each in rules if each.name == before.rule), None)
    return None if rule is None or rule.undecided(assessed, before.about) else Because(code=RULE_NO_LONGER_MET)


def _raised(
    assessed: ScreeningAssessed,
    rule: AlertRule,
    version: str,
    known: Mapping[str, LesionAlerted],
    about: About,
    because: Reasons,
) -> LesionAlerted:
    return LesionAlerted(
        alert_id=new_id(assessed.screening_id, about, rule.name, known),
        screening_id=assessed.screening_id,
        revision_id=assessed.revision_id,
        raised_in=assessed.revision_id,
        about=about,
        state="raised",
        severity=rule.severity,
        rule=rule.name,
        rules_version=version,
        because=because,
        evidence=_evidence(assessed, about),
        lesion=_told_of(assessed, about),
        as_of=assessed.as_of,
    )


def _gone(assessed: ScreeningAssessed, before: LesionAlerted, why: Because) -> LesionAlerted:
    state = "withdrawn" if before.acknowledged_by is None else "vanished"
    new = {"state": state, "because": (why,), "revision_id": assessed.revision_id, "as_of": assessed.as_of}
    return before.model_copy(update=new)


def _finding(assessed: ScreeningAssessed, about: About) -> Finding | None:
    if not isinstance(about, AboutFinding):
        return None
    return next((each for each in assessed.findings if each.finding_id == about.finding_id), None)


def _told_of(assessed: ScreeningAssessed, about: About) -> ToldOf | None:
    finding = _finding(assessed, about)
    return None if finding is None else told_of(finding)


def _evidence(assessed: ScreeningAssessed, about: About) -> tuple[Evidence, ...]:
    """The finding's pictures and masks, those of its best sighting first, if it is about one; and the report's page."""
    named: list[tuple[str | None, str | None]] = []
    finding = _finding(assessed, about)
    for each in finding.in_order if finding is not None else ():
        named += [(each.image_key, each.image_sha256), (each.mask_key, each.mask_sha256)]
    named.append((assessed.report_html_key, assessed.report_html_sha256))
    return tuple(Evidence(key=key, sha256=sha256) for key, sha256 in named if key is not None and sha256 is not None)
