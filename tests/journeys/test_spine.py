"""The eleven journeys of the first whole path, through a real broker, a real MinIO and real worker processes.

Each ends with `assert_sound`: nothing lost, no id with two contents, every offset committed.
"""

import json
import random
import re
from pathlib import Path
from typing import Any, Final

import pytest

from sonovan import analyse
from sonovan.contracts.alerts import LesionAlerted, about_key
from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.envelope import open_envelope, seal
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.van import FrameCaptured
from sonovan.outputs import report_of
from sonovan.producers.items import Ids
from sonovan.producers.spool import Spool
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from tests.journeys.account import assert_sound, segmented, wait_for
from tests.journeys.van import SPACING_MM, Screening, Van, sweep, write_sweep
from tests.journeys.world import World
from tests.producers.visits import vault_of
from tests.stream_apps.alert.receiver import KIND, free_port, hang
from tests.waiting import elapse

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(900)]

OPTIONS: Final = (
    *("--consent", "screening,ai", "--organ", "breast", "--side", "left"),
    *("--pixel-spacing-mm", str(SPACING_MM)),
)
EMPTY_FOLDER: Final = 11
"""Number of an assess worker that has never run."""


class FromFuture(FrameCaptured):
    """A frame's header as a later release may write it."""

    schema_version = "2.0"


def test_1_a_sweep_is_sent_and_everything_exists(world: World, tmp_path: Path) -> None:
    world.work()
    van, folder = Van(world), write_sweep(tmp_path / "sweep", sweep())
    told = world.sonovan("van", "send", str(folder), *OPTIONS, "--van", van.van_id, "--wait", "--json")
    ids = ids_told(told)
    screening = van.screening(sweep(), ids)

    revision = wait_for(world, screening, "complete")
    embedded = analyse(folder, organ="breast", side="left", pixel_spacing_mm=SPACING_MM, ids=ids)
    assert told["revision_id"] == revision.revision_id == embedded.revision_id
    results = world.records(Topic.FRAME_SEGMENTED, FrameSegmented, ids.screening_id)
    assert {each.frame_id for each in results} == screening.frame_ids
    assert any(each.mask_key for each in results)
    page, text = report_of(revision, world.store)
    assert b"unsigned" in page
    document = json.loads(text)
    assert revision.revision_id in json.dumps(document)
    assert_sound(world, screening)


def test_2_segment_is_killed_mid_sweep_at_several_points(world: World) -> None:
    world.work()
    van = Van(world)
    screening = van.screening(sweep(60))
    van.send(screening.control)
    unfinished = 0
    for part in (screening.coarse_first[start : start + 20] for start in (0, 20, 40)):
        names = {item.item_id for item in part}
        van.send(part)
        world.until(
            lambda names=names: segmented(world, screening) & names, "the first frame of this part is segmented"
        )
        world.kill("segment")
        unfinished += len(names - segmented(world, screening))
        world.start("segment")
    assert unfinished > 0, "it was never killed mid-sweep"
    assert_like_embedded(world, screening)
    assert_sound(world, screening)


def test_3_assess_is_killed_between_the_send_and_the_table_write(world: World) -> None:
    world.work()
    van = Van(world)
    screening = van.screening(sweep())
    opening, sequence_closing, screening_closing = screening.control
    parts = {
        "preliminary": [opening, sequence_closing, *screening.coarse_first[:4]],
        "complete": [*screening.coarse_first[4:], screening_closing],
    }
    for status, part in parts.items():
        world.start_changed_assess("tests.journeys.dying_assess", status)
        van.send(part)
        world.until(lambda: not world.runs("assess"), f"assess dies after its {status} revision")
        assert any(each.status == status for each in revisions(world, screening))
    said = [each.encode() for each in revisions(world, screening)]
    world.start("assess")
    assert_like_embedded(world, screening)
    assert_sound(world, screening)
    assert [each.encode() for each in revisions(world, screening)] == said, "a revision was made again"
    answers = world.records(van_answered_topic(van.van_id).name, VanAnswered)
    reported = {answer.revision_id for answer in answers if answer.status is not None}
    assert {each.revision_id for each in revisions(world, screening)} == reported, "the van was not told"


def test_4_a_second_segment_worker_joins_and_leaves(world: World) -> None:
    world.work()
    van = Van(world)
    screenings = [van.screening(sweep(24)) for _ in range(6)]  # six sequences, so that both get partitions
    for screening in screenings:
        van.send([*screening.control, *screening.frames[:8]])
    world.start("segment", 2)
    assert re.search(r"ready, [1-9]\d* partitions", world.log("segment", 2))
    for screening in screenings:
        van.send(screening.frames[8:16])
    world.until(lambda: all(len(segmented(world, each)) > 8 for each in screenings), "both work")
    for screening in screenings:
        van.send(screening.frames[16:])
    assert world.stop("segment", 2) < 10
    for screening in screenings:
        wait_for(world, screening, "complete")
    assert_like_embedded(world, screenings[0])
    assert_sound(world, *screenings)


def test_5_minio_is_away_for_twenty_seconds(world: World) -> None:
    world.work()
    van = Van(world)
    screening = van.screening(sweep())
    before = screening.coarse_first[:4]
    van.send([*screening.control, *before])
    world.until(lambda: len(segmented(world, screening)) == len(before), "the first frames are segmented")
    with world.without("minio"):
        van.send(screening.coarse_first[len(before) :])
        world.until(lambda: world.log("segment").count("not ready, trying again") >= 3, "segment waits for MinIO")
        elapse(20)
        assert len(segmented(world, screening)) == len(before), "a result was sent before its objects were stored"
        assert all(world.runs(stage) for stage in ("segment", "assess", "alert"))
    assert_like_embedded(world, screening)
    assert_sound(world, screening)


def test_6_the_broker_is_away_while_the_van_sends(world: World, tmp_path: Path) -> None:
    world.work()
    van, folder = Van(world), write_sweep(tmp_path / "sweep", sweep() * 2)
    named = ("--van", van.van_id)
    with world.without("kafka"):
        told = world.sonovan("van", "send", str(folder), *OPTIONS, *named, "--json", "--give-up-s", "3", code=4)
        assert told["items"] == {"queued": 67, "sent": 0, "stored": 0, "rejected": 0, "held": 0, "withheld": 0}
    world.sonovan("van", "spool", "retry", *named)
    first = van.screening(sweep() * 2, ids_told(told))

    sending = world.command("van", "send", str(folder), *OPTIONS, *named, "--wait", "--json")
    vault = vault_of(world.centre.path, van.van_id)
    with Spool(vault.folder / "spool", vault) as spool:
        world.until(lambda: spool.status().counts["sent"] > 5, "the van is sending")
        with world.without("kafka"):
            assert spool.status().counts["queued"] > 0, "everything was sent before the broker was away"
            elapse(3)
    out, err = sending.communicate(timeout=600)
    assert sending.returncode == 0, f"{err}\n{world.log_tails()}"
    second = van.screening(sweep() * 2, ids_told(json.loads(out)))
    for screening in (first, second):
        assert wait_for(world, screening, "complete").frames == 64
    assert_sound(world, first, second)


def test_7_what_cannot_be_used_is_rejected_and_nothing_stops(world: World) -> None:
    world.work()
    van, stranger = Van(world), Van(world, enrolled=False)
    screening, strange = van.screening(sweep(12)), stranger.screening(sweep(12))
    poison = b"poison " + van.van_id.encode()
    good, key = screening.frames, screening.frames[0].key
    genuine = open_envelope(good[3].value)
    header = FrameCaptured.decode(genuine.header)
    forged = seal(header, generate_key(), genuine.payload)
    newer = seal(FromFuture.model_validate(header.model_dump()), van.signer.private_key, b"unheard of")
    van.send([*screening.control, *good[:4]])
    van.send_values([(Topic.FRAME_CAPTURED, key, value, ()) for value in (poison, forged, newer)])
    stranger.send(strange.frames[:1])
    van.send(good[4:])
    assert_like_embedded(world, screening)

    known = {"poison": poison, "forged": forged, "newer": newer, "stranger": strange.frames[0].value}
    world.until(lambda: len(kept(world, known)) == len(known), "all four are rejected")
    found = kept(world, known)
    assert {name: (each.reason, each.verified, each.retryable, each.van_id) for name, each in found.items()} == {
        "poison": ("envelope_corrupt", False, False, None),
        "forged": ("signature_invalid", False, True, van.van_id),
        "newer": ("schema_from_future", True, True, van.van_id),
        "stranger": ("van_unknown", False, True, stranger.van_id),
    }
    unknown = found["stranger"].rejection_id
    assert unknown in {row["id"] for row in world.sonovan("rejected", "list", "--json")}
    assert json.loads(world.sonovan("rejected", "show", unknown))["van_id"] == stranger.van_id
    stranger.enrol()
    world.sonovan("rejected", "retry", unknown)
    world.until(lambda: segmented(world, strange) == {strange.frames[0].item_id}, "the stranger's frame is segmented")
    assert_sound(world, screening)


def test_8_closings_first_frames_twice_and_any_order_come_to_the_same_revision(world: World) -> None:
    world.work()
    van = Van(world)
    screenings = [van.screening(sweep(16)) for _ in range(3)]
    closings_first, twice, shuffled = screenings
    van.send([*reversed(closings_first.control), *closings_first.frames])
    van.send([item for item in twice.items for _ in range(2)])
    van.send(random.Random(8).sample(shuffled.items, len(shuffled.items)))
    for screening in screenings:
        assert_like_embedded(world, screening)
    said = [revisions(world, screening) for screening in screenings]
    van.send([item for screening in screenings for item in screening.items])
    assert_sound(world, *screenings)
    assert [revisions(world, screening) for screening in screenings] == said, "what came again changed something"


def test_9_a_missing_frame_is_listed_and_its_late_arrival_renames_nothing(world: World) -> None:
    world.work(also={"assess": {"SONOVAN_ASSESS_INCOMPLETE_AFTER_S": "4", "SONOVAN_ASSESS_TICK_EVERY_S": "1"}})
    van = Van(world)
    screening = van.screening(sweep())
    late = screening.frames[13]
    van.send(item for item in screening.items if item is not late)
    # A slow machine may still be segmenting when the deadline passes; what arrives then is in a later revision.
    only = [(screening.ids.sequence_ids[0], (13,))]
    incomplete = wait_for(
        world, screening, "incomplete", lambda found: [(gap.sequence_id, gap.indices) for gap in found.missing] == only
    )
    assert incomplete.findings
    van.send([late])
    complete = assert_like_embedded(world, screening)
    assert complete.revision_number > incomplete.revision_number
    assert complete.missing == ()
    assert_names_last(incomplete, complete)
    assert_sound(world, screening)


def test_10_an_alert_is_told_once_by_key_whatever_becomes_of_its_receiver(world: World) -> None:
    port = free_port()
    told = {
        "SONOVAN_ALERT_WEBHOOK_URL": world.webhook_url(port),
        "SONOVAN_ALERT_WEBHOOK_SECRET": "a secret of the journeys",
        "SONOVAN_ALERT_WEBHOOK_TIMEOUT_S": "2",
        "SONOVAN_ALERT_RETRY_LONGEST_S": "2",
    }
    world.work(also={"alert": told})
    van = Van(world)
    screening = van.screening(sweep())
    van.send(screening.items)
    wait_for(world, screening, "complete")
    world.until(lambda: world.log("alert").count("not delivered") >= 2, "alert tries a receiver that is down")
    with world.receiver(hang, port) as slow:
        world.until(lambda: len(slow.keys) > len(set(slow.keys)), "alert tries a slow receiver again")
        world.kill("alert")
    with world.receiver(KIND, port) as kind:
        world.start("alert", settings=told)
        world.until(lambda: set(slow.keys) <= set(kind.keys), "the receiver has everything")
        assert_sound(world, screening)
        alerts = world.records(Topic.LESION_ALERTED, LesionAlerted, screening.screening_id)
        words = {(alert.alert_id, alert.state, alert.revision_id) for alert in alerts}
        assert words
        world.until(lambda: len(set(kind.keys)) >= len(words), "each word arrives")
    bodies = {request.key: request.body for request in (*slow.received, *kind.received)}
    assert {
        (each["alert_id"], each["state"], each["revision_id"]) for each in map(json.loads, bodies.values())
    } == words
    assert len(bodies) == len(words), "an alert came under two keys"
    assert all(bodies[request.key] == request.body for request in (*slow.received, *kind.received))


def test_11_an_assess_worker_with_an_empty_folder_takes_over_from_a_killed_one(world: World) -> None:
    world.work()
    van = Van(world)
    screening = van.screening(sweep(48))
    opening, sequence_closing, screening_closing = screening.control
    van.send([opening, sequence_closing, *screening.coarse_first[:12]])
    before = wait_for(world, screening, "preliminary")
    assert before.findings
    van.send(screening.coarse_first[12:24])
    world.until(lambda: len(segmented(world, screening)) > 12, "more results are on their way to assess")
    world.kill("assess")
    assert not (world.centre.state.apps / f"assess-{EMPTY_FOLDER}").exists()
    world.start("assess", EMPTY_FOLDER)
    van.send([*screening.coarse_first[24:], screening_closing])
    assert_names_last(before, assert_like_embedded(world, screening))
    assert_sound(world, screening)
    alerts = world.records(Topic.LESION_ALERTED, LesionAlerted, screening.screening_id)
    assert [alert for alert in alerts if alert.state == "raised"]
    newest = {alert.alert_id: alert for alert in alerts}
    told = {(about_key(alert.screening_id, alert.about), alert.rule) for alert in newest.values()}
    assert len(told) == len(newest)


def ids_told(told: dict[str, Any]) -> Ids:
    """The names that `van send` gave to what it sent."""
    return Ids(told["screening_id"], tuple(each["sequence_id"] for each in told["sequences"]))


def revisions(world: World, screening: Screening) -> list[ScreeningAssessed]:
    return world.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening.screening_id)


def assert_like_embedded(world: World, screening: Screening) -> ScreeningAssessed:
    """The screening becomes complete, and its revision is the one that the embedded run makes of it."""
    revision = wait_for(world, screening, "complete")
    assert revision.revision_id == screening.embedded().revision_id
    return revision


def assert_names_last(before: ScreeningAssessed, after: ScreeningAssessed) -> None:
    """Every lesion that was published keeps its name, or is withdrawn by it."""
    names = {finding.finding_id for finding in after.findings}
    gone = {finding.finding_id for finding in after.withdrawn}
    assert {finding.finding_id for finding in before.findings} <= names | gone
    largest = max(before.findings, key=lambda finding: len(finding.members))
    heirs = [each.finding_id for each in after.findings if set(largest.members) & set(each.members)]
    assert largest.finding_id in heirs


def kept(world: World, values: dict[str, bytes]) -> dict[str, RecordRejected]:
    """The rejections whose bytes in quarantine are one of these, by name; of those with bytes there."""
    rejections = [each for each in world.records(Topic.RECORD_REJECTED, RecordRejected) if each.kept]
    quarantine = MinioStore(world.centre.store("retrier"))
    stored = {each.rejection_id: quarantine.get(Bucket.QUARANTINE, each.quarantine_key) for each in rejections}
    return {name: each for name, value in values.items() for each in rejections if stored[each.rejection_id] == value}
