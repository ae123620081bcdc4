"""How soon a reader sees a frame, when a sweep plays smoothly, how long a click waits, what the browser keeps.

A real console on loopback and a real Chromium. The sweep is a synthetic one (`sonovan.models.phantom`), 300 frames of
1024 × 768 pixels with grain, which take 1.8 times as many bytes without loss as pictures of public sets do at that
size. The link is the browser's own emulation of 20 Mbit/s with 20 ms of latency. Memory is what all processes of the
browser share out among them (PSS).
"""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from benchmarks.shared import say
from sonovan.models.phantom.sweep import SimulatedSweep, simulate_sweep
from sonovan.storage.folder_store import FolderStore
from tests.chromium import Tab, chromium, found_program
from tests.console.cine_scene import Clip, lesion, make_screening
from tests.console.conftest import log_in
from tests.console.world import running

SHE: Final = "0192f0c1-2345-7abc-8def-0123456789ab"
FRAMES: Final = 300
COLUMNS: Final = 1024
ROWS: Final = 768
OPENINGS: Final = 10
CLICKS: Final = 40
CINES: Final = 100
SMOOTH_PX: Final = 2.5
GRAIN: Final = 6.0
LINK_BITS: Final = 20e6
LATENCY_MS: Final = 20.0

_CINE: Final = "document.querySelector('[data-reading]').cine"
_PANE: Final = "document.querySelector('[data-pane=one]')"
_FIRST: Final = "performance.getEntriesByName('cine-first-frame')[0]?.startTime"

Mask = NDArray[np.bool_]


def measure() -> dict[str, Any]:
    """All figures of this part."""
    program = found_program()
    if program is None:
        raise SystemExit("Chromium is not installed (Debian: chromium)")
    sweep = simulate_sweep("breast", frames=FRAMES // 4, seed=1)
    clips = [clip_of(1, FRAMES, sweep), clip_of(2, FRAMES // 5, sweep)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def rows(connection: Connection) -> None:
            store = FolderStore(folder / "objects")
            make_screening(connection, store, SHE, clips, findings=[lesion(clips[0], 40, 80)], age_years=52)

        with running(folder, rows=rows, blind_share=0.0) as console:
            say("the console runs")
            with chromium(program) as tab:
                tab.sized(1600, 1000)
                log_in(tab, console, "dr-1", "reader")
                page = f"{console.url}/reading/{SHE}"
                found = {"first_frame_ms": _first_frame(tab, page), **_smooth(tab, page), **_clicks(tab, page)}
            with chromium(program) as tab:
                tab.sized(1600, 1000)
                log_in(tab, console, "dr-1", "reader")
                found |= _memory(tab, page)
    return found


def clip_of(number: int, count: int, sweep: SimulatedSweep) -> Clip:
    """Four frames of one moment with speckle of their own: simulating 300 would take longer than everything else."""
    noise = np.random.default_rng(number).normal(0, GRAIN, (2 * ROWS, 2 * COLUMNS)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), 1.3)

    def picture(index: int, rows: int, columns: int) -> NDArray[np.uint8]:
        large = cv2.resize(sweep.frames[index // 4], (columns, rows), interpolation=cv2.INTER_LINEAR)
        large = cv2.GaussianBlur(large, (0, 0), SMOOTH_PX)
        down, across = 37 * index % rows, 53 * index % columns
        part = grain[down : down + rows, across : across + columns]
        return np.asarray(np.clip(large + part * (large > 8), 0, 255), np.uint8)

    def mask(index: int, rows: int, columns: int) -> Mask:
        found = np.zeros(sweep.frames[0].shape, np.uint8)
        for each in sweep.truth[index // 4]:
            found |= each.mask
        return np.asarray(cv2.resize(found, (columns, rows), interpolation=cv2.INTER_NEAREST) > 0, np.bool_)

    name = f"0192f0c1-2345-7abc-8def-00000000000{number}"
    return Clip(name, count, rows=ROWS, columns=COLUMNS, picture=picture, mask=mask)


def _open(tab: Tab, page: str, number: int) -> None:
    tab.go(f"{page}?{number}")
    tab.until(f"location.search === '?{number}' && {_PANE}?.dataset.frame")


def _first_frame(tab: Tab, page: str) -> float:
    """The median of openings one after another, from the navigation to the first frame; the first one warms up."""
    times = []
    for number in range(OPENINGS + 1):
        _open(tab, page, number)
        times.append(float(tab.run(_FIRST)))
    say(f"first frames after {sorted(round(each) for each in times)} ms")
    return round(statistics.median(times[1:]), 1)


def _smooth(tab: Tab, page: str) -> dict[str, Any]:
    """From the navigation to the moment after which the sweep plays to its end without a stall, at LINK_BITS."""
    tab.link(bits_per_s=LINK_BITS, latency_ms=LATENCY_MS)
    moments, rates, first = [], [], []
    for number in range(2):
        _open(tab, page, 100 + number)
        began = float(tab.run(f"({_CINE}.play(true), performance.now())"))
        tab.until(f"{_CINE}.active.place === {FRAMES - 1} && !{_CINE}.playing")
        ended = float(tab.run("performance.now()"))
        stalled = float(tab.run("Number(document.querySelector('[data-reading]').dataset.stalledAt ?? 0)"))
        moments.append(max(began, stalled) / 1000)
        rates.append((FRAMES - 1) / (ended - began) * 1000)
        first.append(float(tab.run(_FIRST)))
        told = tab.run(f"{_CINE}.stalls")
        say(f"smooth from {moments[-1]:.2f} s on, {rates[-1]:.1f} frames/s over all, {told} stalled ticks")
    tab.link()
    return {
        "smooth_at_s": round(max(moments), 2),
        "frames_per_s_at_20_mbit": round(min(rates), 1),
        "first_frame_at_20_mbit_ms": round(statistics.median(first), 1),
    }


def _clicks(tab: Tab, page: str) -> dict[str, Any]:
    """From the press of the button to the mask on the screen, on one frame after another that the tool has seen."""
    _open(tab, page, 200)
    tab.press("c")
    times: list[float] = []
    for number in range(CLICKS):
        if number % 10 == 0:
            tab.run(f"{_CINE}.go({100 + 3 * number})")
            tab.until(f"{_CINE}.draw.ready && {_CINE}.active.drawn.place === {100 + 3 * number}")
            time.sleep(1.0 if number else 8.0)  # a reader looks before clicking; the network is loaded at the first
        x, y = tab.run(
            f"(() => {{ const box = {_CINE}.active.stage.getBoundingClientRect();"
            f"return [box.left + box.width / 2 + {7 * (number % 10)}, box.top + box.height / 2]; }})()"
        )
        tab.drag((x, y))
        tab.until(f"Number(document.querySelector('[data-drawing]').dataset.clicks) === {number + 1}")
        times.append(float(tab.run("document.querySelector('[data-drawing]').dataset.clickMs")))
    p95 = statistics.quantiles(times, n=20)[18]
    say(f"clicks: median {statistics.median(times):.0f} ms, 95th percentile {p95:.0f} ms")
    return {"click_to_mask_ms_p95": round(p95, 1), "click_to_mask_ms_median": round(statistics.median(times), 1)}


def _memory(tab: Tab, page: str) -> dict[str, Any]:
    """What the browser holds after the first cine, and after CINES were opened and played in one page."""
    _open(tab, page, 300)
    told: list[float] = []
    for number in range(CINES):
        tab.run(f"({_CINE}.open({_CINE}.active, {_CINE}.sweeps[{number % 2}], 0), {_CINE}.play(true))")
        tab.until(f"{_CINE}.active.place > 8")
        told.append(pss_mib())
    say(f"memory after 1, 10, 50 and {CINES} cines: {[round(told[at]) for at in (0, 9, 49, CINES - 1)]} MiB")
    return {"browser_memory_mib": round(told[-1], 1), "browser_memory_after_one_mib": round(told[0], 1)}


def pss_mib() -> float:
    """Memory of every process that this one started, shared pages divided among those that share them."""
    parents: dict[int, int] = {}
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                parents[int(each.name)] = int(each.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    mine = {os.getpid()}
    while grown := {child for child, parent in parents.items() if parent in mine} - mine:
        mine |= grown
    total = 0
    for child in mine - {os.getpid()}:
        try:
            lines = Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
