"""What happens to a centre while vans scan: each thing lost, brought back, rolled or cut off, and what that cost."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any, Final

from benchmarks.accounting import account
from benchmarks.scale import database
from benchmarks.scale.scene import BROKERS, TREE, WORK, Scene, mount, node_names, running, store_names, unmount, until
from benchmarks.scale.vans import Scanned, Van, scanning
from benchmarks.shared import say
from sonovan.centre import worker_name
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.errors import Transient
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.deploy import cluster, services
from sonovan.transport.tail import read_all

FRAMES_PER_S: Final = 2.5
"""Of each van: a frame every 0.4 s, so that a pause stands out."""
STUB_MS: Final = 400.0
"""Of a frame: a worker of `segment` alone keeps up with two vans."""
LEAD_S: Final = 6.0
AWAY_S: Final = 15.0
WORKERS: Final = (
    ("segment", 1, WORK[0]), ("assess", 1, WORK[0]), ("alert", 1, WORK[0]), ("catalog", 1, WORK[0]),
    ("segment", 2, WORK[1]), ("assess", 2, WORK[1]), ("quality", 1, WORK[1]),
)  # fmt: skip
ADDED: Final = ("segment", 3, WORK[2])


def nothing(_: Scene) -> None:
    """What pauses there are anyway."""
    time.sleep(AWAY_S)


def broker_lost(scene: Scene) -> None:
    """One broker of three dies, stays away, comes back and has all its copies again.

    No topic is made meanwhile that would lack a copy. Until the others know that it is away (its session of 9 s, which
    begins anew where it was the active controller) one may be made with a copy for it.
    """
    scene.lose("kafka-1")
    time.sleep(AWAY_S)
    try:
        scene.centre.enrol_van("scale-late")
    except Transient as refused:
        say(f"a van is not enrolled: {refused}")
    else:
        if scene.copies(van_answered_topic("scale-late").name) < len(BROKERS):
            raise RuntimeError("a van was enrolled while a broker was away: its topic lacks a copy")
        say("a van is enrolled: nobody knows yet that the broker is away, and it has a copy of the van's topic")
    scene.bring_back("kafka-1")
    until(scene.in_sync, "every copy is in sync again")


def drive_lost(scene: Scene) -> None:
    """The drive of one of the store's machines is gone, and an empty one takes its place."""
    drive = cluster.drives(scene.state)[1]
    unmount(drive)
    time.sleep(AWAY_S)
    mount(drive)
    until((drive / ".minio.sys" / "format.json").is_file, "the store has taken the new drive")


def store_machine_lost(scene: Scene) -> None:
    """The machine of the store to which workers connect first dies, stays away and comes back."""
    scene.lose(store_names()[0])
    time.sleep(AWAY_S)
    scene.bring_back(store_names()[0])


def store_lost(scene: Scene) -> None:
    """All machines of the store die at once, and are started again."""
    for name in store_names():
        scene.lose(name)
    scene.bring_back(*store_names())


def database_lost(scene: Scene) -> None:
    """PostgreSQL dies, stays away and comes back."""
    scene.lose(database.NAME)
    time.sleep(AWAY_S)
    scene.bring_back(database.NAME)


def segment_lost(scene: Scene) -> None:
    """One of two workers of `segment` dies; the supervisor starts it again."""
    _worker_lost(scene, "segment-2")


def assess_lost(scene: Scene) -> None:
    """One of two workers of `assess` dies; the supervisor starts it again, in the folder that it had."""
    _worker_lost(scene, "assess-2")


def worker_added(scene: Scene) -> None:
    """A third worker of `segment` joins on a third machine, works a while and leaves."""
    scene.start_workers([ADDED])
    time.sleep(AWAY_S)
    services.stop_one(scene.state, worker_name(ADDED[0], ADDED[1]))


def brokers_rolled(scene: Scene) -> None:
    """Each broker is ended in good order and started again, as for another version, one after the other."""
    for name in node_names():
        services.stop_one(scene.state, name)
        scene.bring_back(name)
        until(scene.in_sync, "every copy is in sync again")
        say(f"{name} is rolled")


def others_rolled(scene: Scene) -> None:
    """Each machine of the store, PostgreSQL and every worker are ended in good order and started again, one by one."""
    names = [*store_names(), database.NAME, *(worker_name(stage, number) for stage, number, _ in WORKERS)]
    for name in names:
        services.stop_one(scene.state, name)
        scene.bring_back(name)
        say(f"{name} is rolled")


def workers_upgraded(scene: Scene) -> None:
    """Every worker is of an older version; one after the other is ended in good order and started as this version.

    Broker, store and PostgreSQL are pinned and stay: versions differ in what the workers are.
    """
    if scene.tree == TREE:
        raise RuntimeError("the workers are of this version already")
    scene.tree = TREE
    for worker in WORKERS:
        services.stop_one(scene.state, worker_name(*worker[:2]))
        scene.start_workers([worker])
        say(f"{worker_name(*worker[:2])} is of this version")


def workers_cut_off(scene: Scene) -> None:
    """Workers and brokers do not hear of each other; the store and PostgreSQL are heard."""
    with scene.network.cut(WORK, BROKERS):
        time.sleep(AWAY_S)


def broker_cut_off(scene: Scene) -> None:
    """One broker hears neither the other brokers nor the workers; vans reach all three."""
    others = [name for name in (*BROKERS, *WORK) if name != BROKERS[2]]
    with scene.network.cut([BROKERS[2]], others):
        time.sleep(AWAY_S)
    until(scene.in_sync, "every copy is in sync again")


UPGRADED: Final = "workers are rolled from an older version to this one"
HAPPENINGS: Final[dict[str, Callable[[Scene], None]]] = {
    "nothing": nothing,
    "a broker is lost": broker_lost,
    "a drive of the store is lost": drive_lost,
    "a machine of the store is lost": store_machine_lost,
    "the whole store is lost": store_lost,
    "PostgreSQL is lost": database_lost,
    "a worker of segment is lost": segment_lost,
    "a worker of assess is lost": assess_lost,
    "a worker of segment is added": worker_added,
    "the brokers are rolled": brokers_rolled,
    "store, PostgreSQL and workers are rolled": others_rolled,
    "workers are cut off from brokers": workers_cut_off,
    "a broker is cut off from brokers and workers": broker_cut_off,
}


def happens(scene: Scene, vans: list[Van], name: str, happening: Callable[[Scene], None]) -> dict[str, Any]:
    """Let it happen while vans scan, wait until every van has its report and the catalogue its rows, and count."""
    say(name)
    scanned = scanning(vans, FRAMES_PER_S, partial(happening, scene), LEAD_S)
    ended = time.monotonic()
    by_id = {van.van_id: van for van in vans}
    for one in scanned:
        until(partial(by_id[one.van_id].has_report, one.screening_id), f"{one.van_id} has its report")
    settled_s = time.monotonic() - ended
    frame_ids = {name for one in scanned for name in one.frame_ids}
    screenings = {one.screening_id for one in scanned}
    counted = account(scene.centre, frame_ids, screenings, until)
    lost, doubled = dict(counted["lost"]), dict(counted["doubled"])
    lost["catalogue rows"], doubled["catalogue rows"] = _catalogued(
        scene, screenings, counted["results"] + counted["revisions"]
    )
    results, receipts = _moments(scene, scanned)
    found = {
        "frames": len(frame_ids),
        "lost": sum(lost.values()),
        "doubled": sum(doubled.values()),
        "sent_again": sum(counted["sent_again"].values()),
        "rejected": counted["rejected"],
        "longest_pause_of_results_s": _longest_gap(results),
        "longest_pause_of_receipts_s": _longest_gap([moment for each in receipts for moment in each]),
        "longest_pause_of_one_van_s": max(_longest_gap(each) for each in receipts),
        "settled_after_s": round(settled_s, 1),
    }
    if found["lost"] or found["doubled"]:
        found |= {"lost_of": lost, "doubled_of": doubled}
    say(f"{name}: {found}")
    return found


def _worker_lost(scene: Scene, name: str) -> None:
    services.kill_one(scene.state, name)
    until(lambda: not running(scene, name), f"{name} is dead")
    until(lambda: running(scene, name), f"{name} is started again")
    scene.await_ready(name)


def _catalogued(scene: Scene, screenings: set[str], wanted: int) -> tuple[int, int]:
    """How many rows of frames and revisions the catalogue has too few of, and too many, once it has read on."""

    def rows() -> int:
        return scene.database.count("frame", screenings) + scene.database.count("revision", screenings)

    with suppress(TimeoutError):  # what is lacking then is counted
        until(lambda: rows() >= wanted, "the catalogue has every row", 60.0)
    found = rows()
    return max(wanted - found, 0), max(found - wanted, 0)


def _moments(scene: Scene, scanned: list[Scanned]) -> tuple[list[datetime], list[list[datetime]]]:
    """When results of the screenings came, and when receipts of their items, by van, each by the broker's time."""
    screenings = {one.screening_id for one in scanned}
    reader = scene.centre.kafka("reader")
    results = [
        message.appended_at
        for message in read_all(reader, Topic.FRAME_SEGMENTED)
        if isinstance(record := message.decode(), FrameSegmented) and record.screening_id in screenings
    ]
    receipts = [
        [
            message.appended_at
            for message in read_all(reader, van_answered_topic(one.van_id).name)
            if isinstance(answer := message.decode(), VanAnswered)
            and answer.screening_id == one.screening_id
            and answer.kind == "stored"
        ]
        for one in scanned
    ]
    return results, receipts


def _longest_gap(moments: list[datetime]) -> float:
    """The longest time between two neighbours, in seconds."""
    ordered = sorted(moments)
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(ordered)]
    return round(max(gaps, default=0.0), 2)
