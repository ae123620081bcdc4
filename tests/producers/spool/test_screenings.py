"""A screening in the spool: unfinished, resumed, added to, closed and closed again; held, released, discarded."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonovan.contracts.digests import frames_digest
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import decode_verified, pixels_sha256
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import (
    Consent,
    FrameCaptured,
    PlannedRegion,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
)
from sonovan.producers.screening import compose, compose_sequence
from sonovan.producers.sources import CapturedFrame, LostFrame, Source
from sonovan.producers.sources.source import whole_panel
from sonovan.producers.spool import HELD, QUEUED, Message, Spool
from tests.producers.files import grey
from tests.producers.spool.test_spool import messages, store_all
from tests.producers.visits import SIGNER, VISIT, vault_at


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path, vault_at(tmp_path)) as opened:
        yield opened


def shot(index: int, seed: int | None = None) -> CapturedFrame:
    pixels = grey(seed=index if seed is None else seed)
    return CapturedFrame(index, 50.0 * index, pixels, (whole_panel(48, 64, None, "left"),))


def source(frames: int = 3, *, lost: tuple[int, ...] = (), burned_in: bool = False, cut: bool = False) -> Source:
    def read() -> Iterator[CapturedFrame | LostFrame]:
        for index in range(frames):
            yield LostFrame(index, "frame_unreadable", "a frame") if index in lost else shot(index)
        if cut:
            raise KeyboardInterrupt

    return Source(Path("a.dcm"), "breast", "left", None, None, frames, read, burned_in=burned_in)


def of_topic(spool: Spool, topic: Topic) -> list[Message]:
    return [each for each in messages(spool) if each.topic == topic]


def sequence_closings(spool: Spool) -> list[SequenceClosed]:
    return [SequenceClosed.decode(open_envelope(each.value).header) for each in of_topic(spool, Topic.SEQUENCE_CLOSED)]


def screening_closings(spool: Spool) -> list[ScreeningClosed]:
    found = of_topic(spool, Topic.SCREENING_CLOSED)
    return [ScreeningClosed.decode(open_envelope(each.value).header) for each in found]


def test_a_spooled_screening_is_what_the_embedded_run_composes(spool: Spool) -> None:
    """The same records but for ids and times: there is one composer."""
    parts = [source(3, lost=(1,)), source(2)]
    screening = spool.open_screening(replace(VISIT, features={"age_years": 47}), SIGNER, parts)
    for each in parts:
        compose_sequence(screening, each, mint_id())
    screening.close()
    put: list[tuple[str, str]] = []
    compose(
        parts, replace(VISIT, features={"age_years": 47}), SIGNER, lambda item: put.append((item.topic, item.item_id))
    )
    assert sorted(each.topic for each in messages(spool)) == sorted(topic for topic, _ in put)
    assert all(open_envelope(each.value).is_signed_by(public_key(SIGNER.private_key)) for each in messages(spool))
    assert [each.frame_count for each in sequence_closings(spool)] == [3, 2]
    assert [(each.frame_index, each.discarded) for each in sequence_closings(spool)[0].set_aside] == [(1, True)]


def test_a_frame_waits_to_be_sent_as_soon_as_it_was_added(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    assert spool.pending(9, 0) == []
    sequence = screening.begin(source(), mint_id())
    sequence.add(shot(0))
    assert [each.topic for each in messages(spool)] == [Topic.SCREENING_OPENED, Topic.FRAME_CAPTURED]
    assert store_all(spool) == 2
    sequence.add(shot(1))
    assert [each.item_id for each in messages(spool)] == [frame_id(sequence.sequence_id, 1)]


def test_a_screening_that_was_cut_off_goes_on_where_it_was_and_nothing_is_doubled(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    with pytest.raises(KeyboardInterrupt):
        compose_sequence(screening, source(2, cut=True), mint_id(), origin="/sweep.dcm")
    (state,) = spool.screenings()
    assert (state.unfinished, state.frames, state.closing_number) == (True, 2, 0)
    again = spool.resume_screening(state.screening_id, SIGNER)
    compose_sequence(again, source(4), mint_id(), origin="/sweep.dcm")
    composed = again.close()
    assert [each.frames for each in composed.sequences] == [4]
    assert len(of_topic(spool, Topic.SCREENING_OPENED)) == 1
    assert len(of_topic(spool, Topic.FRAME_CAPTURED)) == 4
    (closing,) = sequence_closings(spool)
    assert closing.frames_digest == frames_digest([pixels_sha256(grey(seed=index)) for index in range(4)])
    assert screening_closings(spool)[0].quality_warnings == ()


def test_a_sequence_that_was_never_ended_is_closed_with_a_warning_until_it_is(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    sequence = screening.begin(source(), mint_id())
    sequence.add(shot(0))
    screening.close()
    sequence.end()
    screening.close()
    assert [each.quality_warnings for each in screening_closings(spool)] == [("sequence_cut_short",), ()]
    assert [each.closing_number for each in sequence_closings(spool)] == [1]


def test_every_closing_of_a_sweep_names_who_scanned_it_also_one_that_a_released_frame_brings(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    compose_sequence(screening, source(2, burned_in=True), mint_id(), operator="op-7")
    compose_sequence(screening, source(2), mint_id())
    screening.close()
    spool.release(spool.held()[0].frame_id, SIGNER)
    assert sorted((each.closing_number, each.operator or "nobody") for each in sequence_closings(spool)) == [
        (1, "nobody"), (1, "op-7"), (2, "op-7"),
    ]  # fmt: skip


def test_a_sweep_in_a_spool_of_an_earlier_version_names_nobody(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    sequence = screening.begin(source(), mint_id())
    sequence.add(shot(0))
    with spool._db.transaction():  # as the versions before 0126 wrote it
        spool._db.write("UPDATE sequences SET about = ?", '["breast", "left", null, null]')
    sequence.end()
    assert [each.operator for each in sequence_closings(spool)] == [None]


def test_a_sweep_is_written_as_earlier_programs_read_it_unless_somebody_said_who_scanned(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    for operator in (None, "op-7"):
        compose_sequence(screening, source(1), mint_id(), operator=operator)
    (nobody,), (somebody,) = spool._db.read("SELECT about FROM sequences ORDER BY number")
    assert json.loads(nobody) == ["breast", "left", None, None]
    assert json.loads(somebody) == ["breast", "left", None, None, "op-7"]


def test_purging_forgets_who_scanned(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    compose_sequence(screening, source(1), mint_id(), operator="op-7")
    screening.close()
    store_all(spool)
    assert spool.purge() > 0
    assert [each.side for each in spool.sweeps(screening.screening_id)] == ["left"]
    spool.reopen(screening.screening_id)
    spool.resume_screening(screening.screening_id, SIGNER).close()
    assert [each.closing_number for each in screening_closings(spool)] == [2]
    assert [row for row in spool._db.read("SELECT about FROM sequences") if "op-7" in row[0]] == []


def test_after_lunch_it_is_added_to_and_closed_with_a_higher_number(spool: Spool) -> None:
    name = mint_id()
    screening = spool.open_screening(VISIT, SIGNER, [source()], screening_id=name)
    compose_sequence(screening, source(2), mint_id())
    screening.close()
    store_all(spool)
    covered = (PlannedRegion(organ="breast", side="left"),)
    again = spool.resume_screening(name, SIGNER)
    compose_sequence(again, source(1), mint_id())
    again.close(covered)
    (closing,) = screening_closings(spool)
    assert (closing.closing_number, len(closing.sequence_ids), closing.covered) == (2, 2, covered)
    assert of_topic(spool, Topic.SCREENING_OPENED) == []


def test_a_sequence_that_was_closed_is_closed_again_with_a_higher_number(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    sequence = screening.begin(source(), mint_id())
    sequence.add(shot(0))
    sequence.end()
    sequence.add(shot(1))
    sequence.end()
    screening.close()
    assert [(each.closing_number, each.frame_count) for each in sequence_closings(spool)] == [(1, 1), (2, 2)]


def test_closing_without_a_change_does_nothing(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    compose_sequence(screening, source(1), mint_id())
    screening.close()
    before = spool.pending(99, 0)
    screening.close()
    assert spool.resume_screening(screening.screening_id, SIGNER).close().sequences == ()
    assert spool.pending(99, 0) == before


def test_a_screening_without_a_readable_frame_leaves_no_trace(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    compose_sequence(screening, source(2, lost=(0, 1)), mint_id())
    composed = screening.close()
    assert (composed.sequences, len(composed.refused)) == ((), 1)
    assert (spool.screenings(), spool.status().waiting) == ([], 0)


def test_the_same_instance_is_one_frame_whatever_sequence_it_comes_in(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    one, other = screening.begin(source(), mint_id()), screening.begin(source(), mint_id())
    one.add(shot(0), origin="1.2.3")
    other.add(shot(5, seed=0), origin="1.2.3")
    one.add(shot(1), origin="1.2.4")
    one.add(shot(0), origin="1.2.3")
    assert len(of_topic(spool, Topic.FRAME_CAPTURED)) == 2


def test_other_pixels_under_a_frames_index_are_refused(spool: Spool) -> None:
    sequence = spool.open_screening(VISIT, SIGNER, [source()]).begin(source(), mint_id())
    sequence.add(shot(0))
    sequence.add(shot(0))
    with pytest.raises(InvalidRecord) as caught:
        sequence.add(shot(0, seed=7))
    assert caught.value.reason == "item_contradicts_spool"
    assert len(of_topic(spool, Topic.FRAME_CAPTURED)) == 1
    assert len(list((spool.folder / "items").iterdir())) == 2


def test_several_frames_are_kept_in_one_step_or_not_at_all(spool: Spool) -> None:
    sequence = spool.open_screening(VISIT, SIGNER, [source()]).begin(source(), mint_id())
    sequence.add(shot(3, seed=9))
    with pytest.raises(InvalidRecord):
        sequence.add_all([(shot(index), None) for index in range(4)])
    assert len(of_topic(spool, Topic.FRAME_CAPTURED)) == 1
    assert sequence.add_all([(shot(0), None), (LostFrame(1, "frame_unreadable", "lost"), None)])[0] is None
    sequence.end()
    (closing,) = sequence_closings(spool)
    assert closing.frame_count == 4


def test_two_scanners_compose_into_one_screening_at_once(tmp_path: Path) -> None:
    with Spool(tmp_path, vault_at(tmp_path)) as spool:
        name = spool.open_screening(VISIT, SIGNER, [source()]).screening_id

        def scan(_number: int) -> None:
            with Spool(tmp_path, vault_at(tmp_path)) as mine:
                compose_sequence(mine.resume_screening(name, SIGNER), source(12), mint_id())

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(scan, range(2)))
        spool.resume_screening(name, SIGNER).close()
        assert len(of_topic(spool, Topic.SCREENING_OPENED)) == 1
        assert len(of_topic(spool, Topic.FRAME_CAPTURED)) == 24
        assert [each.frame_count for each in sequence_closings(spool)] == [12, 12]
        assert len(screening_closings(spool)[0].sequence_ids) == 2


def test_an_unknown_screening_is_not_resumed_and_a_known_id_not_opened_again(spool: Spool) -> None:
    with pytest.raises(InvalidRecord, match="no screening"):
        spool.resume_screening(mint_id(), SIGNER)
    name = spool.open_screening(VISIT, SIGNER, [source()]).screening_id
    with pytest.raises(InvalidRecord, match="already"):
        spool.open_screening(VISIT, SIGNER, [source()], screening_id=name)


def test_what_she_did_not_agree_to_is_not_opened(spool: Spool) -> None:
    with pytest.raises(InvalidRecord) as caught:
        spool.open_screening(replace(VISIT, consent=Consent(screening=True, ai=False)), SIGNER, [source()])
    assert (caught.value.reason, spool.screenings()) == ("consent_refused", [])


def test_her_consent_and_plan_outlive_a_kill_before_the_first_frame(spool: Spool) -> None:
    consent = Consent(screening=True, ai=True, research=True)
    visit = replace(VISIT, consent=consent, planned=(PlannedRegion(organ="thyroid", side="left"),))
    name = spool.open_screening(visit, SIGNER).screening_id
    compose_sequence(spool.resume_screening(name, SIGNER), source(1), mint_id())
    opening, frame = (open_envelope(each.value).header for each in messages(spool) if "closed" not in each.item_id)
    assert ScreeningOpened.decode(opening).planned == visit.planned
    assert FrameCaptured.decode(frame).consent == consent


@pytest.fixture
def held(spool: Spool) -> tuple[Spool, str]:
    """Two held frames of a closed screening, and the name of the first."""
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    compose_sequence(screening, source(2, burned_in=True), mint_id())
    screening.close()
    frames = spool.held(screening.screening_id)
    assert [each.reason for each in frames] == ["burned_in_annotation"] * 2
    assert spool.status().counts[HELD] == 2
    return spool, frames[0].frame_id


def test_a_released_frame_is_sent_and_its_sequence_closed_again(held: tuple[Spool, str]) -> None:
    spool, name = held
    spool.release(name, SIGNER)
    assert [each.item_id for each in of_topic(spool, Topic.FRAME_CAPTURED)] == [name]
    first, second = sequence_closings(spool)
    assert (second.closing_number, second.frames_digest) == (2, first.frames_digest)
    assert [(each.frame_index, each.frames) for each in second.set_aside] == [(1, 1)]
    with pytest.raises(InvalidRecord, match="not held"):
        spool.release(name, SIGNER)


def test_a_released_frame_may_have_something_hidden(held: tuple[Spool, str]) -> None:
    spool, name = held
    pixels = grey(seed=0)
    pixels[:10] = 0
    spool.release(name, SIGNER, pixels, blackened_px=640)
    message = spool.load(name)
    assert message is not None
    envelope = open_envelope(message.value)
    header = FrameCaptured.decode(envelope.header)
    assert header.blackened_px == 640
    assert envelope.is_signed_by(public_key(SIGNER.private_key))
    sent = decode_verified(
        envelope.payload, codec=header.codec, rows=48, columns=64, channels=1, bits=8, sha256=header.pixels_sha256
    )
    assert np.array_equal(sent, pixels)
    expected = frames_digest([pixels_sha256(pixels), pixels_sha256(grey(seed=1))])
    assert sequence_closings(spool)[-1].frames_digest == expected
    assert store_all(spool) == 5
    assert len(list((spool.folder / "items").iterdir())) == 1, "the frame that is still held"


def test_a_frame_that_was_changed_by_the_operator_is_known_when_its_file_is_read_again(held: tuple[Spool, str]) -> None:
    spool, name = held
    pixels = grey(seed=0)
    pixels[:10] = 0
    spool.release(name, SIGNER, pixels)
    screening = spool.resume_screening(spool.screenings()[0].screening_id, SIGNER)
    sequence = screening.begin(source(burned_in=True), name.partition("/")[0])
    assert sequence.add(shot(0)) is None
    assert len(of_topic(spool, Topic.FRAME_CAPTURED)) == 1


def test_a_discarded_frame_counts_and_is_gone(held: tuple[Spool, str]) -> None:
    spool, name = held
    spool.discard(name, SIGNER)
    assert spool.load(name) is None
    (left,) = spool.held()
    last = sequence_closings(spool)[-1]
    assert (last.closing_number, last.frame_count) == (2, 2)
    assert [(each.frame_index, each.discarded) for each in last.set_aside] == [(0, True), (1, False)]
    assert last.frames_digest == frames_digest([pixels_sha256(grey(seed=1))])
    spool.discard(left.frame_id, SIGNER)
    assert sequence_closings(spool)[-1].frames_digest == frames_digest([])


def test_a_waiting_frame_may_be_held_and_one_that_left_may_not(spool: Spool) -> None:
    screening = spool.open_screening(VISIT, SIGNER, [source()])
    compose_sequence(screening, source(2), mint_id())
    one, other = (each.item_id for each in of_topic(spool, Topic.FRAME_CAPTURED))
    spool.hold(one, "burned_in_annotation", SIGNER)
    assert [each.frame_id for each in spool.held()] == [one]
    assert [each.frame_index for each in sequence_closings(spool)[-1].set_aside] == [0]
    spool.mark_sent(other)
    with pytest.raises(InvalidRecord, match="may have left"):
        spool.hold(other, "burned_in_annotation", SIGNER)
    assert spool.status().counts[QUEUED] == 3
