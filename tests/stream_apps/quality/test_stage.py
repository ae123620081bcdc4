"""The quality stage over a log in memory: what it sends on comes back to it, as from the topic."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sonovan.clinical.quality.drift import DriftBounds
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.quality import Agreement, ScreeningObserved
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.quality.rows import WindowRow
from sonovan.stream_apps.quality.stage import quality_stage
from sonovan.stream_apps.quality.windows import WatchBounds
from sonovan.stream_apps.stage import Message
from tests.stream_apps.memory import Run, World
from tests.stream_apps.quality.scene import (
    FINGERPRINT,
    FRAMES,
    VAN,
    erasure,
    faults,
    frame,
    measured,
    review,
    revision,
    screening,
    whole,
)

BOUNDS = WatchBounds(DriftBounds(window=12, reference_windows=2, rate=0.05), reference=1, flags_a_day=3, rolling=40)


class Centre:
    """A stage whose own records come back to it in the order in which they were sent."""

    def __init__(self, bounds: WatchBounds = BOUNDS) -> None:
        self.world, self.bounds, self._back = World(), bounds, 0

    def take(self, records: Sequence[tuple[Topic, Record]]) -> None:
        """Records in this order; then what was sent on because of them."""
        self._run([self.world.append(topic, record.encode(), b"key") for topic, record in records])
        on = [value for topic, _, value in self.world.sent if topic == Topic.SCREENING_OBSERVED]
        back, self._back = on[self._back :], len(on)
        self._run([self.world.append(Topic.SCREENING_OBSERVED, value, FINGERPRINT.encode()) for value in back])

    def _run(self, messages: list[Message]) -> None:
        async def live() -> None:
            worker = Run(self.world, lambda world, tables: quality_stage(tables, world.store, self.bounds))
            await worker.take(messages)
            await worker.end()

        asyncio.run(live())

    @property
    def observed(self) -> list[ScreeningObserved]:
        """What was sent on."""
        return [
            ScreeningObserved.decode(value) for topic, _, value in self.world.sent if topic == Topic.SCREENING_OBSERVED
        ]

    def rows(self, table: str) -> dict[str, bytes]:
        """The rows of a table as they outlive the worker."""
        begin = f"{table}/"
        return {key.removeprefix(begin): row for (_, key), row in self.world.changelog.items() if key.startswith(begin)}

    def agreement(self, level: str = "network") -> Agreement:
        """The newest figures of this level."""
        found = [each.agreement for each in measured(self.world) if each.stratum.level == level and each.agreement]
        return found[-1]


@pytest.fixture
def centre() -> Centre:
    return Centre()


def test_a_complete_screening_is_sent_on_once_with_the_means_over_every_eighth_frame(centre: Centre) -> None:
    frames = [(Topic.FRAME_SEGMENTED, frame(1, index, score=0.5 + index / 100)) for index in range(FRAMES)]
    centre.take(frames)
    assert centre.observed == []
    late = (Topic.FRAME_SEGMENTED, frame(1, 24))
    centre.take([(Topic.SCREENING_ASSESSED, revision(1)), (Topic.SCREENING_ASSESSED, revision(1)), late])
    (record,) = centre.observed
    assert record.by_feature["score"] == pytest.approx((0.50 + 0.58 + 0.66) / 3)
    assert (record.by_feature["brightness"], record.by_feature["sharpness"]) == (150.0, 0.7)
    assert (record.manufacturer, record.scanner_model, record.van_id) == ("mindray", "DC-70", VAN)


def test_a_revision_that_comes_before_its_frames_waits_for_them(centre: Centre) -> None:
    centre.take([(Topic.SCREENING_ASSESSED, revision(1)), *whole(1)[:-1]])
    (record,) = centre.observed
    assert (record.screening_id, record.manufacturer, record.scanner_model) == (screening(1), "mindray", "DC-70")


@pytest.mark.parametrize("status", ["preliminary", "incomplete", "complete"])
def test_a_screening_counts_once_it_is_told_of_as_a_whole(centre: Centre, status: str) -> None:
    centre.take([*whole(1)[:-1], (Topic.SCREENING_ASSESSED, revision(1, status=status))])
    assert len(centre.observed) == (status != "preliminary")


def test_frames_of_another_van_or_network_than_the_revisions_count_nothing(centre: Centre) -> None:
    strange = [(Topic.FRAME_SEGMENTED, frame(1, index, van_id="van-2", brightness=9.0)) for index in range(FRAMES)]
    other = [(Topic.FRAME_SEGMENTED, frame(1, index, fingerprint="9" * 64)) for index in range(FRAMES)]
    centre.take([*strange, *other, *whole(1)])
    (record,) = centre.observed
    assert (record.van_id, record.fingerprint) == (VAN, FINGERPRINT)
    assert record.by_feature["brightness"] == 150.0
    assert b"van-2" not in centre.rows("screenings")[screening(1)]


def drifting(centre: Centre, first: int, many: int, **other: Any) -> None:
    """Screenings whose brightness scatters a little, but for what is said otherwise."""
    records = []
    for number in range(first, first + many):
        bright = other.get("brightness", 100.0) + 3 * number % 7
        records += whole(number, **{**other, "brightness": bright})
    centre.take(records)


def test_a_drift_is_found_told_once_and_ends(centre: Centre) -> None:
    drifting(centre, 0, 36)
    assert faults(centre.world) == []
    windows = [each.window for each in measured(centre.world) if each.window]
    assert [(each.number, each.reference, bool(each.drifts)) for each in windows] == [
        (1, True, False), (2, True, False), (3, False, True),
    ]  # fmt: skip
    drifting(centre, 36, 24, brightness=160.0)
    drifting(centre, 60, 12)
    told = faults(centre.world)
    assert [(each.fault, each.state) for each in told] == [("drift", "raised"), ("drift", "ended")]
    assert told[0].measured is not None
    assert (told[0].measured.van_id, told[0].measured.manufacturer) == (VAN, "mindray")
    assert [each.code for each in told[0].because] == ["drift_brightness"]
    assert told[0].fault_id == told[1].fault_id


def test_the_days_of_a_reference_are_kept_and_a_window_tells_for_how_many_screenings_it_counts(centre: Centre) -> None:
    drifting(centre, 0, 36)
    rows = centre.rows("windows").items()
    full = [WindowRow.model_validate_json(row) for key, row in rows if key.endswith(("/1/1", "/1/2"))]
    assert [len(set(each.days["brightness"])) for each in full] == [4, 4]
    assert all(len(each.days[name]) == len(values) for each in full for name, values in each.values.items())
    (window,) = [each.window for each in measured(centre.world) if each.window and not each.window.reference]
    assert all(each.independent is not None and 4 <= each.independent <= 12 for each in window.drifts)


def test_another_reference_number_collects_the_reference_anew() -> None:
    centre = Centre()
    drifting(centre, 0, 24)
    centre.bounds = WatchBounds(BOUNDS.drift, 2, BOUNDS.flags_a_day, BOUNDS.rolling)
    drifting(centre, 24, 36, brightness=160.0)
    assert faults(centre.world) == []


def test_another_scanner_on_the_van_has_a_reference_of_its_own(centre: Centre) -> None:
    drifting(centre, 0, 24)
    drifting(centre, 24, 12, brightness=160.0, manufacturer="sonoscape", scanner_model="S60")
    assert faults(centre.world) == []
    windows = [each for each in measured(centre.world) if each.window]
    assert windows[-1].stratum.manufacturer == "sonoscape"
    assert windows[-1].window is not None
    assert windows[-1].window.reference


def test_frames_of_which_little_is_expected_are_flagged_but_no_more_than_so_many_a_day(centre: Centre) -> None:
    centre.take([record for number in range(5) for record in whole(number, dice=0.4)])
    flagged = [flag for each in measured(centre.world) for flag in each.flagged]
    assert [(flag.screening_id, flag.because, flag.value) for flag in flagged] == [
        (screening(number), "predicted_low", 0.4) for number in range(BOUNDS.flags_a_day)
    ]


def test_only_blind_reviews_measure_and_of_each_reader_the_newest(centre: Centre) -> None:
    world = centre.world
    seen = review(world, 1, drawn=2, blind=False)
    centre.take([*whole(1), (Topic.FRAME_REVIEWED, seen)])
    assert [each for each in measured(world) if each.agreement] == []
    centre.take([(Topic.FRAME_REVIEWED, review(world, 1, at=5, drawn=5, found=10))])
    assert centre.agreement().dice == pytest.approx(2 / 3, abs=1e-4)
    centre.take([(Topic.FRAME_REVIEWED, review(world, 1, at=9, drawn=10, found=10))])
    centre.take([(Topic.FRAME_REVIEWED, review(world, 1, at=7, drawn=1, found=10))])
    figures = centre.agreement()
    assert (figures.dice, figures.frames, figures.screenings, figures.verdict) == (1.0, 1, 1, "too_few")
    levels = {each.stratum.level for each in measured(world) if each.agreement}
    assert levels == {"network", "van", "scanner", "source"}


def test_two_readers_of_a_frame_count_as_one_frame(centre: Centre) -> None:
    world = centre.world
    centre.take([
        (Topic.FRAME_REVIEWED, review(world, 1, reader="r-1", drawn=10)),
        (Topic.FRAME_REVIEWED, review(world, 1, reader="r-2", at=2, drawn=5)),
        (Topic.FRAME_REVIEWED, review(world, 1, reader="r-2", at=3, drawn=0, index=8)),
    ])  # fmt: skip
    figures = centre.agreement()
    assert (figures.frames, figures.reader_empty, figures.outlined_there) == (1, 1, 1)
    assert figures.dice == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)


def test_outlines_that_no_longer_agree_are_a_fault_until_they_do(centre: Centre) -> None:
    world = centre.world
    centre.take([(Topic.FRAME_REVIEWED, review(world, each, drawn=10, found=8 + each % 2)) for each in range(40)])
    assert faults(world) == []
    assert centre.agreement().verdict == "met"
    centre.take([(Topic.FRAME_REVIEWED, review(world, each, drawn=10, found=5 + each % 2)) for each in range(40, 80)])
    told = faults(world)
    assert {(each.fault, each.state) for each in told} == {("agreement", "raised")}
    assert len(told) == 4  # of the network, its van, its scanner, and of this scanner on this van
    centre.take([(Topic.FRAME_REVIEWED, review(world, each, drawn=10, found=9)) for each in range(80, 150)])
    assert {each.state for each in faults(world)[4:]} == {"ended"}


def test_a_mask_that_is_not_the_one_that_was_named_is_refused(centre: Centre) -> None:
    world = centre.world
    told = review(world, 1)
    world.store.objects[Bucket.MASKS, "reviews/10.png"] = b"replaced"
    centre.take([(Topic.FRAME_REVIEWED, told)])
    (rejected,) = [RecordRejected.decode(value) for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
    assert rejected.reason == "object_contradicts_record"


def test_masks_of_different_frames_are_refused(centre: Centre) -> None:
    world = centre.world
    told = review(world, 1)
    wide = review(world, 1, drawn=0).model_copy(update={"mask_key": "van-1/10.png", "mask_sha256": "0" * 64})
    centre.take([(Topic.FRAME_REVIEWED, wide)])
    assert told.compared is not None
    reasons = [RecordRejected.decode(value).reason for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
    assert reasons == ["object_contradicts_record"]


def test_an_erased_screening_leaves_no_reviews_and_is_not_kept_again(centre: Centre) -> None:
    world = centre.world
    reviewed = [(Topic.FRAME_REVIEWED, review(world, number, drawn=10 - number)) for number in (1, 2)]
    centre.take([*whole(1), *whole(2), *reviewed])
    assert centre.agreement().screenings == 2
    centre.take([(Topic.SCREENING_ERASED, erasure(1))])
    figures = centre.agreement()
    assert (figures.screenings, figures.dice) == (1, pytest.approx(16 / 18, abs=1e-4))
    centre.take([*whole(1), reviewed[0]])
    assert centre.agreement().screenings == 1
    rows = {**centre.rows("screenings"), **centre.rows("counted")}
    kept = {key: row for key, row in rows.items() if screening(1) in key}
    assert kept
    assert all(b'"erased":true' in row and b"0.8" not in row for row in kept.values())


def test_a_screening_that_says_nothing_of_its_pictures_counts_nothing(centre: Centre) -> None:
    from tests.reports.test_amended import VOID

    silent = revision(1, amendments=(VOID,), frames=0)
    centre.take([*whole(1)[:-1], (Topic.SCREENING_ASSESSED, silent)])
    assert centre.observed == []
    assert b"sums" not in centre.rows("screenings")[screening(1)]


def test_rows_stay_small_however_many_screenings_come(centre: Centre) -> None:
    for number in (0, 20, 40):
        some = range(number, number + 20)
        centre.take([record for each in some for record in whole(each)])
        centre.take([(Topic.FRAME_REVIEWED, review(centre.world, each)) for each in some])
    largest = max(map(len, centre.world.changelog.values()))
    assert largest < 8_000  # 40 keys of the agreement
    assert max(len(row) for row in centre.rows("screenings").values()) < 500


def test_a_fault_of_a_stratum_is_of_nobody_else(centre: Centre) -> None:
    drifting(centre, 0, 24)
    drifting(centre, 24, 12, brightness=160.0)
    (told,) = faults(centre.world)
    with pytest.raises(ValueError, match="one stratum"):
        FaultAlerted.model_validate(told.model_dump() | {"van_id": VAN})
    with pytest.raises(ValueError, match="the id"):
        FaultAlerted.model_validate(told.model_dump() | {"fault_id": "0" * 64})
