"""A watched folder: what lands there is taken once it is whole, and only once, whatever happens meanwhile."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.gateway.folder import WatchedFolder, told_by
from sonovan.producers.gateway.gateway import Desk, open_desk
from sonovan.producers.gateway.intake import COMPOSED, QUARANTINED, TRAY
from sonovan.producers.gateway.receiving import Incoming
from sonovan.producers.gateway.settings import FolderOptions, ListenerOptions, read_options
from sonovan.producers.gateway.standing import arriving
from sonovan.producers.vault import Vault
from tests.producers.clips import shades, write_clip
from tests.producers.gateway.vans import OTHER_SLIP, SLIP, Running, running, study
from tests.producers.visits import vault_at
from tests.waiting import until


@dataclass
class Watching:
    """A folder that is looked at when the test says so. now: the clock, in seconds."""

    desk: Desk
    vault: Vault
    landing: Path
    now: float = 0.0
    told: list[str] = field(default_factory=list)

    def folder(self, **options: object) -> WatchedFolder:
        incoming = Incoming(self.vault.folder / "incoming", self.vault, 2**20)
        chosen = FolderOptions(path=self.landing, settle_s=5, **options)  # type: ignore[arg-type]  # its own options
        desk = self.desk
        return WatchedFolder(
            chosen, desk.intake, incoming, desk.taken, lambda: None, self.told.append, lambda: self.now
        )

    def after(self, folder: WatchedFolder, seconds: float) -> int:
        self.now += seconds
        return folder.look()


@contextmanager
def watching(folder: Path) -> Iterator[Watching]:
    vault, landing = vault_at(folder / "van"), folder / "landing"
    landing.mkdir(exist_ok=True)
    with open_desk(vault) as desk:
        yield Watching(desk, vault, landing)


@contextmanager
def serving(folder: Path, after: str = "keep") -> Iterator[tuple[Running, Path]]:
    """A gateway that watches `landing`."""
    landing = folder / "landing"
    landing.mkdir(exist_ok=True)
    watched = FolderOptions(path=landing, settle_s=0.05, after=after)  # type: ignore[arg-type]  # keep or delete
    with running(folder / "van", ListenerOptions(port=0, folder=(watched,))) as van:
        yield van, landing


def landed(van: Running, count: int) -> list[tuple[str, str | None]]:
    until(lambda: len(van.desk.intake.objects()) >= count, "every file was taken", deadline_s=30)
    return van.fates()


def put(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return target


def test_files_become_sequences_of_the_woman_whose_slip_names_their_folder(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", shades(5))
    with serving(tmp_path) as (van, landing):
        entry = van.expect()
        put(clip, landing / f"{SLIP[0]}-{SLIP[1:]}".lower() / "left" / "sweep.mp4")
        put(study(tmp_path / "a.dcm", 3), landing / "IM_0001")
        assert landed(van, 2) == [(COMPOSED, None)] * 2
        (screening,) = van.spool.screenings()
        assert (screening.screening_id, screening.sequences, screening.frames) == (entry.screening_id, 2, 8)
        until(lambda: van.desk.taken.waiting() == 0, "nothing waits")
        assert len([each for each in landing.rglob("*") if each.is_file()]) == 2


@pytest.mark.parametrize(
    ("place", "fate"),
    [
        ("sweep.mp4", (TRAY, "unmatched")),
        (f"{OTHER_SLIP}/left/sweep.mp4", (TRAY, "unmatched")),
        (f"{SLIP}/sweep.mp4", (TRAY, "side_missing")),
        (f"{SLIP}/left/notes.txt", (QUARANTINED, "not_a_picture")),
        (f"{SLIP}/left/broken.dcm", (QUARANTINED, "unreadable")),
        (f"{SLIP}/left/nothing.png", (QUARANTINED, "not_a_picture")),
    ],
)
def test_what_cannot_be_placed_waits_and_what_cannot_be_read_is_quarantined(
    tmp_path: Path, place: str, fate: tuple[str, str]
) -> None:
    contents = {
        ".mp4": write_clip(tmp_path / "a.mp4", shades(3)).read_bytes(), ".txt": b"notes", ".png": b"no picture",
        ".dcm": study(tmp_path / "a.dcm").read_bytes()[:150],
    }  # fmt: skip
    with serving(tmp_path, after="delete") as (van, landing):
        van.expect()
        content = contents[Path(place).suffix]
        beside = tmp_path / "beside"
        beside.write_bytes(content)
        put(beside, landing / place)
        assert landed(van, 1) == [fate]
        assert b"".join(van.desk.intake.read(1)) == content
        until(lambda: not (landing / place).exists(), "it was deleted once it was kept")
        assert not any("sweep" in line or "notes" in line for line in van.told)


def test_a_file_in_her_folder_with_the_numbers_of_another_woman_contradicts_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (van, landing):
        van.expect()
        van.expect(OTHER_SLIP)
        put(study(tmp_path / "a.dcm", PatientID=OTHER_SLIP), landing / SLIP / "a.dcm")
        assert landed(van, 1) == [(TRAY, "identifiers_contradict")]


def test_a_file_that_grows_is_waited_for(tmp_path: Path) -> None:
    whole = study(tmp_path / "a.dcm", 3).read_bytes()
    with watching(tmp_path) as here:
        folder, file = here.folder(), here.landing / "a.dcm"
        file.write_bytes(whole[:2000])
        assert here.after(folder, 0) == 1
        assert here.after(folder, 4) == 1
        file.write_bytes(whole)
        assert here.after(folder, 4) == 1
        assert here.desk.intake.objects() == []
        assert here.desk.taken.waiting() == 1
        assert here.after(folder, 5) == 0
        assert b"".join(here.desk.intake.read(1)) == whole
        assert here.desk.taken.waiting() == 0


def test_a_file_that_somebody_writes_is_waited_for_however_long_nothing_comes(tmp_path: Path) -> None:
    with watching(tmp_path) as here:
        folder = here.folder()
        with (here.landing / "a.dcm").open("wb") as stream:
            stream.write(study(tmp_path / "a.dcm").read_bytes())
            stream.flush()
            for _ in range(3):
                assert here.after(folder, 100) == 1
        assert here.after(folder, 0) == 1
        assert here.after(folder, 5) == 0


def test_a_name_of_unfinished_files_is_waited_for_until_it_is_renamed(tmp_path: Path) -> None:
    with watching(tmp_path) as here:
        folder, part = here.folder(), put(study(tmp_path / "a.dcm"), here.landing / "a.dcm.part")
        for _ in range(3):
            assert here.after(folder, 100) == 1
        part.rename(here.landing / "a.dcm")
        assert here.after(folder, 0) == 1
        assert here.after(folder, 5) == 0


def test_the_same_file_twice_is_one_object_and_what_every_disk_has_is_none(tmp_path: Path) -> None:
    with watching(tmp_path) as here:
        folder, file = here.folder(), study(tmp_path / "a.dcm")
        put(file, here.landing / "one.dcm")
        put(file, here.landing / "below" / "two.dcm")
        put(write_clip(tmp_path / "a.mp4", shades(2)), here.landing / "a.mp4")
        put(tmp_path / "a.mp4", here.landing / "below" / "b.mp4")
        for name in (".hidden", "Thumbs.db"):
            (here.landing / name).write_bytes(b"x")
        (here.landing / "link.dcm").symlink_to(file)
        here.after(folder, 0)
        assert here.after(folder, 5) == 0
        assert len(here.desk.intake.objects()) == 2
        assert here.after(here.folder(), 0) == 0  # after a restart nothing is read again


def test_a_file_that_changes_after_it_was_taken_is_taken_again(tmp_path: Path) -> None:
    with watching(tmp_path) as here:
        folder, file = here.folder(), here.landing / "a.txt"
        file.write_text("one")
        here.after(folder, 0)
        assert here.after(folder, 5) == 0
        file.write_text("another")
        here.after(folder, 0)
        assert here.after(folder, 5) == 0
        assert len(here.desk.intake.objects()) == 2


def test_whatever_stops_it_nothing_is_deleted_that_is_not_kept_and_nothing_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with watching(tmp_path) as here:
        file = put(study(tmp_path / "a.dcm"), here.landing / "a.dcm")
        for place, name in ((here.desk.intake, "take"), (here.desk.taken, "mark"), (WatchedFolder, "_delete")):
            folder = here.folder(after="delete")
            with monkeypatch.context() as patch:
                patch.setattr(place, name, killed)
                here.after(folder, 0)
                with pytest.raises(Killed):
                    here.after(folder, 5)
            assert file.exists()
            assert len(here.desk.intake.objects()) == (0 if name == "take" else 1)
        folder = here.folder(after="delete")
        here.after(folder, 0)
        here.after(folder, 5)
        assert not file.exists()
        assert len(here.desk.intake.objects()) == 1
        assert list((here.vault.folder / "incoming").iterdir()) == []


def test_a_folder_that_cannot_be_listed_counts_as_waiting_and_its_marks_stay(tmp_path: Path) -> None:
    with watching(tmp_path) as here:
        study(here.landing / "a.dcm")
        folder = here.folder()
        here.after(folder, 0)
        assert here.after(folder, 5) == 0
        marks = here.desk.taken.marks(here.landing)
        here.landing.rename(tmp_path / "away")  # as a share whose server went
        assert here.after(folder, 1) == 1
        assert arriving(tmp_path / "van", here.desk).receiving == 1, "nobody knows what lies there"
        assert here.desk.taken.marks(here.landing) == marks
        (tmp_path / "away").rename(here.landing)
        assert here.after(folder, 1) == 0
        assert len(here.desk.intake.objects()) == 1


def test_files_that_a_disk_does_not_give_count_as_waiting_and_marks_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    with watching(tmp_path) as here:
        study(here.landing / "a.dcm")
        folder = here.folder()
        here.after(folder, 0)
        assert here.after(folder, 5) == 0
        marks = here.desk.taken.marks(here.landing)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "lstat", broken)
            assert here.after(folder, 1) == 1, "nobody knows what lies there"
            assert here.desk.taken.marks(here.landing) == marks
        assert here.after(folder, 1) == 0


def test_without_room_the_file_stays_and_is_taken_when_there_is_some(tmp_path: Path) -> None:
    from sonovan.producers.spool import SpoolFull

    with watching(tmp_path) as here:
        file = put(study(tmp_path / "a.dcm"), here.landing / "a.dcm")
        folder = here.folder(after="delete")
        folder._incoming = Incoming(here.vault.folder / "incoming", here.vault, 2**60)
        here.after(folder, 0)
        with pytest.raises(SpoolFull):
            here.after(folder, 5)
        assert file.exists()
        assert here.desk.taken.waiting() == 1
        folder._incoming = Incoming(here.vault.folder / "incoming", here.vault, 2**20)
        assert here.after(folder, 0) == 0
        assert not file.exists()


def test_folders_say_slip_organ_and_side_in_any_order() -> None:
    told = told_by(("2026-11-28", f"{SLIP[0]}-{SLIP[1:]}", "Thyroid", "RIGHT"))
    assert (told.slip, told.organ, told.side) == (SLIP, "thyroid", "right")
    assert told_by(("LI LIHUA", "A17")).slip == ""


def test_a_folder_that_is_none_or_holds_the_van_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "van").mkdir()
    (tmp_path / "van" / "van.toml").write_text('[[folder]]\npath = "nowhere"\n')
    options = read_options(tmp_path / "van", None)
    with pytest.raises(InvalidRecord, match="no such folder"), running(tmp_path / "van", options):
        pass
    options = ListenerOptions(port=0, folder=(FolderOptions(path=tmp_path),))
    with pytest.raises(InvalidRecord, match="the van's own"), running(tmp_path / "van", options):
        pass
