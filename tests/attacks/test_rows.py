"""What a van sends of a screening never makes a row that Kafka refuses, nor the next record dear: work is counted."""

import asyncio
import random
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.contracts.limits import MAX_FRAMES, MAX_ROW_BYTES, MAX_SEQUENCES, MAX_SET_ASIDE, MAX_VALUE_BYTES
from sonovan.contracts.record import Record
from sonovan.contracts.results import Member
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import SequenceClosed, SetAside
from sonovan.stream_apps.assess.known import sequence_row
from sonovan.stream_apps.assess.rows import PublishedRow, ScreeningRow, SequenceRow, packed, unpacked
from sonovan.stream_apps.rejecting import Unusable
from sonovan.stream_apps.stage import Message, Outcome, Outgoing, Stage
from tests.stream_apps.assess.scene import Desk, Scene
from tests.stream_apps.memory import Run, World

TOO_LARGE = {("screening_too_large", "van-1", True)}


class CountingDesk(Desk):
    """Counts the bytes of rows that a message reads, and looks at the size of every row that it writes."""

    read_bytes = 0

    def row(self, table: str, key: str) -> bytes | None:
        data = super().row(table, key)
        self.read_bytes += len(data or b"")
        return data

    def cost_of(self, said: tuple[Topic, Record]) -> int:
        """Bytes of rows read and written for one more message."""
        self.read_bytes, self.written = 0, {}
        self.take(said)
        assert max(map(len, self.rows.values())) <= MAX_ROW_BYTES
        return self.read_bytes + sum(len(row or b"") for row in self.written.values())


def fat_closing(scene: Scene, sequence_id: str, seed: int) -> tuple[Topic, Record]:
    """The largest closing of a sweep that a header holds, with content of its own."""
    aside = tuple(
        SetAside(frame_index=200 * place, frames=1 + seed % 100, reason="r" * 60, discarded=True)
        for place in range(MAX_SET_ASIDE)
    )
    _, closing = scene.sequence_closed()
    assert isinstance(closing, SequenceClosed)
    changed = {"sequence_id": sequence_id, "frame_count": MAX_FRAMES, "set_aside": aside}
    return Topic.SEQUENCE_CLOSED, closing.model_copy(update=changed)


def refused(desk: Desk, records: Iterator[tuple[Topic, Record]]) -> set[tuple[str, str | None, bool]]:
    """Why some of these are refused, and whose they are."""
    found = set[tuple[str, str | None, bool]]()
    for said in records:
        try:
            desk.take(said)
        except Unusable as error:
            found.add((error.reason, error.subject.van_id, error.subject.verified))
    return found


def test_closings_without_end_fill_no_row_and_the_next_small_record_costs_no_more_than_the_bound() -> None:
    scene = Scene(frames=3)
    desk = CountingDesk(scene)
    for said in (scene.opened(), scene.frame(1), scene.screening_closed()):
        desk.take(said)  # so that the small ones below make no row larger
    fat = (fat_closing(scene, mint_id(), number) for number in range(60))
    assert refused(desk, fat) == TOO_LARGE
    assert desk.cost_of(scene.frame(0)) < 3 * MAX_ROW_BYTES
    assert desk.cost_of(scene.screening_closed(number=2)) < 3 * MAX_ROW_BYTES


def test_of_a_filled_screening_a_small_record_parses_the_row_alone_that_it_changes() -> None:
    """Parsing the largest rows took 77 ms a record: enough to fall behind a few hundred bytes a second."""
    scene = Scene(frames=50)
    desk = CountingDesk(scene)
    desk.take(scene.opened())
    refused(desk, (fat_closing(scene, mint_id(), number) for number in range(12)))
    before = sequence_row.cache_info().misses
    for index in range(50):
        desk.take(scene.frame(index))
    assert sequence_row.cache_info().misses - before <= 50


def test_ever_new_contents_of_one_closing_cost_what_two_of_them_cost() -> None:
    scene = Scene(frames=3)
    desk = CountingDesk(scene)
    desk.take(scene.opened())
    costs = [desk.cost_of(fat_closing(scene, scene.sequence_id, seed)) for seed in range(12)]
    assert max(costs[3:]) <= max(costs[:3]) + 1000


def test_a_sequence_beyond_the_thousandth_is_refused_and_nothing_else_is_harmed() -> None:
    scene = Scene(frames=3)
    desk = CountingDesk(scene)
    desk.take(scene.opened())
    _, closing = scene.sequence_closed()
    ids = [mint_id(1000 + number) for number in range(MAX_SEQUENCES)]
    desk.take((Topic.SEQUENCE_CLOSED, closing.model_copy(update={"sequence_id": ids[0]})))
    # All but the last as if they had come, too: to take a thousand one after another is a minute's work.
    row = desk.rows["sequences", f"{ids[0]}@{scene.van_id}"]
    for each in ids[1:-1]:
        desk.rows["sequences", f"{each}@{scene.van_id}"] = row.replace(ids[0].encode(), each.encode())
    known = ScreeningRow.model_validate_json(desk.rows["screenings", scene.screening_id])
    part = known.vans[scene.van_id].model_copy(update={"sequence_ids": tuple(sorted(ids[:-1]))})
    whole = known.model_copy(update={"vans": {scene.van_id: part}})
    desk.rows["screenings", scene.screening_id] = whole.model_dump_json().encode()
    desk.take((Topic.SEQUENCE_CLOSED, closing.model_copy(update={"sequence_id": ids[-1]})))
    one_more = (Topic.SEQUENCE_CLOSED, closing.model_copy(update={"sequence_id": mint_id(5000)}))
    assert refused(desk, iter([one_more])) == TOO_LARGE
    assert desk.cost_of(scene.opened()) < 3 * MAX_ROW_BYTES


def test_frames_that_one_van_has_rejected_take_a_bit_each() -> None:
    row = SequenceRow(segmented=f"{(1 << MAX_FRAMES) - 1:x}")
    everything = f"{(1 << MAX_FRAMES) - 1:x}"
    row = row.model_copy(update={"rejected": {f"reason_{number}": everything for number in range(16)}})
    assert len(row.model_dump_json()) < MAX_ROW_BYTES // 2


def test_a_frame_is_rejected_for_its_latest_reason_alone() -> None:
    row = SequenceRow().with_rejected(7, "pixels_corrupt").with_rejected(9, "pixels_corrupt")
    row = row.with_rejected(7, "record_invalid")
    assert row.reasons() == {7: "record_invalid", 9: "pixels_corrupt"}
    assert row.rejected_bitmap == 1 << 7 | 1 << 9


def test_a_lesion_on_every_one_of_100000_frames_is_remembered_in_a_row() -> None:
    """The legal worst: three lesions on every frame, each with another ordinal every five frames."""
    sequence_id, chance = mint_id(3), random.Random(1)
    members = dict[str, dict[str, str]]()
    for lesion in range(3):
        ordinals = [chance.randrange(3) for _ in range(MAX_FRAMES // 5)]
        frames = [
            Member(frame_id=frame_id(sequence_id, index), ordinal=ordinals[index // 5]) for index in range(MAX_FRAMES)
        ]
        members[f"{lesion:064x}"] = packed(frames)
    row = PublishedRow(revision_id="ab" * 32, revision_number=9, status="complete", trigger="cd" * 32, members=members)
    assert len(row.model_dump_json()) < MAX_ROW_BYTES


PLACES = st.sets(st.tuples(st.integers(1, 3), st.integers(0, 40), st.integers(0, 4)))


@given(PLACES)
def test_packed_members_come_out_as_they_went_in(places: set[tuple[int, int, int]]) -> None:
    members = [
        Member(frame_id=frame_id(mint_id(number, bytes), index), ordinal=place) for number, index, place in places
    ]
    assert unpacked(packed(members)) == {(each.frame_id, each.ordinal) for each in members}


def test_vans_that_speak_of_a_screening_that_is_not_theirs_leave_room_for_its_opener() -> None:
    scene = Scene(frames=1, lesion=[0])
    desk = Desk(scene)
    _, result = scene.frame(0)
    for number in range(4):
        desk.take((Topic.FRAME_SEGMENTED, result.model_copy(update={"van_id": f"van-{number + 2}"})))
    with pytest.raises(Unusable) as caught:
        desk.take((Topic.FRAME_SEGMENTED, result.model_copy(update={"van_id": "van-9"})))
    assert caught.value.reason == "opening_missing"
    decided = [desk.take(said).revision for said in scene.everything()]
    assert decided[-1] is not None
    assert decided[-1].assessed.status == "complete"


def test_a_result_too_many_names_its_frame_and_a_rejection_of_it_stays_out_of_the_rows() -> None:
    scene = Scene(frames=3)
    desk = Desk(scene)
    desk.take(scene.opened())
    whole = SequenceRow(segmented=f"{(1 << MAX_FRAMES) - 1:x}").model_dump_json().encode()
    desk.take(scene.frame(0))
    desk.rows["sequences", f"{scene.sequence_id}@{scene.van_id}"] = whole
    _, other = scene.frame(0)
    elsewhere = mint_id()
    said = (Topic.FRAME_SEGMENTED, other.model_copy(update={"sequence_id": elsewhere}))
    with pytest.raises(Unusable) as caught:
        desk.take(said)
    assert (caught.value.reason, caught.value.subject.frame_id) == ("screening_too_large", frame_id(elsewhere, 0))


@pytest.mark.parametrize("too_large", ["a row", "a record", "a row of what was published"])
def test_what_kafka_would_refuse_is_rejected_before_it_is_written_and_the_worker_goes_on(too_large: str) -> None:
    """Without that the worker ends, and ends again after every restart."""
    world = World()
    world.append(Topic.RECORD_REJECTED, b"poison")
    world.append(Topic.RECORD_REJECTED, b"honest")
    row, record = {("counts", "x"): b"r" * (MAX_ROW_BYTES + 1)}, _Huge()

    def process(message: Message) -> Outcome:
        if message.value == b"honest":
            return Outcome(received={("counts", "y"): b"1"})
        if too_large == "a record":
            return Outcome(records=((Outgoing(Topic.LESION_ALERTED, "k", record),),))
        return Outcome(received=row) if too_large == "a row" else Outcome(published=lambda _offsets: row)

    async def through() -> None:
        run = Run(world, lambda _world, _tables: Stage(name="toy", reads=(Topic.RECORD_REJECTED,), process=process))
        await run.take(world.arrived)
        await run.end()

    asyncio.run(through())
    assert set(world.changelog) == {("counts", "y")}
    told = [RecordRejected.decode(value).reason for topic, _, value in world.sent if topic == Topic.RECORD_REJECTED]
    assert told == ["result_too_large"]


class _Huge(Record):
    schema_name: ClassVar[str] = "huge"

    def encode(self) -> bytes:
        return b"h" * (MAX_VALUE_BYTES + 1)
