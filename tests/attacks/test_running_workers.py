"""Each attack on records and signatures of docs/security.md, against running workers over a real broker and store.

What each guard does in detail is tested without services beside this file. Here it must hold for worker processes as
`sonovan up` starts them, and no worker may end: `world` starts those that are gone, so each test looks at their pids.
"""

import hashlib
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from benchmarks.bombs import LARGEST, bomb
from benchmarks.processes import PEAK, clear_peak, cpu_s, memory_mib
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.envelope import seal
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import MAX_FRAMES, MAX_SET_ASIDE, MIB
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import Consent, SequenceClosed, SetAside
from sonovan.contracts.words import NOTES
from sonovan.producers.items import Ids, Signer, mint_ids
from sonovan.storage.keys import Bucket
from tests.attacks.conftest import ATTACKED
from tests.attacks.watching import answers, changed, completes, control, nobody_ends, rejected, send, signed
from tests.journeys.account import wait_for
from tests.journeys.van import Van, sweep
from tests.journeys.world import World
from tests.stream_apps.segment.frames import TestVan
from tests.waiting import elapse

pytestmark = pytest.mark.services

SENT: Final = ("millions of small lists", "a huge map", "lists within lists")
"""Of the bombs, those that took the most memory."""

PEAK_MIB: Final = 300
"""How much more memory three messages of 31 MiB may take than the worker had; they took 2.2 GiB each."""

TICK_EVERY_S: Final = float(ATTACKED["SONOVAN_ASSESS_TICK_EVERY_S"])

SMALL_CPU_S: Final = 0.2
"""What a record of half a kilobyte may take of a worker where its screening is filled to the bound; it took 3.1 s."""


@pytest.fixture(scope="module")
def vans(attacked: World) -> tuple[Van, Van]:
    """Two vans with keys and accounts of their own."""
    return Van(attacked), Van(attacked)


@pytest.fixture
def van(vans: tuple[Van, Van]) -> Van:
    """A van; where it is attacked, the attacker is the other one."""
    return vans[0]


@pytest.fixture
def attacker(vans: tuple[Van, Van]) -> Van:
    """A van that was taken over: its key and its account are valid."""
    return vans[1]


def worker_cpu_s(world: World, stage: str) -> float:
    """What the worker has computed so far, in seconds of a core."""
    record = world.record(stage)
    assert record is not None
    return cpu_s(record.pid)


@pytest.mark.parametrize(
    ("stage", "topic", "reason"),
    [
        ("segment", Topic.FRAME_CAPTURED, "envelope_corrupt"),
        ("assess", Topic.SEQUENCE_CLOSED, "record_too_large"),
    ],
)
def test_messages_of_31_mib_of_msgpack_take_little_more_memory_than_their_own(
    world: World, attacker: Van, stage: str, topic: Topic, reason: str
) -> None:
    record = world.record(stage)
    assert record is not None
    key, told = mint_id(), list[RecordRejected]()
    with nobody_ends(world, stage):
        clear_peak(record.pid)
        before = memory_mib(record.pid)
        for name in SENT:
            value = bomb(name, LARGEST)
            send(attacker, (topic, key, value))
            told += rejected(world, 1, topic=topic, content_sha256=hashlib.sha256(value).hexdigest())
        assert memory_mib(record.pid, PEAK) - before < PEAK_MIB
    assert {(one.reason, one.van_id) for one in told} == {(reason, None)}
    assert sum(one.kept for one in told) <= 1, "who nobody is has one share of quarantine"


@pytest.mark.parametrize("number", [10**70, 10**10, -1])
def test_a_closing_number_of_seventy_digits_ends_nothing_whoever_signed_it(
    world: World, van: Van, attacker: Van, number: int
) -> None:
    screening = attacker.screening(sweep(2))
    value = control(screening, Topic.SEQUENCE_CLOSED).value
    signed_by = attacker.signer.private_key
    with nobody_ends(world, "assess"):
        send(
            attacker,
            (Topic.SEQUENCE_CLOSED, screening.screening_id, changed(value, signed_by, closing_number=number)),
            (Topic.SEQUENCE_CLOSED, screening.screening_id, changed(value, generate_key(), closing_number=number)),
        )
        told = rejected(world, 2, screening_id=screening.screening_id)
    assert {one.reason for one in told} == {"record_invalid", "signature_invalid"}


def test_sixteen_equal_panels_are_refused_before_a_pixel_is_looked_at(world: World, attacker: Van) -> None:
    screening = attacker.screening(sweep(2))
    frame = screening.frames[0]
    box = {"left": 0, "top": 0, "width": 320, "height": 240}
    panels = [{"ordinal": number, **box} for number in range(16)]
    with nobody_ends(world, "segment"):
        value = changed(frame.value, attacker.signer.private_key, panels=panels)
        send(attacker, (Topic.FRAME_CAPTURED, frame.key.decode(), value))
        (told,) = rejected(world, 1, screening_id=screening.screening_id)
    assert (told.reason, told.verified, told.retryable) == ("record_invalid", True, False)


def fat_closing(van: Van, screening_id: str, seed: int) -> tuple[Topic, str, bytes]:
    """The largest closing that a header holds, of a sweep of its own."""
    aside = tuple(
        SetAside(frame_index=200 * place, frames=1 + seed, reason=max(NOTES, key=len), discarded=True)
        for place in range(MAX_SET_ASIDE)
    )
    return signed(van, Topic.SEQUENCE_CLOSED, closing(van, screening_id, MAX_FRAMES, set_aside=aside), screening_id)


def closing(van: Van, screening_id: str, frames: int = 1, **fields: Any) -> SequenceClosed:
    return SequenceClosed(
        screening_id=screening_id,
        sequence_id=mint_id(),
        van_id=van.van_id,
        closing_number=1,
        frame_count=frames,
        frames_digest="ab" * 32,
        organ="breast",
        closed_at=datetime.now(UTC),
        **fields,
    )


def test_a_screening_that_is_filled_makes_no_row_that_kafka_refuses_nor_its_next_records_dear(
    world: World, van: Van, attacker: Van
) -> None:
    screening = attacker.screening(sweep(2))
    screening_id = screening.screening_id
    opening = control(screening, Topic.SCREENING_OPENED)
    huge = changed(opening.value, attacker.signer.private_key)[:-1] + b"x" * (13 * MIB)
    with nobody_ends(world, "assess"):
        attacker.send([opening])
        send(attacker, (Topic.SCREENING_OPENED, screening_id, huge))
        send(attacker, *(fat_closing(attacker, screening_id, number) for number in range(40)))
        assert rejected(world, 1, reason="record_too_large", content_sha256=hashlib.sha256(huge).hexdigest())
        assert rejected(world, 1, reason="screening_too_large", screening_id=screening_id)
        small = [closing(attacker, screening_id) for _ in range(20)]
        before = worker_cpu_s(world, "assess")
        send(attacker, *(signed(attacker, Topic.SEQUENCE_CLOSED, each, screening_id) for each in small))
        wanted = {each.item_id for each in small}
        world.until(lambda: wanted <= {one.item_id for one in answers(world, attacker)}, "small records are answered")
        assert (worker_cpu_s(world, "assess") - before) / len(small) < SMALL_CPU_S
        completes(world, van)


def test_who_knows_a_sequence_id_takes_no_frame_from_its_owner(world: World, van: Van, attacker: Van) -> None:
    screening = van.screening(sweep(4))
    stolen = attacker.screening(sweep(4), screening.ids)
    attacker.send(stolen.frames)
    world.until(
        lambda: len(world.records(Topic.FRAME_SEGMENTED, FrameSegmented, screening.screening_id)) == 4, "it was first"
    )
    van.send(screening.items)
    revision = wait_for(world, screening, "complete")
    assert revision.revision_id == screening.embedded().revision_id
    assert {one.kind for one in answers(world, van) if one.item_id in screening.frame_ids} == {"stored"}


def test_no_van_has_a_stage_write_into_the_answers_of_another(world: World, van: Van, attacker: Van) -> None:
    screening = van.screening(sweep(2))
    private = attacker.signer.private_key
    forged = [(item.topic, item.key, changed(item.value, private), ()) for item in screening.items]
    attacker.send_values(forged)
    told = rejected(world, len(forged), screening_id=screening.screening_id)
    assert {(one.reason, one.verified, one.retryable) for one in told} == {("signature_invalid", False, True)}
    for each in (van, attacker):
        assert [one for one in answers(world, each) if one.screening_id == screening.screening_id] == []


def test_a_correction_counts_whatever_the_clock_said_of_the_record_before(world: World, van: Van) -> None:
    screening = van.screening(sweep(4), features={"age_years": 74})
    features = control(screening, Topic.FEATURES_RECORDED)
    ahead = (datetime.now(UTC) + timedelta(days=365)).isoformat()
    private = van.signer.private_key
    early = changed(features.value, private, recorded_at=ahead)
    send(van, (Topic.FEATURES_RECORDED, screening.screening_id, early))
    van.send([item for item in screening.items if item is not features])
    wait_for(world, screening, "complete")
    again = FeaturesRecorded(
        screening_id=screening.screening_id,
        van_id=van.van_id,
        features_number=2,
        recorded_at=datetime.now(UTC),
        age_years=47,
    )
    send(van, signed(van, Topic.FEATURES_RECORDED, again, screening.screening_id))
    corrected = screening.embedded(features={"age_years": 47})
    wait_for(world, screening, "complete", lambda one: one.revision_id == corrected.revision_id)


def test_what_she_did_not_agree_to_happens_nowhere(world: World, van: Van) -> None:
    screening = van.screening(sweep(2))
    refused = Consent(screening=True, ai=False).model_dump()
    frame, opening = screening.frames[0], control(screening, Topic.SCREENING_OPENED)
    private = van.signer.private_key
    send(
        van,
        (Topic.FRAME_CAPTURED, frame.key.decode(), changed(frame.value, private, consent=refused)),
        (Topic.SCREENING_OPENED, screening.screening_id, changed(opening.value, private, consent=refused)),
    )
    (told,) = rejected(world, 1, reason="consent_refused", frame_id=frame.item_id)
    assert (told.stage, told.kept) == ("segment", False)
    # A van that lies in its frames' headers: they are segmented, and `assess` makes nothing of them.
    van.send([item for item in screening.items if item is not opening])
    told_by_assess = rejected(
        world, 4, stage="assess", reason="consent_refused", screening_id=screening.screening_id, kept=False
    )
    assert len(told_by_assess) == 4
    assert world.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening.screening_id) == []
    assert not world.quarantine.exists(Bucket.QUARANTINE, told.quarantine_key)


def test_what_a_van_sent_before_it_got_another_key_is_read_as_it_was_signed(world: World) -> None:
    van = Van(world)
    screening = van.screening(sweep(8))
    world.stop("segment")
    van.send(screening.items)
    van.revoke()
    earlier, van.signer = van.signer, Signer(van.van_id, generate_key())
    van.enrol()
    late = TestVan(van.van_id, earlier.private_key, screening.screening_id)
    send(van, (Topic.FRAME_CAPTURED, late.sequence_id, late.frame(0)))
    world.start("segment")
    wait_for(world, screening, "complete")
    told = rejected(world, 1, van_id=van.van_id)
    assert [(one.reason, one.retryable) for one in told] == [("van_revoked", True)]


def test_a_second_worker_in_the_folder_of_another_ends_and_the_first_goes_on(world: World, van: Van) -> None:
    """As `docker compose up --scale assess=2` starts it: two that write the same tables damage them."""
    with nobody_ends(world, "assess"):
        second = world.start_in_folder_of("assess", 2)
        assert second.wait(60) == 5
        assert "another worker runs in" in (second.stderr.read() if second.stderr else "")
        completes(world, van)


@pytest.fixture(scope="module")
def poison() -> Ids:
    """The ids of the screening whose opening ends `tests.attacks.changed_assess`."""
    return mint_ids(1)


def changed_worker(world: World, poison: Ids) -> None:
    """See that `tests.attacks.changed_assess` runs in place of `assess`."""
    world.start_changed_assess("tests.attacks.changed_assess", poison.screening_id)


def test_an_operator_passes_a_record_that_ends_a_worker_at_every_start(world: World, van: Van, poison: Ids) -> None:
    opening = control(van.screening(sweep(2), poison), Topic.SCREENING_OPENED)
    changed_worker(world, poison)
    van.send([opening])
    world.until(lambda: not world.runs("assess"), "the record ends the worker")
    told = re.search(r"pass it: sonovan (skip assess .*) --why REASON", world.log("assess"))
    assert told is not None
    world.sonovan(*shlex.split(told[1]), "--why", "ends assess since noon")
    changed_worker(world, poison)
    (skipped,) = rejected(world, 1, screening_id=poison.screening_id)
    assert (skipped.reason, skipped.kept, skipped.verified) == ("skipped_by_operator", True, True)
    assert world.quarantine.get(Bucket.QUARANTINE, skipped.quarantine_key) == opening.value
    world.until(
        lambda: any(one.reason == "skipped_by_operator" for one in answers(world, van)), "the van is told of it"
    )


def test_a_worker_whose_clock_is_ten_minutes_ahead_says_so_and_leaves_no_screening_incomplete(
    attacked: World, van: Van, poison: Ids
) -> None:
    """It called every open screening incomplete. Not `world`, which starts the usual worker: it goes on with the one of
    the test before, where that ran."""
    if not attacked.runs("segment"):
        attacked.work()
    changed_worker(attacked, poison)
    screening = van.screening(sweep(4))
    held = screening.frames[-1]
    van.send([item for item in screening.items if item is not held])
    named = re.compile(r"clock is (59\d|60\d) s ahead of the broker's")  # the answer it is told from takes a while
    attacked.until(lambda: named.search(attacked.log("assess")), "it names the difference")
    elapse(4 * TICK_EVERY_S)  # by its own clock the screening's time is over
    van.send([held])
    wait_for(attacked, screening, "complete")
    statuses = [
        one.status for one in attacked.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening.screening_id)
    ]
    assert "incomplete" not in statuses


def test_a_stage_that_rejects_what_most_vans_send_stops_and_says_so(world: World, vans: tuple[Van, Van]) -> None:
    three = (*vans, Van(world))
    screenings = [mint_id() for _ in three]
    for van, screening_id in zip(three, screenings, strict=True):
        record = seal(closing(van, screening_id), van.signer.private_key)
        wrong = changed(record, van.signer.private_key, organ="liver")
        send(van, *[(Topic.SEQUENCE_CLOSED, screening_id, wrong)] * 12)
    world.until(lambda: not world.runs("assess"), "the stage stops")
    assert "assess rejects too much" in world.log("assess")
    world.work()
    completes(world, vans[0])
