"""To which lesion of a revision an alert belongs: where regions become one lesion, or part, the alert follows it.

Whoever was told of a lesion hears what has become of it, and nobody is called anew for the same one
(docs/decisions/0059-an-alert-follows-its-lesion.md). All here is pure, and the same whatever the order of its inputs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import count

from sonovan.clinical.alert_changes import risen_of
from sonovan.contracts.alerts import SEVERITIES, About, AboutFinding, LesionAlerted, about_key
from sonovan.contracts.ids import alert_id
from sonovan.contracts.results import Member, ScreeningAssessed


def lesions_of(
    alerts: Iterable[LesionAlerted], assessed: ScreeningAssessed, met: Collection[About]
) -> dict[str, str | None]:
    """By alert id, the finding of the revision that now is the lesion of which the alert told; None where none is.

    met: what the alerts' rule is met for. These are looked at in this order: the finding of which the alert told, those
    that hold a region of which it told, the one into which that finding was merged. The first that meets the rule is
    the lesion, else the first.
    """
    fulfil = {about.finding_id for about in met if isinstance(about, AboutFinding)}
    merged = {each.finding_id: each.merged_into for each in assessed.withdrawn}
    owner = {member: each.finding_id for each in assessed.findings for member in each.members}
    live = {each.finding_id for each in assessed.findings}
    lesions: dict[str, str | None] = {}
    for alert in alerts:
        heirs = [each for each in _heirs(alert, merged, owner) if each in live]
        lesions[alert.alert_id] = next((each for each in heirs if each in fulfil), heirs[0] if heirs else None)
    return lesions


def kept_of(alerts: Iterable[LesionAlerted], now: LesionAlerted) -> LesionAlerted | None:
    """Which of several alerts that stand for one lesion is kept; None where there is none.

    now: as the alert would be raised. One after which nobody has to be called again comes first, for it was told with
    as high a severity and category; of these one that somebody answered, then the one with the lowest id.
    """
    ordered = sorted(alerts, key=lambda each: (_calls_again(each, now), each.acknowledged_by is None, each.alert_id))
    return ordered[0] if ordered else None


def new_id(screening_id: str, about: About, rule: str, known: Mapping[str, LesionAlerted]) -> str:
    """The id of an alert that is raised: what it is about and the rule give it, whatever is redelivered.

    Where an alert of that id has gone over to another lesion, it is the first numbered one that has not.
    """
    key = about_key(screening_id, about)
    ids = (alert_id(key if number == 0 else f"{key}:{number}", rule) for number in count())
    return next(each for each in ids if each not in known or about_key(screening_id, known[each].about) == key)


def _heirs(alert: LesionAlerted, merged: Mapping[str, str | None], owner: Mapping[Member, str]) -> Iterator[str | None]:
    if isinstance(alert.about, AboutFinding):
        yield alert.about.finding_id
        yield from (owner.get(region) for region in (alert.lesion.regions if alert.lesion is not None else ()))
        yield merged.get(alert.about.finding_id)


def _calls_again(before: LesionAlerted, now: LesionAlerted) -> bool:
    risen = risen_of(before.lesion, now.lesion) if before.lesion and now.lesion else ()
    return bool(risen) or SEVERITIES.index(now.severity) > SEVERITIES.index(before.severity)
