"""`make page-images`: pictures of the operator's page for README.md, of an invented woman and a simulated sweep."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import cv2
import imagecodecs
import numpy as np

from sonovan.models import load
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.gateway.preview import Preview
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.page.doors import Doors
from sonovan.producers.page.server import serving
from sonovan.stream_apps.assess.pointing import thinned
from tests.chromium import Tab, chromium, found_program
from tests.producers.files import write_dicom
from tests.producers.gateway.vans import Running, running, send
from tests.producers.page.pages import OTHER_SLIP, SLIP, Desk, desk, without
from tests.producers.spool.earlier import place, told
from tests.producers.spool.test_spool import store_all
from tests.waiting import until

WIDTH, HEIGHT = 1280, 900
SEED = 7


@contextmanager
def day(folder: Path) -> Iterator[tuple[Desk, Running]]:
    """A gateway with its page: somebody who was examined before is registered and scanned on one side, and an object of
    nobody is in the tray.
    """
    (folder / "other").mkdir(parents=True)
    preview = Preview(partial(load, provider="cpu", precision="fp32"))
    with (
        running(folder / "van", watch=Watch(preview=preview), earlier_bytes=2**24) as van,
        desk(folder / "other") as plain,
    ):
        watch = van.watch
        page = replace(plain.page, vault=van.vault, spool=van.spool, desk=van.desk, watch=watch, clock=date.today)
        here = Desk(page)
        examined_before(here, van, folder)
        marked = (*without("slip", ("slip", SLIP)), ("lump_left", "2h"), ("age_years", "52"), ("sex", "female"))
        assert here.ask("POST", "/register", marked).status == 303
        entry = van.desk.register.expected()[-1]
        sweep = simulate_sweep("breast", frames=24, seed=SEED)
        frames = [np.asarray(each) for each in sweep.frames]
        shown = {index for index, lesions in enumerate(sweep.truth) if sum(int(each.mask.sum()) for each in lesions)}
        frames[11], frames[15] = np.zeros_like(frames[11]), cv2.blur(frames[15], (61, 1))
        size = frames[0].shape
        steps = [frames[first : first + 4] for first in range(0, len(frames), 4)]
        for number, (clip, side) in enumerate((*((each, "L") for each in steps), (frames[3:5], "R"))):
            tags = {"PatientID": SLIP, "Laterality": side, "BodyPartExamined": "BREAST"}
            send(van.port, write_dicom(folder / f"{number}.dcm", clip, shape=size, **tags))
            van.settled()
            if side == "L" and 4 * number + 3 in shown:  # of each step the last frame is looked at, if no other comes
                until(lambda: preview.of(entry.screening_id).outlined, "the preview has seen it", deadline_s=120)
        lone = {"PatientID": "", "PatientName": "TEST^ONE", "Laterality": "R", "BodyPartExamined": "BREAST"}
        send(van.port, write_dicom(folder / "lone.dcm", [frames[5]], shape=size, **lone))
        van.settled()
        assert preview.of(entry.screening_id).outlined, "a step ended on the simulated lesion"
        van.desk.checklists.tick(entry.screening_id, (entry.visit.planned or ())[0])
        yield here, van


def examined_before(here: Desk, van: Running, folder: Path) -> None:
    """The same woman the year before, of whom the centre told one place: where the simulated lesion lies."""
    here = Desk(replace(here.page, clock=lambda: date.today() - timedelta(days=370)))
    here.ask("POST", "/register", (*without("slip", ("slip", OTHER_SLIP)), ("age_years", "51"), ("sex", "female")))
    (entry,) = van.desk.register.expected()
    sweep = simulate_sweep("breast", frames=24, seed=SEED)
    index = max(range(24), key=lambda each: sum(int(lesion.mask.sum()) for lesion in sweep.truth[each]))
    tags = {"PatientID": OTHER_SLIP, "Laterality": "L", "BodyPartExamined": "BREAST"}
    size = sweep.frames[0].shape
    send(van.port, write_dicom(folder / "before.dcm", [np.asarray(each) for each in sweep.frames], shape=size, **tags))
    van.settled()
    assert here.ask("POST", "/live/{screening}/left", screening=entry.screening_id).status == 303
    store_all(van.spool)
    lesion = max(sweep.truth[index], key=lambda each: int(each.mask.sum())).mask.astype(np.uint8)
    (corners, *_), _ = cv2.findContours(lesion, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = thinned(tuple((float(column), float(row)) for ((column, row),) in corners))
    told(van.spool, entry.screening_id, place(van.spool, entry.screening_id, index, outline=outline))


def enter(tab: Tab, port: int, doors: Doors) -> None:
    """Open the page as somebody does who clicks the printed address."""
    tab.go(f"http://127.0.0.1:{port}/enter#{doors.code}")
    tab.until("location.pathname === '/register'")


def main(out: Path) -> int:
    """Write the pictures into a folder; 1 where there is no browser."""
    program = found_program()
    if program is None:
        sys.stderr.write("no Chromium here (Debian: chromium, and fonts-wqy-microhei for Chinese)\n")
        return 1
    doors = Doors()
    with (
        tempfile.TemporaryDirectory() as folder,
        day(Path(folder)) as (here, van),
        serving(here.page, doors, sys.stderr.write) as port,
        chromium(program) as tab,
    ):
        enter(tab, port, doors)
        entry = van.desk.register.expected()[-1]
        for name, place, language in (
            ("van-register", "/register", "en"),
            ("van-tray", "/tray", "en"),
            ("van-live", f"/live/{entry.screening_id}", "en"),
            ("van-lights", "/lights", "zh"),
        ):
            tab.go(f"http://127.0.0.1:{port}/language/{language}")
            tab.go(f"http://127.0.0.1:{port}{place}")
            tab.until("document.fonts.status === 'loaded' && [...document.images].every((each) => each.complete)")
            tab.until("!document.querySelector('#sides') || document.querySelector('#sides').rows.length > 0")
            tab.screenshot(out / f"{name}.png", WIDTH, HEIGHT)
            smaller(out / f"{name}.png")
    return 0


def smaller(path: Path) -> None:
    """Write a picture again as small as PNG allows: a page has few colours."""
    picture = imagecodecs.png_decode(path.read_bytes())
    path.write_bytes(imagecodecs.png_encode(picture[..., :3].copy(), level=9))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
