"""One revision to the alerts that it raises or withdraws. Pure."""

from collections.abc import Mapping

from sonovan.clinical.alert_rules import PERSISTENT_LESION, AlertSettings, judge
from sonovan.contracts.ids import alert_id
from sonovan.contracts.results import Finding, LesionAlerted, ScreeningAssessed


def alerts_of(
    assessed: ScreeningAssessed, settings: AlertSettings, known: Mapping[str, LesionAlerted]
) -> list[LesionAlerted]:
    """What must be told because of this revision: raised first, then withdrawn.

    known: the latest word of every alert of this screening, by alert id. A lesion is raised once; an alert whose
    finding is withdrawn, or that no longer meets the rule in a revision that is not preliminary, is withdrawn once.
    """
    raised, withdrawn = [], []
    for finding in assessed.findings:
        name = alert_id(finding.finding_id, PERSISTENT_LESION)
        before, reason = known.get(name), judge(finding, settings)
        if reason is not None and (before is None or before.state == "withdrawn"):
            raised.append(_raise(assessed, finding, name, reason))
        elif reason is None and assessed.status != "preliminary" and before is not None:
            withdrawn += _withdraw(assessed, before, "the lesion no longer meets the rule")
    for gone in assessed.withdrawn:
        before = known.get(alert_id(gone.finding_id, PERSISTENT_LESION))
        why = "the lesion was merged into another" if gone.merged_into else "the lesion is no longer found"
        withdrawn += _withdraw(assessed, before, why) if before is not None else []
    return [*raised, *withdrawn]


def _raise(assessed: ScreeningAssessed, finding: Finding, name: str, reason: str) -> LesionAlerted:
    keys = (finding.image_key, finding.mask_key, assessed.report_html_key)
    return LesionAlerted(
        alert_id=name,
        screening_id=assessed.screening_id,
        finding_id=finding.finding_id,
        revision_id=assessed.revision_id,
        state="raised",
        rule=PERSISTENT_LESION,
        reason=reason,
        organ=finding.organ,
        laterality=finding.laterality,
        evidence_keys=tuple(key for key in keys if key is not None),
        as_of=assessed.as_of,
    )


def _withdraw(assessed: ScreeningAssessed, before: LesionAlerted, reason: str) -> list[LesionAlerted]:
    """The withdrawal of an alert that stands; nothing for one that is withdrawn already."""
    if before.state == "withdrawn":
        return []
    new = {"state": "withdrawn", "reason": reason, "revision_id": assessed.revision_id, "as_of": assessed.as_of}
    return [before.model_copy(update=new)]
