from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.ids import alert_id
from sonovan.contracts.results import Status, WithdrawnFinding
from tests.clinical.records import finding, sha
from tests.stream_apps.alert.scene import Ear, Seen, revision

STATUSES = st.sampled_from(["preliminary", "incomplete", "complete"])
LESIONS = st.dictionaries(st.integers(1, 3), st.sampled_from(["suspicious", "harmless", "gone"]))
HISTORIES = st.lists(st.tuples(LESIONS, STATUSES), max_size=12)
Said = tuple[dict[int, Seen], Status]


def states(ear: Ear) -> dict[str, str]:
    return {alert.alert_id: alert.state for alert in ear.known.values()}


def test_a_suspicious_lesion_is_raised_with_its_evidence() -> None:
    (alert,) = Ear().hear(revision(1, {1: "suspicious"}, report_html_key="report.html"))
    lesion = finding(1)
    assert (alert.state, alert.finding_id, alert.screening_id) == ("raised", lesion.finding_id, alert.screening_id)
    assert alert.alert_id == alert_id(lesion.finding_id, "persistent_lesion")
    assert alert.evidence_keys == ("image.png", "mask.png", "report.html")
    assert alert.reason == "outlined on 5 frames, 76.0 mm² on the key frame, mean score 0.90"


def test_a_harmless_lesion_says_nothing() -> None:
    assert Ear().hear(revision(1, {1: "harmless"})) == []


def test_a_lesion_that_stays_is_raised_once() -> None:
    ear = Ear()
    assert len(ear.hear(revision(1, {1: "suspicious"}, "preliminary"))) == 1
    assert ear.hear(revision(2, {1: "suspicious"})) == []


def test_a_lesion_that_is_gone_is_withdrawn_once() -> None:
    ear = Ear()
    ear.hear(revision(1, {1: "suspicious"}))
    (withdrawal,) = ear.hear(revision(2, {1: "gone"}))
    assert (withdrawal.state, withdrawal.reason) == ("withdrawn", "the lesion is no longer found")
    assert withdrawal.revision_id == revision(2, {1: "gone"}).revision_id
    assert ear.hear(revision(3, {1: "gone"})) == []


def test_a_lesion_that_comes_back_is_raised_again() -> None:
    ear = Ear()
    seen: list[Seen] = ["suspicious", "gone", "suspicious"]
    said = [ear.hear(revision(number, {1: each})) for number, each in enumerate(seen, start=1)]
    assert [[alert.state for alert in each] for each in said] == [["raised"], ["withdrawn"], ["raised"]]
    assert len({alert.alert_id for each in said for alert in each}) == 1


def test_half_a_sweep_does_not_withdraw_what_the_whole_may_confirm() -> None:
    ear = Ear()
    ear.hear(revision(1, {1: "suspicious"}, "preliminary"))
    assert ear.hear(revision(2, {1: "harmless"}, "preliminary")) == []
    (withdrawal,) = ear.hear(revision(3, {1: "harmless"}, "incomplete"))
    assert (withdrawal.state, withdrawal.reason) == ("withdrawn", "the lesion no longer meets the rule")


def test_of_a_merge_the_survivor_is_raised_before_the_other_is_withdrawn() -> None:
    ear = Ear()
    ear.hear(revision(1, {1: "harmless", 2: "suspicious"}))
    merged = WithdrawnFinding(finding_id=finding(2).finding_id, merged_into=finding(1).finding_id)
    said = ear.hear(revision(2, {1: "suspicious"}, withdrawn=(merged,)))
    assert [(alert.state, alert.finding_id) for alert in said] == [
        ("raised", finding(1).finding_id),
        ("withdrawn", finding(2).finding_id),
    ]
    assert said[1].reason == "the lesion was merged into another"


@given(HISTORIES)
def test_raising_and_withdrawal_take_turns_whatever_is_seen(history: list[Said]) -> None:
    ear, said = Ear(), []
    for number, (lesions, status) in enumerate(history, start=1):
        said += ear.hear(revision(number, lesions, status))
    for name in ear.known:
        words = [alert.state for alert in said if alert.alert_id == name]
        assert words == [("raised", "withdrawn")[index % 2] for index in range(len(words))]


@given(HISTORIES)
def test_the_same_revision_again_says_nothing(history: list[Said]) -> None:
    ear = Ear()
    for number, (lesions, status) in enumerate(history, start=1):
        ear.hear(revision(number, lesions, status))
        assert ear.hear(revision(number, lesions, status)) == []


@given(HISTORIES, LESIONS)
def test_after_a_whole_sweep_an_alert_stands_where_a_lesion_is_suspicious(
    history: list[Said], last: dict[int, Seen]
) -> None:
    ear, ever = Ear(), {number for lesions, _ in history for number in lesions}
    for number, (lesions, status) in enumerate(history, start=1):
        ear.hear(revision(number, lesions, status))
    ear.hear(revision(99, {**dict.fromkeys(ever, "gone"), **last}))
    standing = {name for name, state in states(ear).items() if state == "raised"}
    assert standing == {
        alert_id(sha(f"finding {number}"), "persistent_lesion") for number, seen in last.items() if seen == "suspicious"
    }
