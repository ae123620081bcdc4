"""What the van keeps for her next visit: when it comes, whose it is, how long it stays, and what takes it away."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sonovan.contracts.amendments import Amendment, ConsentAmended, TakenBack, Voided, WomanAmended
from sonovan.contracts.answers import Pointed, VanAnswered
from sonovan.contracts.receipts import ReceiptSigner
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.producers.amend import spool_amendment
from sonovan.producers.page.pictures import pixels_of
from sonovan.producers.receipts import pin
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault
from tests.producers.spool.earlier import (
    DAY,
    DAY_S,
    FINDING,
    HER,
    OTHER,
    ROOM,
    TODAY,
    bodies,
    kept,
    place,
    pointing,
    report,
    scanned,
    spool_in,
    told,
    visited,
)
from tests.producers.spool.test_spool import composed, messages, receipt, store_all
from tests.producers.visits import SIGNER, vault_at


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with spool_in(tmp_path / "van") as opened:
        yield opened


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
    spool.take_answer(report(screening, 1, status="preliminary"), 0, 1)
    assert (kept(spool), bodies(spool)) == ([], 4)


def test_places_are_kept_before_the_report_that_lets_the_other_frames_go(spool: Spool) -> None:
    screening = visited(spool)
    store_all(spool)
    spool.take_answer(pointing(screening, place(spool, screening)), 0, 1)
    assert ([each.has_picture for each in kept(spool)], bodies(spool)) == ([True], 4)
    assert spool.report(screening) is None, "no report came yet"
    spool.take_answer(report(screening, 1), 0, 2)
    assert bodies(spool) == 0
    assert spool.report(screening) == report(screening, 1)


def test_without_an_examination_day_in_her_files_it_is_the_day_on_which_this_van_began(tmp_path: Path) -> None:
    now = [1_764_000_000.0]  # a November day of 2025
    with spool_in(tmp_path, clock=lambda: now[0]) as spool:
        screening = visited(spool)
        store_all(spool)
        now[0] += 3 * DAY_S
        undated = Pointed(places=(place(spool, screening),))
        spool.take_answer(pointing(screening).model_copy(update={"pointed": undated}), 0, 1)
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


def test_frames_of_a_screening_of_which_nothing_can_be_kept_go_on_their_receipts(tmp_path: Path) -> None:
    with spool_in(tmp_path, earlier_bytes=0) as spool:
        visited(spool)
    with spool_in(tmp_path) as spool:
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


def erased(screening: str) -> VanAnswered:
    """The answer by which the centre tells that a screening is erased."""
    return report(screening, None, status=None).model_copy(update={"revision_number": None})


def test_an_erasure_at_the_centre_and_the_vans_own_command_delete_it_for_good(spool: Spool) -> None:
    for forget in (lambda name: spool.take_answer(erased(name), 0, 1), spool.forget_earlier):
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
        signed = ReceiptSigner(key).sign(pointing(screening, place(spool, screening)))
        assert signed.pointed is not None
        moved = signed.pointed.model_copy(update={"places": (place(spool, screening, laterality="right"),)})
        spool.take_answer(signed.model_copy(update={"pointed": moved}), 0, 1)
        assert kept(spool) == [], "the report is the centre's, the places are not"
        spool.take_answer(signed, 0, 1)
        assert [each.place.laterality for each in kept(spool)] == ["left"]


def test_pictures_are_bounded_by_size_and_the_oldest_goes_first_while_its_place_stays(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        first = scanned(spool, frames=1)
        (one,) = spool._db.read("SELECT size FROM earlier")[0]
    with spool_in(tmp_path, earlier_bytes=5 * one // 2) as spool:
        second, third = scanned(spool, frames=1), scanned(spool, frames=1)
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


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_damaged_body_costs_its_picture_and_not_the_receipts(spool: Spool, unreadable: bool) -> None:
    screening = visited(spool)
    store_all(spool)
    for body in (spool.folder / "items").iterdir():
        damaged = body.read_bytes()[:-1]
        body.unlink()
        if unreadable:
            body.mkdir()  # to read it is an error of the disk
        else:
            body.write_bytes(damaged)
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
        assert kept(spool) == []


def test_nothing_that_names_her_or_says_what_was_found_is_readable_on_the_disk(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        screening = scanned(spool)
        (found,) = kept(spool)
        shown = spool.earlier.picture(HER, TODAY, found.number)
        assert shown is not None
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        on_disk = b"".join(path.read_bytes() for path in files)
    words = (HER, FINDING, "nipple_distance", '"outline"', '"hour"', DAY.isoformat(), "complete", "pixels_sha256")
    assert [word for word in words if word.encode() in on_disk] == []
    assert shown[1][-200:] not in on_disk
    assert not any(screening in path.name for path in files)
