"""One revision to the alerts that it raises or withdraws. Pure."""

from collections.abc import Mapping, Sequence

from sonovan.clinical.alert_rules import (
    FINDING_MERGED,
    FINDING_WITHDRAWN,
    RULE_NO_LONGER_MET,
    RULES,
    AlertRule,
    AlertSettings,
    Reasons,
)
from sonovan.contracts.alerts import SEVERITIES, About, AboutFinding, Evidence, LesionAlerted, about_key
from sonovan.contracts.because import Because
from sonovan.contracts.ids import alert_id
from sonovan.contracts.results import ScreeningAssessed


def alerts_of(
    assessed: ScreeningAssessed,
    settings: AlertSettings,
    known: Mapping[str, LesionAlerted],
    rules: Sequence[AlertRule] = RULES,
) -> list[LesionAlerted]:
    """What must be told because of this revision: raised first, in the rules' order, then withdrawn.

    known: the newest record of every alert of this screening and, where a rule is about vans, of its van, by alert id.
    An alert is raised once, and again only after a withdrawal or with a higher severity. It is withdrawn once: when
    its finding is withdrawn, or when a revision that is not preliminary no longer meets its rule.
    """
    raised, met = [], set()
    for rule in rules:
        for about, because in rule.find(assessed, settings):
            name = alert_id(about_key(assessed.screening_id, about), rule.name)
            met.add(name)
            before = known.get(name)
            if before is None or before.state == "withdrawn" or _is_higher(rule, before):
                raised.append(_raise(assessed, rule, name, about, because))
    withdrawn = []
    for name, before in sorted(known.items()):
        why = None if name in met or before.state == "withdrawn" else _why_withdrawn(assessed, before, rules)
        if why is not None:
            withdrawn.append(_withdraw(assessed, before, why))
    return [*raised, *withdrawn]


def _is_higher(rule: AlertRule, before: LesionAlerted) -> bool:
    return SEVERITIES.index(rule.severity) > SEVERITIES.index(before.severity)


def _why_withdrawn(assessed: ScreeningAssessed, before: LesionAlerted, rules: Sequence[AlertRule]) -> Because | None:
    """Why an alert that stands, and whose rule this revision does not meet, is withdrawn; None where it stays.

    An alert about a van is withdrawn by the screening that raised it alone: another one tells nothing about that one.
    One of a rule that is not in `rules` stays until its finding is withdrawn.
    """
    if isinstance(before.about, AboutFinding):
        finding_id = before.about.finding_id
        for gone in assessed.withdrawn:
            if gone.finding_id == finding_id and gone.merged_into is not None:
                return Because(code=FINDING_MERGED, value=gone.merged_into)
            if gone.finding_id == finding_id:
                return Because(code=FINDING_WITHDRAWN)
        if all(finding.finding_id != finding_id for finding in assessed.findings):
            return None
    mine = before.screening_id == assessed.screening_id
    judged = mine and assessed.status != "preliminary" and any(rule.name == before.rule for rule in rules)
    return Because(code=RULE_NO_LONGER_MET) if judged else None


def _raise(assessed: ScreeningAssessed, rule: AlertRule, name: str, about: About, because: Reasons) -> LesionAlerted:
    return LesionAlerted(
        alert_id=name,
        screening_id=assessed.screening_id,
        revision_id=assessed.revision_id,
        about=about,
        state="raised",
        severity=rule.severity,
        rule=rule.name,
        because=because,
        evidence=_evidence(assessed, about),
        as_of=assessed.as_of,
    )


def _withdraw(assessed: ScreeningAssessed, before: LesionAlerted, why: Because) -> LesionAlerted:
    new = {"state": "withdrawn", "because": (why,), "revision_id": assessed.revision_id, "as_of": assessed.as_of}
    return before.model_copy(update=new)


def _evidence(assessed: ScreeningAssessed, about: About) -> tuple[Evidence, ...]:
    """The finding's pictures and masks, those of its best sighting first, if it is about one; and the report's page."""
    named: list[tuple[str | None, str | None]] = []
    if isinstance(about, AboutFinding):
        for finding in assessed.findings:
            if finding.finding_id == about.finding_id:
                for each in finding.in_order:
                    named += [(each.image_key, each.image_sha256), (each.mask_key, each.mask_sha256)]
    named.append((assessed.report_html_key, assessed.report_html_sha256))
    return tuple(Evidence(key=key, sha256=sha256) for key, sha256 in named if key is not None and sha256 is not None)
