"""What the van keeps for her next visit: when it comes, whose it is, how long it stays, and what takes it away."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sonovan.contracts.amendments import Amendment, ConsentAmended, TakenBack, Voided, WomanAmended
from sonovan.contracts.answers import Pointed, PointedPlace, VanAnswered
from sonovan.contracts.description import Location
from sonovan.contracts.errors import Fatal
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.contracts.receipts import ReceiptSigner
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.producers.amend import spool_amendment
from sonovan.producers.page.pictures import pixels_of
from sonovan.producers.receipts import pin
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import Disk, EarlierPlace, Spool, SpoolFull
from sonovan.producers.vault import Vault
from tests.producers.spool.dying import DyingDisk, in_a_child
from tests.producers.spool.test_spool import composed, messages, receipt, store_all
from tests.producers.visits import SIGNER, VISIT, vault_at

HER, OTHER = "5e" * 32, "6f" * 32
TODAY = mint_id()
ROOM = 2**20
FINDING = "e" * 64
DAY = date(2025, 11, 20)
DAY_S = 86_400.0


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with spool_in(tmp_path / "van") as opened:
        yield opened


def spool_in(folder: Path, **options: Any) -> Spool:
    return Spool(folder / "spool", vault_at(folder), **{"earlier_bytes": ROOM, "least_free_bytes": 2**20, **options})


def visited(spool: Spool, woman: str = HER, frames: int = 4, *, screening_id: str | None = None) -> str:
    """A screening of the woman with this key, of one sweep, whole and closed; nothing of it is sent."""
    (source,) = simulated_sources("breast", 1, frames, 0)
    visit = replace(VISIT, subject_key=woman)
    screening = spool.open_screening(visit, SIGNER, [source], screening_id=screening_id)
    compose_sequence(screening, source, mint_id())
    return screening.close().screening_id


def place(spool: Spool, screening: str, index: int = 2, **more: Any) -> PointedPlace:
    (sequence,) = spool.sequence_ids(screening)
    fields: dict[str, Any] = {
        "finding_id": FINDING, "organ": "breast", "laterality": "left", "key_frame_id": frame_id(sequence, index),
        "location": Location(hour=10, nipple_distance_mm=35), "outline": ((9, 9), (30, 9), (30, 30)),
    }  # fmt: skip
    return PointedPlace.model_validate({**fields, **more})


def report(screening: str, *places: PointedPlace, number: int = 1, **more: Any) -> VanAnswered:
    fields: dict[str, Any] = {
        "van_id": "van-1", "kind": "report", "screening_id": screening, "item_id": f"{screening}/report",
        "content_sha256": "a" * 64, "status": "complete", "revision_id": "a" * 64, "revision_number": number,
        "findings": len(places), "pointed": Pointed(examined_on=DAY, places=places),
    }  # fmt: skip
    return VanAnswered.model_validate({**fields, **more})


def told(spool: Spool, screening: str, *places: PointedPlace, **more: Any) -> None:
    spool.take_answer(report(screening, *places, **more), 0, 99)


def kept(spool: Spool, woman: str = HER, today: str = TODAY) -> list[EarlierPlace]:
    return spool.earlier.of(woman, today)


def scanned(spool: Spool, woman: str = HER) -> str:
    """A screening that is stored at the centre, whose report told of one place."""
    screening = visited(spool, woman)
    store_all(spool)
    told(spool, screening, place(spool, screening))
    return screening


def bodies(spool: Spool) -> int:
    return len(list((spool.folder / "items").iterdir()))


def test_the_frame_that_a_report_names_is_kept_as_it_was_sent_and_all_others_go(spool: Spool) -> None:
    screening = visited(spool)
    (wanted,) = [each for each in messages(spool) if each.item_id.endswith("/000002")]
    store_all(spool)
    assert bodies(spool) == 4, "the frames wait for the report, and nothing else does"
    told(spool, screening, place(spool, screening))
    assert bodies(spool) == 0
    (found,) = kept(spool)
    assert (found.screening_id, found.examined_on, found.has_picture, found.more) == (screening, DAY, True, 0)
    assert found.place == place(spool, screening)
    shown = spool.earlier.picture(HER, TODAY, found.number)
    assert shown is not None
    assert (pixels_of(shown[1]) == pixels_of(wanted.value)).all()


def test_it_is_hers_alone_and_not_of_the_screening_that_is_under_way(spool: Spool) -> None:
    first, second = scanned(spool), scanned(spool, OTHER)
    (hers,), (others,) = kept(spool), kept(spool, OTHER)
    assert (hers.screening_id, others.screening_id) == (first, second)
    assert kept(spool, today=first) == []
    assert kept(spool, "7a" * 32) == []
    assert spool.earlier.picture(HER, TODAY, others.number) is None, "nobody sees another woman's picture by its number"


def test_the_last_receipts_may_come_after_the_report(spool: Spool) -> None:
    screening = visited(spool)
    waiting = messages(spool)
    for message in waiting:
        spool.mark_sent(message.item_id)
    for message in waiting[:-3]:
        spool.take_answer(receipt(message), 0, 1)
    told(spool, screening, place(spool, screening, index=3), place(spool, screening, finding_id="f" * 64))
    assert [each.has_picture for each in kept(spool)] == [True, True], "of a frame with a receipt, and of one without"
    for message in waiting[-3:]:
        spool.take_answer(receipt(message), 0, 2)
    assert bodies(spool) == 0


def test_a_preliminary_report_keeps_nothing_and_lets_nothing_go(spool: Spool) -> None:
    screening = visited(spool)
    store_all(spool)
    told(spool, screening, place(spool, screening), status="preliminary")
    assert (kept(spool), bodies(spool)) == ([], 4)


def test_without_an_examination_day_in_her_files_it_is_the_day_on_which_this_van_began(tmp_path: Path) -> None:
    now = [1_764_000_000.0]  # a November day of 2025
    with spool_in(tmp_path, clock=lambda: now[0]) as spool:
        screening = visited(spool)
        store_all(spool)
        now[0] += 3 * DAY_S
        told(spool, screening, pointed=Pointed(places=(place(spool, screening),)), findings=1)
        assert [each.examined_on for each in kept(spool)] == [date.fromtimestamp(now[0] - 3 * DAY_S)]


def test_a_later_report_takes_the_place_of_an_earlier_one_and_keeps_the_picture_that_is_here(spool: Spool) -> None:
    screening = scanned(spool)
    moved = place(spool, screening, index=3, laterality="right")
    told(spool, screening, moved, number=3)
    (found,) = kept(spool)
    assert (found.place.laterality, found.has_picture) == ("right", True)
    assert found.place.key_frame_id.endswith("/000002"), "the frame of before, with its own outline"
    told(spool, screening, place(spool, screening), number=2)
    assert [each.place.laterality for each in kept(spool)] == ["right"], "an older one changes nothing"
    told(spool, screening, place(spool, screening, finding_id="f" * 64, index=1), number=4)
    assert [(each.place.finding_id, each.has_picture) for each in kept(spool)] == [("f" * 64, False)]
    told(spool, screening, number=5)
    assert kept(spool) == []
    told(spool, screening, place(spool, screening), number=4)
    assert kept(spool) == [], "what was withdrawn does not come back by an old answer"


VOID = (Voided(), "no_screening")


@pytest.mark.parametrize(
    ("amendment", "because"),
    [
        VOID,
        (ConsentAmended(withdrawn=("ai",)), "she_withdrew"),
        (ConsentAmended(withdrawn=("screening",)), "she_withdrew"),
    ],
)
def test_void_and_withdrawn_consent_delete_what_was_kept_and_nothing_brings_it_back(
    spool: Spool, amendment: Amendment, because: str
) -> None:
    screening, other = scanned(spool), scanned(spool)
    spool_amendment(spool, SIGNER, screening, amendment, because)
    assert [each.screening_id for each in kept(spool)] == [other]
    spool_amendment(spool, SIGNER, screening, TakenBack(amendment_number=1), "amended_by_mistake")
    told(spool, screening, place(spool, screening), number=9)
    assert [each.screening_id for each in kept(spool)] == [other]


def test_frames_of_a_screening_that_becomes_void_wait_for_no_report(spool: Spool) -> None:
    screening = visited(spool)
    half = messages(spool)
    for message in half[:4]:
        spool.mark_sent(message.item_id)
        spool.take_answer(receipt(message), 0, 1)
    spool_amendment(spool, SIGNER, screening, *VOID)
    before = bodies(spool)
    assert before == len(messages(spool)), "only what waits to be sent is here"
    store_all(spool)
    assert bodies(spool) == 0


def test_consent_to_research_that_is_withdrawn_takes_nothing_away(spool: Spool) -> None:
    screening = scanned(spool)
    spool_amendment(spool, SIGNER, screening, ConsentAmended(withdrawn=("research",)), "she_withdrew")
    assert len(kept(spool)) == 1


def test_of_a_wrong_woman_nothing_stays_and_the_right_one_has_it_until_that_is_taken_back(spool: Spool) -> None:
    screening = scanned(spool)
    spool_amendment(spool, SIGNER, screening, WomanAmended(subject_key=OTHER), "wrong_woman")
    assert (len(kept(spool)), len(kept(spool, OTHER))) == (0, 1)
    told(spool, screening, place(spool, screening), number=2)
    assert (len(kept(spool)), len(kept(spool, OTHER))) == (0, 1)
    spool_amendment(spool, SIGNER, screening, TakenBack(amendment_number=1), "amended_by_mistake")
    assert (len(kept(spool)), len(kept(spool, OTHER))) == (1, 0)


def test_today_under_a_wrong_slip_she_is_shown_what_is_the_right_womans(spool: Spool) -> None:
    scanned(spool)
    scanned(spool, OTHER)
    today = visited(spool, HER)
    spool_amendment(spool, SIGNER, today, WomanAmended(subject_key=OTHER), "wrong_woman")
    assert [each.screening_id for each in kept(spool, HER, today)] == [each.screening_id for each in kept(spool, OTHER)]


def test_an_erasure_at_the_centre_and_the_vans_own_command_delete_it_for_good(spool: Spool) -> None:
    for forget in (
        lambda name: told(spool, name, findings=None, status=None, revision_number=None, pointed=None),
        spool.forget_earlier,
    ):
        screening = scanned(spool)
        assert spool.earlier.count(screening) == 1
        forget(screening)
        assert kept(spool) == []
        told(spool, screening, place(spool, screening), number=9)
        assert (kept(spool), spool.earlier.count(screening)) == ([], 0)


def test_purging_lets_frames_go_that_wait_and_leaves_what_is_kept(spool: Spool) -> None:
    scanned(spool)
    visited(spool)
    store_all(spool)
    assert bodies(spool) == 4
    spool.purge()
    assert (bodies(spool), len(kept(spool))) == (0, 1)


def test_what_nobody_signed_is_not_kept(tmp_path: Path) -> None:
    key = generate_key()
    with spool_in(tmp_path) as spool:
        screening = visited(spool)
        store_all(spool)
        pin(vault_at(tmp_path), [public_key(key)])
    with spool_in(tmp_path) as spool:
        told(spool, screening, place(spool, screening))
        assert kept(spool) == []
        signed = ReceiptSigner(key).sign(report(screening, place(spool, screening)))
        assert signed.pointed is not None
        moved = signed.pointed.model_copy(update={"places": (place(spool, screening, laterality="right"),)})
        spool.take_answer(signed.model_copy(update={"pointed": moved}), 0, 1)
        assert kept(spool) == [], "the report is the centre's, the places are not"
        spool.take_answer(signed, 0, 1)
        assert [each.place.laterality for each in kept(spool)] == ["left"]


def test_pictures_are_bounded_by_size_and_the_oldest_goes_first_while_its_place_stays(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        first = scanned(spool)
        (one,) = spool._db.read("SELECT size FROM earlier")[0]
    with spool_in(tmp_path, earlier_bytes=5 * one // 2) as spool:
        second, third = scanned(spool), scanned(spool)
        found = {each.screening_id: each.has_picture for each in kept(spool)}
        assert found == {first: False, second: True, third: True}
        assert spool._db.read("SELECT coalesce(sum(size), 0) FROM earlier")[0][0] <= 5 * one // 2


def test_frames_that_wait_are_bounded_by_size_and_by_time_and_the_oldest_go_first(tmp_path: Path) -> None:
    now = [1_764_000_000.0]
    with spool_in(tmp_path, clock=lambda: now[0]) as spool:
        screening = visited(spool, frames=4)
        size = max(row[0] for row in spool._db.read("SELECT size FROM items WHERE topic = 'frame.captured.v1'"))
    with spool_in(tmp_path, earlier_bytes=5 * size // 2, clock=lambda: now[0]) as spool:
        store_all(spool)
        assert bodies(spool) == 2
        now[0] += 15 * DAY_S
        visited(spool, frames=1)
        store_all(spool)
        assert bodies(spool) == 1, "those that waited too long are gone"
        told(spool, screening, place(spool, screening))
        assert [each.has_picture for each in kept(spool)] == [False], "the place is known all the same"


def test_it_is_kept_for_so_long_and_a_clock_that_was_ahead_keeps_it_no_longer(tmp_path: Path) -> None:
    now = [1_764_000_000.0]
    with spool_in(tmp_path, earlier_s=1000 * DAY_S, clock=lambda: now[0]) as spool:
        now[0] += 3650 * DAY_S
        scanned(spool)
        now[0] -= 3650 * DAY_S
        spool.earlier.expire()
        now[0] += 999 * DAY_S
        assert len(kept(spool)) == 1
        now[0] += 2 * DAY_S
        assert kept(spool) == []
        assert len(spool._db.read("SELECT 1 FROM earlier")) == 1
        spool.earlier.expire()
        assert spool._db.read("SELECT 1 FROM earlier") == []


def test_a_van_that_keeps_nothing_has_no_frame_wait_and_deletes_what_is_there(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        scanned(spool)
    with spool_in(tmp_path, earlier_bytes=0) as spool:
        screening = composed(spool)
        store_all(spool)
        assert bodies(spool) == 0
        told(spool, screening, place(spool, screening))
        assert kept(spool) == []
        spool.earlier.expire()
        assert spool._db.read("SELECT 1 FROM earlier") == []


class ShortDisk(Disk):
    """A disk on which so many bytes are free, beside what the spool's bodies take."""

    def __init__(self, room: int) -> None:
        self.room = room

    def free_bytes(self, folder: Path) -> int:
        return self.room - sum(each.stat().st_size for each in folder.iterdir())


def test_on_a_short_disk_a_new_frame_takes_the_room_of_those_that_only_wait(tmp_path: Path) -> None:
    disk = ShortDisk(2**30)
    with spool_in(tmp_path, disk=disk) as spool:
        visited(spool)
        store_all(spool)
        assert bodies(spool) == 4
        disk.room = 2**20 + sum(each.stat().st_size for each in (spool.folder / "items").iterdir())
        visited(spool, frames=1)
        assert bodies(spool) == len(messages(spool)) > 0, "what waits to be sent alone is here"
        disk.room = 0
        with pytest.raises(SpoolFull):
            visited(spool)


def test_on_a_full_disk_the_place_is_kept_without_its_picture(tmp_path: Path) -> None:
    disk = ShortDisk(2**30)
    with spool_in(tmp_path, disk=disk) as spool:
        screening = visited(spool)
        store_all(spool)
        disk.room = 0
        told(spool, screening, place(spool, screening))
        assert [each.has_picture for each in kept(spool)] == [False]


def test_a_damaged_body_costs_its_picture_and_not_the_receipts(spool: Spool) -> None:
    screening = visited(spool)
    store_all(spool)
    for body in (spool.folder / "items").iterdir():
        body.write_bytes(body.read_bytes()[:-1])
    told(spool, screening, place(spool, screening))
    assert [each.has_picture for each in kept(spool)] == [False]
    assert spool.report(screening) is not None


def test_another_vault_opens_nothing_of_it(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        scanned(spool)
    with Spool(tmp_path / "spool", Vault(tmp_path, b"x" * 32), earlier_bytes=ROOM) as spool:
        assert kept(spool) == [], "her key is hashed by another secret"
        (woman,) = spool._db.read("SELECT woman FROM women")[0]
        assert woman != spool.earlier._hidden(HER)
        spool._db.write("UPDATE women SET woman = ?", spool.earlier._hidden(HER))
        with pytest.raises(Fatal, match="belongs to another vault"):
            kept(spool)


def test_nothing_that_names_her_or_says_what_was_found_is_readable_on_the_disk(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        screening = scanned(spool)
        (found,) = kept(spool)
        shown = spool.earlier.picture(HER, TODAY, found.number)
        assert shown is not None
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        on_disk = b"".join(path.read_bytes() for path in files)
    words = (HER, FINDING, "nipple_distance", "outline", "hour", DAY.isoformat(), "complete", "pixels_sha256")
    assert [word for word in words if word.encode() in on_disk] == []
    assert shown[1][-200:] not in on_disk
    assert not any(screening in path.name for path in files)


def live(spool: Spool, screening: str, tell: Callable[[str], None]) -> None:
    """She is scanned, the centre has all of it and tells of it, again, and of an amendment; from the start after a kill."""
    if not any(each.screening_id == screening for each in spool.screenings()):
        visited(spool, screening_id=screening, frames=2)
    resumed = spool.resume_screening(screening, SIGNER)
    if not spool.sequence_ids(screening):
        (source,) = simulated_sources("breast", 1, 2, 0)
        compose_sequence(resumed, source, mint_id())
    resumed.close()
    store_all(spool)
    tell("stored")
    (sequence, *_) = spool.sequence_ids(screening)
    told(spool, screening, place(spool, screening, index=1, key_frame_id=frame_id(sequence, 1)))
    tell("told")


def test_a_van_that_dies_between_any_two_effects_keeps_it_whole_or_not_at_all(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    where = (memory if os.access(memory, os.W_OK) else tmp_path) / f"earlier-{mint_id()}"
    try:
        with spool_in(where / "calm", disk=(calm := DyingDisk(None))) as spool:
            live(spool, TODAY, lambda _line: None)
        assert calm.effects > 30
        for die_at in range(0, calm.effects):
            place_of_this, screening = where / str(die_at), mint_id()

            def die(tell: Callable[[str], None], here: Path = place_of_this, name: str = screening) -> None:
                with spool_in(here, disk=DyingDisk(die_at)) as spool:
                    live(spool, name, tell)

            said, status = in_a_child(die)
            assert os.WTERMSIG(status) == signal.SIGKILL, f"effect {die_at} was not reached"
            with spool_in(place_of_this) as spool:
                check(spool, said)
                live(spool, screening, said.append)
                check(spool, said)
                assert len(kept(spool)) == 1, f"killed at effect {die_at}"
            shutil.rmtree(place_of_this)
    finally:
        shutil.rmtree(where, ignore_errors=True)


def check(spool: Spool, said: list[str]) -> None:
    """What was told is there and opens, and every file on the disk has a row that names it."""
    with sqlite3.connect(spool.folder / "spool.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = kept(spool)
    assert len(found) == 1 or "told" not in said
    for each in found:
        assert each.has_picture == (spool.earlier.picture(HER, TODAY, each.number) is not None)
    assert {each.name for each in (spool.folder / "items").iterdir()} == set(spool._queue.files())
