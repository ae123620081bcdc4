"""A day with words that name women in every place where a scanner and a clinic put them, and the hunt for these words.

Part of `make bench-van`. What is planted goes through DCMTK's `storescu`, a watched folder and the operator's commands
into `van serve`, over its link and on a disk to a real centre with its stages, catalogue and console. Then every file
of the broker, the object store, the van, the logs, the disk and the exported reports, and every page of van and console
is read. Where the hunt does not find what is known to be there, it would find nothing else either, and the part fails.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.shared import say
from benchmarks.text.counting import HIDDEN
from benchmarks.van_pages import save_pages_of_console, save_pages_of_van
from benchmarks.van_planted import FRAMES, WOMEN, Files, Woman, files_of, of_nobody, unhidden, unusable
from benchmarks.van_vault import vault_of
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic, Writer
from sonovan.producers.gateway.gateway import open_desk
from sonovan.producers.gateway.intake import QUARANTINED, TRAY, Arrived
from sonovan.producers.spool import Spool
from sonovan.storage.frames import stored_frame
from tests.chromium import found_program
from tests.journeys.conftest import whole_world
from tests.journeys.hunt import files_in, hits, kept_in
from tests.journeys.van_day import complete, dcmtk, serving
from tests.journeys.world import World

STAGES: Final = (Writer.SEGMENT, Writer.ASSESS, Writer.ALERT, Writer.CATALOG)
VAN_FILE: Final = '[page]\nconsent_text = "v3"\n\n[[folder]]\npath = "{inbox}"\nsettle_s = 0.2\n'
SHOWING: Final = {"SONOVAN_ASSESS_REPORT_SHOWS": "slip_number,age,examined_on"}
SLIP_SHOWN: Final = {"kafka": "", "minio": "", "reports": ".pdf", "pages of the van": ".html"}
"""Where her slip number may stand and does, and how files end that have it. Where it is not found, nothing would be."""

Hits = dict[str, list[str]]


class Blind(RuntimeError):
    """The hunt did not find what is known to be there."""


def identifiers() -> dict[str, Any]:
    """Figures for `van.json`.

    identifiers_planted: words times files of scanner and clinic that hold them, as the hunt itself counts them.
    identifiers_found: words times places beyond those that hold one, and frames at the centre on which a line that was
    burned in is not black. identifiers_frames: how many frames with such a line came there.
    identifiers_hunted_mib: how much was read.
    """
    lacking = [name for name in ("storescu", "pdftotext") if shutil.which(name) is None]
    if lacking or found_program() is None:
        raise RuntimeError(f"the hunt needs DCMTK, poppler and Chromium; missing: {', '.join(lacking) or 'Chromium'}")
    with tempfile.TemporaryDirectory(prefix="sonovan-hunt-") as name, whole_world(Path(name)) as world:
        return _Day(world, Path(name)).lived()


class _Day:
    """The day: where its files lie, and what was found in each place that was hunted through."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.van_id = world, f"van-{mint_id()[-12:]}"
        self.known, self.inbox, self.disk, self.reports, self.of_van, self.of_console, self.said = (
            folder / each for each in ("known", "inbox", "disk", "reports", "van pages", "console pages", "said")
        )
        for each in (self.known, self.inbox, self.of_van, self.of_console, self.said):
            each.mkdir()
        self.vault = vault_of(world.centre.path, self.van_id)  # with the passphrase that every command takes
        self.kept = self.vault.folder
        self.found: dict[str, Hits] = {}
        self.hunted_bytes = 0

    def lived(self) -> dict[str, Any]:
        """Live it, hunt, and count."""
        self.world.work(stages=STAGES, also={Writer.ASSESS: SHOWING})
        self._van("enrol", self.van_id, named=False)
        (self.kept / "van.toml").write_text(VAN_FILE.format(inbox=self.inbox))
        screenings = {each: self._registered(each) for each in WOMEN}
        first, second = (files_of(each, self.known / "scanner", self.known / "clinic") for each in WOMEN)
        late, other = (make(WOMEN[1], self.known / "scanner") for make in (of_nobody, unusable))
        planted = self._planted()
        with (self.said / "serve").open("a") as log:
            say("no link: a disk takes one woman to the centre")
            with serving(self.world, self.van_id, log, "--no-upload") as van:
                self._scanned(van.port, first)
                self._await_frames(first.frames)
                self._van("close", screenings[first.woman])
            self._van("spool", "export", str(self.disk))
            self._note("import", self.world.sonovan("van", "spool", "import", str(self.disk), "--receipts-s", "5"))
            complete(self.world, screenings[first.woman], first.frames)
            say("a link: another woman, an object without a number, and one that is no ultrasound")
            with serving(self.world, self.van_id, log) as van:
                self._scanned(van.port, second, late, other)
                self._decided()
                self._await_frames(first.frames + second.frames + FRAMES)
                self._van("close", screenings[second.woman])
                complete(self.world, screenings[second.woman], second.frames + FRAMES)
                save_pages_of_van(self.kept, list(screenings.values()), self.of_van)
        for name in screenings.values():
            self._note("export", self.world.sonovan("export", "report", name, "--out", str(self.reports / name)))
        save_pages_of_console(self.world, list(screenings.values()), self.of_console)
        return self._counted(planted, (first, second), screenings)

    def _van(self, *words: str, named: bool = True) -> None:
        """A command of the van; what it prints is hunted through as well."""
        self._note(words[0], self.world.sonovan("van", *words, *(("--van", self.van_id) if named else ())))

    def _note(self, name: str, text: str) -> None:
        with (self.said / name).open("a") as file:
            file.write(text)

    def _registered(self, woman: Woman) -> str:
        entry = self.world.sonovan(
            "van", "register", "--van", self.van_id, "--slip", woman.slip, "--organ", "breast", "--person",
            woman.person, "--consent", "screening,ai", "--json",
        )  # fmt: skip
        self._note("register", str(entry))
        return str(entry["screening_id"])

    def _planted(self) -> int:
        """How often the hunt finds what is planted, each word at least once."""
        found = hits(self.known, [word for woman in WOMEN for word in woman.words])
        if unseen := [word for word, places in found.items() if not places]:
            raise Blind(f"planted and not found: {unseen}")
        return sum(map(len, found.values()))

    def _scanned(self, port: int, files: Files, *more: Path) -> None:
        """Send what the scanner has of her, and put what the clinic has into the watched folder."""
        code, out = dcmtk("storescu", port, *files.sent, *more)
        if code != 0 or out.count("Success") != len(files.sent) + len(more):
            raise RuntimeError(f"an object was not acknowledged:\n{out}")
        for path in files.put:
            target = self.inbox / path.relative_to(self.known / "clinic")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)

    def _decided(self) -> None:
        """The tray: one object is assigned; the other one is discarded after a hunt while it waits."""

        with open_desk(self.vault) as desk:

            def waits() -> list[Arrived]:
                found = desk.intake.objects(TRAY, QUARANTINED)
                return found if {each.state for each in found} == {TRAY, QUARANTINED} else []

            waiting = self.world.until(waits, "an object waits in the tray, and one in the quarantine")
        self._hunt("the van while objects wait", self.kept, slips=True)
        for each in waiting:
            number = str(each.number)
            if each.state == TRAY:
                self._van("tray", "assign", number, "--slip", WOMEN[1].slip, "--because", "numbers_missing")
            else:
                self._van("tray", "discard", number, "--because", "not_hers")

    def _await_frames(self, frames: int) -> None:
        with Spool(self.kept / "spool", self.vault) as spool:
            self.world.until(
                lambda: sum(each.frames for each in spool.screenings()) == frames, f"{frames} frames are in screenings"
            )

    def _hunt(self, name: str, folder: Path, *, slips: bool = False) -> None:
        """Hunt for all words below a folder. slips: whether slip numbers must not stand there either."""
        words = [word for woman in WOMEN for word in (*woman.words, *((woman.slip,) if slips else ()))]
        self.found[name] = {word: places for word, places in hits(folder, words).items() if places}
        size = sum(path.stat().st_size for path in files_in(folder))
        say(f"{name}: {size / 2**20:.1f} MiB, {sum(map(len, self.found[name].values()))} found")
        self.hunted_bytes += size

    def _counted(self, planted: int, files: Sequence[Files], screenings: dict[Woman, str]) -> dict[str, Any]:
        places = dict(kept_in(self.world.centre.state)) | {"apps": self.world.centre.state.apps}
        for name, folder in places.items():
            self._hunt(name, folder)
        for name, folder in (("the van", self.kept), ("the disk", self.disk), ("what was said", self.said)):
            self._hunt(name, folder, slips=name != "what was said")
        shown = {"reports": self.reports, "pages of the van": self.of_van, "pages of the console": self.of_console}
        for name, folder in shown.items():
            self._hunt(name, folder)
        for name, ending in SLIP_SHOWN.items():
            seen = hits((places | shown)[name], [each.slip for each in WOMEN])
            if unseen := [slip for slip, where in seen.items() if not any(each.endswith(ending) for each in where)]:
                raise Blind(f"{name}: the slips {unseen} stand there and were not found")
        readable, frames = 0, 0
        for each in files:
            results = self.world.records(Topic.FRAME_SEGMENTED, FrameSegmented, screenings[each.woman])
            pictures = {result.frame_id: stored_frame(self.world.store, result).pixels() for result in results}
            readable += unhidden(list(pictures.values()), each.ink, HIDDEN)
            frames += len(pictures)
        for name, found in self.found.items():
            for word, where in found.items():
                say(f"FOUND {word} in {name}: {', '.join(where[:5])}")
        return {
            "identifiers_found": readable + sum(len(where) for each in self.found.values() for where in each.values()),
            "identifiers_planted": planted,
            "identifiers_frames": frames,
            "identifiers_hunted_mib": round(self.hunted_bytes / 2**20, 1),
        }
