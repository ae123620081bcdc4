from collections.abc import Sequence
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.findings import name_findings
from sonovan.clinical.lesions import Lesion
from sonovan.clinical.track import MemberKey, Track
from sonovan.contracts.alerts import AboutFinding, AlertAcknowledged, LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Category
from sonovan.contracts.ids import alert_id
from sonovan.contracts.results import Finding, Member, ScreeningAssessed, Status, WithdrawnFinding
from sonovan.reports.alerts import alert_words
from tests.clinical.records import SCREENING, SWEEP, finding, sighting
from tests.stream_apps.alert.scene import Stage, revision

SUSPICIOUS = 0.9


def merged(number: int, into: int) -> WithdrawnFinding:
    return WithdrawnFinding(finding_id=finding(number).finding_id, merged_into=finding(into).finding_id)


def category(value: str) -> tuple[Category, ...]:
    return (Category(scheme="BI-RADS", value=value, rule="a_rule", organ="breast", laterality="left"),)


def seen(
    number: int, *lesions: Finding, status: Status = "complete", withdrawn: Sequence[WithdrawnFinding] = ()
) -> ScreeningAssessed:
    return revision(number, {}, status, findings=lesions, withdrawn=tuple(withdrawn))


def small(number: int, malignant: float | None = SUSPICIOUS, **other: object) -> Finding:
    """A lesion that is too small for the worklist, so that `suspicious_lesion` alone can tell of it."""
    return finding(number, malignant=malignant, **{"area_mm2": 5.0, **other})


def joined(number: int, *others: int) -> Finding:
    """The lesion that takes over the regions of other ones."""
    own = small(number).best
    members = own.members + tuple(each for other in others for each in small(other).best.members)
    return small(number, members=tuple(sorted(members, key=lambda each: (each.frame_id, each.ordinal))))


def answered(alert: LesionAlerted, by: str = "dr-1") -> AlertAcknowledged:
    return AlertAcknowledged(alert_id=alert.alert_id, screening_id=SCREENING, raised_in=alert.raised_in, by=by)


def about(alert: LesionAlerted) -> str:
    assert isinstance(alert.about, AboutFinding)
    return alert.about.finding_id


def test_two_regions_that_are_one_lesion_call_nobody_again_and_say_so_once() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1, small(1, None), small(2), status="preliminary"))
    assert stage.take(seen(2, joined(1, 2), status="preliminary", withdrawn=[merged(2, 1)])) == []
    (corrected,) = stage.take(seen(3, joined(1, 2), withdrawn=[merged(2, 1)]))
    assert (corrected.state, corrected.alert_id) == ("corrected", raised.alert_id)
    assert about(corrected) == finding(1).finding_id
    assert corrected.because[0] == Because(code="regions_are_one", value=finding(1).finding_id)
    assert alert_words(corrected, "en")["because"][0].startswith("the region that was told of turned out to be one")
    assert stage.take(seen(4, joined(1, 2), withdrawn=[merged(2, 1)])) == []


def test_whoever_sees_to_a_region_sees_to_the_lesion() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1, small(1, None), small(2)))
    stage.answer(answered(raised))
    (corrected,) = stage.take(seen(2, joined(1, 2), withdrawn=[merged(2, 1)]))
    assert (corrected.state, corrected.acknowledged_by, corrected.raised_in) == ("corrected", "dr-1", raised.raised_in)


def test_of_two_alerts_for_one_lesion_the_answered_one_stays_and_the_other_is_withdrawn() -> None:
    stage = Stage()
    first, second = stage.take(seen(1, small(1), small(2)))
    stage.answer(answered(second))
    assert stage.take(seen(2, joined(1, 2), status="preliminary", withdrawn=[merged(2, 1)])) == []
    corrected, withdrawn = stage.take(seen(3, joined(1, 2), withdrawn=[merged(2, 1)]))
    assert (corrected.alert_id, corrected.state, corrected.acknowledged_by) == (second.alert_id, "corrected", "dr-1")
    assert (withdrawn.alert_id, withdrawn.state) == (first.alert_id, "withdrawn")
    assert withdrawn.because == (Because(code="finding_merged", value=finding(1).finding_id),)


def test_an_answer_to_the_lower_category_does_not_silence_the_higher_one() -> None:
    stage = Stage()
    first, second = stage.take(seen(1, small(1, categories=category("4A")), small(2, categories=category("5"))))
    stage.answer(answered(first))
    whole = joined(1, 2).model_copy(update={"categories": category("5")})
    kept, gone = stage.take(seen(2, whole, withdrawn=[merged(2, 1)]))
    assert (kept.alert_id, kept.state, kept.acknowledged_by) == (second.alert_id, "corrected", None)
    assert (gone.alert_id, gone.state) == (first.alert_id, "vanished")


def test_a_lesion_that_is_worse_than_its_region_calls_again_under_its_id() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1, small(1, None), small(2, categories=category("4A"))))
    stage.answer(answered(raised))
    whole = joined(1, 2).model_copy(update={"categories": category("5")})
    (again,) = stage.take(seen(2, whole, status="preliminary", withdrawn=[merged(2, 1)]))
    assert (again.state, again.alert_id, again.acknowledged_by) == ("raised", raised.alert_id, None)


def test_an_alert_goes_with_the_part_that_shows_what_it_told_of() -> None:
    stage = Stage()
    whole = small(1, key_ordinal=2, members=tuple(sorted((*small(1).best.members, *small(2).best.members), key=str)))
    (raised,) = stage.take(seen(1, whole))
    (corrected,) = stage.take(seen(2, small(1, None), small(2)))
    assert (corrected.state, corrected.alert_id, about(corrected)) == (
        "corrected",
        raised.alert_id,
        small(2).finding_id,
    )
    assert corrected.because[0] == Because(code="lesion_parted", value=small(2).finding_id)
    (other,) = stage.take(seen(3, small(1), small(2)))
    assert (other.state, about(other)) == ("raised", small(1).finding_id)
    assert other.alert_id not in {raised.alert_id, alert_id(f"finding:{small(1).finding_id}", "suspicious_lesion")}
    assert stage.take(seen(4, small(1), small(2))) == []


def test_both_parts_are_told_of_where_both_are_suspicious() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1, joined(1, 2)))
    (other,) = stage.take(seen(2, small(1), small(2)))
    assert (other.state, about(other)) == ("raised", small(2).finding_id)
    assert stage.known[raised.alert_id].state == "raised"


def test_a_lesion_that_no_longer_meets_the_rule_withdraws_its_regions_alert_once_all_is_here() -> None:
    stage = Stage()
    stage.take(seen(1, small(1, None), small(2), status="preliminary"))
    harmless = joined(1, 2).model_copy(update={"malignant": 0.1})
    assert stage.take(seen(2, harmless, status="preliminary", withdrawn=[merged(2, 1)])) == []
    (gone,) = stage.take(seen(3, harmless, withdrawn=[merged(2, 1)]))
    assert (gone.state, gone.because) == ("withdrawn", (Because(code="rule_no_longer_met"),))


PARTS = st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=6)
"""Revisions: to which lesion each of six regions belongs. Whether a region is suspicious stays as it is."""


@given(PARTS, st.sets(st.integers(0, 5)), st.data())
def test_whatever_joins_and_parts_each_suspicious_lesion_has_one_alert_and_none_is_called_for_twice(
    history: list[list[int]], suspicious: set[int], data: st.DataObject
) -> None:
    stage, published = Stage(), dict[str, frozenset[MemberKey]]()
    for number, owners in zip(count(1), history, strict=False):
        status: Status = (
            "complete" if number == len(history) else data.draw(st.sampled_from(["preliminary", "complete"]))
        )
        last = _revision(number, status, owners, suspicious, published)
        told = stage.take(last)
        raised = [alert for alert in told if alert.state == "raised" and alert.rule == "suspicious_lesion"]
        assert not raised or number == 1 or not _only_joins(history[number - 2], owners)
    standing = [each for each in stage.known.values() if each.state in ("raised", "corrected")]
    found = sorted(about(each) for each in standing if each.rule == "suspicious_lesion")
    assert found == sorted(each.finding_id for each in last.findings if each.malignant == SUSPICIOUS)


def _only_joins(before: Sequence[int], now: Sequence[int]) -> bool:
    """Whether regions that were one lesion are one lesion still."""
    return len(set(zip(before, now, strict=True))) == len(set(before))


def _members(owners: Sequence[int], owner: int) -> list[MemberKey]:
    return [(f"{SWEEP}/{place:06d}", 0) for place, each in enumerate(owners) if each == owner]


def _revision(
    number: int, status: Status, owners: Sequence[int], suspicious: set[int], published: dict[str, frozenset[MemberKey]]
) -> ScreeningAssessed:
    """A revision whose lesions are named as `assess` does; each shows its first suspicious region, else its first."""
    lesions = [Lesion((Track(SWEEP, "breast", "left", 0, tuple(_members(owners, owner))),)) for owner in set(owners)]
    named, withdrawn = name_findings(SCREENING, lesions, published)
    published.update({finding_id: frozenset(lesion.members) for finding_id, lesion in named})
    worst = {f"{SWEEP}/{place:06d}" for place in suspicious}
    found = tuple(_finding(finding_id, lesion.members, worst) for finding_id, lesion in named)
    return seen(number, *found, status=status, withdrawn=withdrawn)


def _finding(finding_id: str, members: Sequence[MemberKey], worst: set[str]) -> Finding:
    key = next((name for name, _ in members if name in worst), members[0][0])
    shown = tuple(Member(frame_id=name, ordinal=ordinal) for name, ordinal in members)
    one = sighting(members=shown, key_frame_id=key, area_mm2=5.0)
    return finding(finding_id=finding_id, sightings=(one,), malignant=SUSPICIOUS if key in worst else 0.1)
