import hashlib

from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.findings import name_findings
from sonovan.clinical.lesions import Lesion
from sonovan.clinical.track import MemberKey, Track
from sonovan.contracts.results import WithdrawnFinding
from tests.clinical.records import OTHER_SCREENING, SCREENING, SWEEP

Published = dict[str, frozenset[MemberKey]]


def track(*indices: int) -> Lesion:
    members = tuple((f"{SWEEP}/{index:06d}", 0) for index in sorted(indices))
    return Lesion((Track(SWEEP, "breast", "left", 0, members),))


def named(*tracks: Lesion, published: Published | None = None) -> tuple[list[str], tuple[WithdrawnFinding, ...]]:
    found, withdrawn = name_findings(SCREENING, list(tracks), published or {})
    return [finding_id for finding_id, _ in found], withdrawn


def publish(*tracks: Lesion, published: Published | None = None) -> Published:
    found, _ = name_findings(SCREENING, list(tracks), published or {})
    return {**(published or {}), **{finding_id: frozenset(each.members) for finding_id, each in found}}


def test_a_new_finding_is_named_after_its_lowest_member() -> None:
    (finding_id,), withdrawn = named(track(4, 8))
    assert finding_id == hashlib.sha256(f"{SCREENING}\n{SWEEP}/000004\n0".encode()).hexdigest()
    assert withdrawn == ()
    assert name_findings(OTHER_SCREENING, [track(4, 8)], {})[0][0][0] != finding_id


def test_an_earlier_frame_that_arrives_late_does_not_rename() -> None:
    before = publish(track(16, 32))
    assert named(track(8, 16, 24, 32), published=before) == (list(before), ())


def test_on_a_split_the_part_with_most_members_keeps_the_id() -> None:
    before = publish(track(0, 1, 10, 11, 12))
    (first, second), withdrawn = named(track(0, 1), track(10, 11, 12), published=before)
    assert [second] == list(before)
    assert first != second
    assert withdrawn == ()


def test_on_a_merge_the_lowest_id_stays_and_the_other_says_into_what() -> None:
    before = publish(track(0, 1), track(5, 6))
    low, high = sorted(before)
    assert named(track(0, 1, 3, 5, 6), published=before) == (
        [low],
        (WithdrawnFinding(finding_id=high, merged_into=low),),
    )


def test_a_merged_finding_stays_withdrawn_in_later_revisions() -> None:
    before = publish(track(0, 1), track(5, 6))
    merged = publish(track(0, 1, 3, 5, 6), published=before)
    low, high = sorted(before)
    (kept,), withdrawn = named(track(0, 1, 2, 3, 5, 6), published=merged)
    assert kept == low
    assert withdrawn == (WithdrawnFinding(finding_id=high, merged_into=low),)


def test_a_finding_that_is_gone_is_withdrawn_and_gets_its_name_back_when_it_returns() -> None:
    before = publish(track(0, 1))
    (gone,) = before
    assert named(track(40), published=before)[1] == (WithdrawnFinding(finding_id=gone),)
    after = publish(track(40), published=before)
    assert gone in named(track(1, 2), track(40), published=after)[0]


members = st.sets(st.integers(0, 40), min_size=1, max_size=8)


@st.composite
def disjoint_tracks(draw: st.DrawFn) -> list[Track]:
    owner = draw(st.dictionaries(st.integers(0, 30), st.integers(0, 4), max_size=20))
    return [track(*(i for i in owner if owner[i] == n)) for n in sorted(set(owner.values()))]


@given(disjoint_tracks(), st.lists(st.integers(31, 60), unique=True, max_size=12), st.data())
def test_later_frames_never_rename_a_lesion(tracks: list[Track], later: list[int], data: st.DataObject) -> None:
    before = publish(*tracks)
    grown = [[int(frame_id[-6:]) for frame_id, _ in each.members] for each in tracks]
    grown += [[]]
    for index in later:
        grown[data.draw(st.integers(0, len(grown) - 1))].append(index)
    now, withdrawn = name_findings(SCREENING, [track(*each) for each in reversed(grown) if each], before)
    for old, had in before.items():
        assert had <= set(dict(now)[old].members)
    assert withdrawn == ()


@given(st.lists(disjoint_tracks(), min_size=1, max_size=4))
def test_over_any_history_ids_are_unique_and_nothing_published_is_forgotten(history: list[list[Track]]) -> None:
    published: Published = {}
    for tracks in history:
        found, withdrawn = name_findings(SCREENING, tracks, published)
        assert name_findings(SCREENING, tracks[::-1], published) == (found, withdrawn)
        live = {finding_id for finding_id, _ in found}
        gone = {each.finding_id for each in withdrawn}
        assert len(live) == len(found) == len(tracks)
        assert live.isdisjoint(gone)
        assert set(published) <= live | gone
        assert all(each.merged_into is None or each.merged_into in live for each in withdrawn)
        published |= {finding_id: frozenset(each.members) for finding_id, each in found}
        assert name_findings(SCREENING, tracks, published)[0] == found
