"""A console with something on every page, for the pictures of README.md: invented women and a simulated sweep."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert

from sonovan.clinical.category import categorised
from sonovan.contracts.alerts import AlertHandled, Closed, LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.clinical_record import LumpPlace, Relative
from sonovan.contracts.description import Location
from sonovan.contracts.faults import FaultAlerted, fault_id
from sonovan.contracts.quality import Agreement, Drift, Flagged, QualityMeasured, Stratum, StratumLevel, Window
from sonovan.contracts.results import Finding
from sonovan.contracts.reviews import Compared
from sonovan.contracts.topics import Topic, Writer
from sonovan.contracts.van_reports import VanReported
from sonovan.models.masks import encode_mask
from sonovan.models.phantom.sweep import SimulatedSweep, simulate_sweep
from sonovan.storage.catalogue.changes import moment
from sonovan.storage.catalogue.tables import INVITED
from sonovan.storage.catalogue.tables_sent import OPENING
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import SHADOW, Bucket
from sonovan.transport.lag import Lag
from tests.clinical.records import region, segmented, sha
from tests.console.cine_scene import FINGERPRINT
from tests.console.pictured_women import NOW, Woman, last_year, minted, months, waiting, yesterdays
from tests.console.signing_scene import LEFT, SHE, Signing, findings, signing, with_pictures
from tests.console.test_rejected import rejected
from tests.console.world import HER, HERS, Clock
from tests.stream_apps.alert.scene import Stage
from tests.stream_apps.catalog.scene import Said, handled, recorded, resent, reviewed

SEED: Final = 7
CANDIDATE: Final = sha("a candidate")
SCANNER: Final = Stratum(
    level="source", model_id="lesion-1", fingerprint=FINGERPRINT, organ="breast", van_id="van-1", manufacturer="mindray"
)
BY_VAN: Final = Stratum(level="van", model_id="lesion-1", fingerprint=FINGERPRINT, organ="breast", van_id="van-1")
OPEN: Final = rejected(1, rejected_at=NOW - timedelta(hours=3))
"""A rejected record about which nobody has decided."""
PEOPLE: Final[dict[str, tuple[tuple[str, ...], list[str] | None]]] = {
    "adm-1": (("administrator",), None),
    "aud-1": (("auditor",), None),
    "dr-1": (("reader",), None),
    "dr-2": (("reader",), None),
    "dr-3": (("reader", "lead"), ["site-1"]),
    "en-1": (("engineer",), None),
    "ld-1": (("lead",), None),
    "op-7": (("operator",), ["site-1"]),
    "op-8": (("operator",), ["site-2"]),
    "op-9": (("operator",), ["site-1"]),
    "op-10": (("operator",), ["site-2"]),
}
"""Account → its roles, and the sites that it may see."""
DIRECTIONS: Final = """
[en]
place = "County women's hospital, 3rd floor"
phone = "010-1234567"
[zh]
place = "县妇幼保健院 3 楼"
phone = "010-1234567"
"""


def outline(sweep: SimulatedSweep, index: int) -> NDArray[np.bool_]:
    """The true lesions of a frame as a mask."""
    mask = np.zeros(sweep.frames[index].shape, np.bool_)
    for lesion in sweep.truth[index]:
        mask |= lesion.mask
    return mask


@contextmanager
def centre(folder: Path) -> Iterator[Signing]:
    """The console of a programme of three vans. A sweep is to be read; nobody has signed it yet."""
    sweep = simulate_sweep("breast", frames=LEFT.count, size=(480, 640), lesions=1, seed=SEED)
    left = replace(
        LEFT,
        rows=480,
        columns=640,
        picture=lambda index, _rows, _columns: np.asarray(sweep.frames[index]),
        mask=lambda index, _rows, _columns: outline(sweep, index),
    )
    directions = folder / "directions.toml"
    directions.write_text(DIRECTIONS, encoding="utf-8")
    clock, broker = Clock(round((NOW - timedelta(hours=6)).timestamp() * 1000)), Broker()
    with signing(
        folder, left=left, also=_invited, clock=clock, measure=broker, second_reader="called_back",
        invite_breast_months=12, invite_thyroid_months=24, directions_file=directions,
    ) as desk:  # fmt: skip
        for _ in range(72):
            clock.forward(minutes=5)
            desk.console.console.lags.look()
        clock.now_ms = round(NOW.timestamp() * 1000)
        for code, (roles, sites) in PEOPLE.items():
            desk.console.person(code, *roles, sites=sites)
        desk.console.console.accounts.disable("op-9", clock())
        desk.write(*_said(sweep, desk))
        desk.revise(3, with_pictures(desk, her_findings()))
        desk.console.console.claims.take(waiting()[1].screening_id, "dr-2")
        yield desk


class Broker:
    """How far stages are behind: in the last half an hour frames came faster than they were segmented."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self) -> Sequence[Lag]:
        self._asked += 1
        at = self._asked
        waits = 40 + round(30 * math.sin(at / 5)) + max(0, at - 66) * 150
        frames, kept = 25 + round(20 * math.sin(at / 9)), max(0, 240 - 4 * at)
        return [
            Lag(Writer.SEGMENT, Topic.FRAME_CAPTURED.value, waits, 4, waits // 3),
            Lag(Writer.ASSESS, Topic.FRAME_SEGMENTED.value, frames, 2, frames // 2 + 1),
            Lag(Writer.ALERT, Topic.SCREENING_ASSESSED.value, 0, 0, 0),
            Lag(Writer.CATALOG, Topic.FRAME_SEGMENTED.value, kept, 3 if kept else 0, kept // 2),
        ]


def her_findings() -> tuple[Finding, ...]:
    """The lesion and the nodule of the woman who is read, with the lesion's place."""
    lesion, nodule = findings()
    where = Location(hour=2, region="upper_outer", nipple_distance_mm=30)
    return categorised((lesion.model_copy(update={"location": where}), nodule))


def _invited(connection: Connection) -> None:
    """How many women were invited; and nobody of the two whom every console of the tests has, a year later."""
    connection.execute(delete(OPENING).where(OPENING.c.screening_id.in_((HER, HERS))))
    for site, organ, women in (("site-1", "breast", 14), ("site-2", "breast", 6), ("site-1", "thyroid", 4)):
        for month in ("2024-12", "2025-01", "2025-02", "2025-03"):
            told = {"site_code": site, "month": month, "organ": organ, "women": women, "operator": "ld-1"}
            connection.execute(insert(INVITED).values(**told, recorded_at=moment(NOW)))


def _said(sweep: SimulatedSweep, desk: Signing) -> list[Said]:
    """All that the catalogue is told, but for the revision that is read."""
    told: list[Said] = []
    for woman in waiting():
        told += woman.records()
    followed = [*last_year(), *reversed(months()), *yesterdays()]
    for woman, later in followed:
        told += [*woman.records(), *later]
    store = FolderStore(desk.folder / "objects")
    told += [
        _her_answers(), *_alerts([woman for woman, _ in followed]), *_fleet(), *_rejections(), *_measured(),
        *_shadows(store, sweep), *_drawn(store, sweep),
    ]  # fmt: skip
    return told


def _her_answers() -> Said:
    place = LumpPlace(side="left", position="2h", nipple_distance_mm=30)
    return recorded(
        2, age_years=52, sex="female", palpable_lump="left", lump_places=(place,), nipple_discharge="none",
        skin_or_nipple_change="none", symptoms=("lump",), menopause="peri", parity=2, hormones=(), biopsies=(),
        family=(Relative(cancer="breast", degree="first", age_years=47),), earlier_cancer=(),
    ).model_copy(update={"screening_id": SHE})  # fmt: skip


def _alerts(followed: Sequence[Woman]) -> Iterator[Said]:
    desk = Stage()
    raised = list[LesionAlerted]()
    for woman in (*waiting(), *followed[-8:]):
        raised += desk.take(woman.revision)
    yield from raised
    done = raised[-1]
    of = {"alert_id": done.alert_id, "screening_id": done.screening_id, "raised_in": done.raised_in, "by": "op-7"}
    yield AlertHandled(step=Closed(because="attended"), handled_at=NOW - timedelta(hours=1), **of)


def _fleet() -> Iterator[Said]:
    usual: dict[str, Any] = {"held": 0, "rejected": 0, "unfinished": 0, "version": "0.1.0", "python": "3.11.7"}
    yield VanReported(
        van_id="van-1", reported_at=NOW - timedelta(minutes=1), waiting=38, waiting_bytes=21 * 2**20, oldest_s=95,
        disk_free_bytes=212 * 10**9, clock_ahead_s=0.4, link_bits_per_s=5_400_000, **{**usual, "unfinished": 1},
    )  # fmt: skip
    yield VanReported(
        van_id="van-2", reported_at=NOW - timedelta(minutes=3), waiting=960, waiting_bytes=540 * 2**20, oldest_s=3100,
        disk_free_bytes=64 * 10**9, clock_ahead_s=-2.1, link_bits_per_s=310_000, metered=True,
        **{**usual, "held": 2, "rejected": 3},
    )  # fmt: skip
    yield VanReported(
        van_id="van-3", reported_at=NOW - timedelta(days=4), waiting=0, waiting_bytes=0, disk_free_bytes=11 * 10**9,
        clock_ahead_s=84.0, link_bits_per_s=None, **usual,
    )  # fmt: skip
    yield FaultAlerted(
        state="raised", as_of=NOW - timedelta(hours=2), van_id="van-3", fault="van_disk",
        fault_id=fault_id("van-3", "van_disk"), because=(Because(code="disk_free", value=10.2, unit="GiBy"),),
    )  # fmt: skip


def _rejections() -> Iterator[Said]:
    others = [
        rejected(2, rejected_at=NOW - timedelta(hours=4)), rejected(3, rejected_at=NOW - timedelta(hours=5)),
        rejected(4, reason="pixels_corrupt", retryable=False, rejected_at=NOW - timedelta(hours=9), van_id="van-2"),
        rejected(
            5, stage="assess", topic=Topic.FRAME_SEGMENTED, reason="record_invalid", retryable=False, verified=True,
            rejected_at=NOW - timedelta(hours=20),
        ),
        rejected(6, rejected_at=NOW - timedelta(days=1)),
    ]  # fmt: skip
    yield OPEN
    yield from others
    yield handled("retry", 1, others[0].rejection_id)
    yield handled("retry", 2, others[-1].rejection_id)
    yield resent(rejection_id=others[-1].rejection_id)


def _measured() -> Iterator[Said]:
    """Agreement of the network, of each van and scanner; ten windows of a scanner, which drifts in the last two."""
    network = Stratum(level="network", model_id="lesion-1", fingerprint=FINGERPRINT, organ="breast")
    levels: tuple[tuple[StratumLevel, str, float], ...] = (("van", "van-2", 0.86), ("van", "van-3", 0.71))
    others = [
        (Stratum(level=level, model_id="lesion-1", fingerprint=FINGERPRINT, organ="breast", van_id=van), dice)
        for level, van, dice in levels
    ]
    worst = yesterdays()[1][0]
    flagged = tuple(
        Flagged(
            screening_id=woman.screening_id, sequence_id=woman.sweep("left"), frame_index=3, because="predicted_low",
            feature="predicted", value=0.31,
        )
        for woman in (worst, waiting()[0])
    )  # fmt: skip
    for at, (stratum, dice) in enumerate([(network, 0.85), (BY_VAN, 0.84), *others]):
        few = dice < 0.8
        yield QualityMeasured(
            stratum=stratum, as_of=NOW - timedelta(hours=9 * at),
            agreement=Agreement(
                screenings=12 if few else 46, frames=24 if few else 92, dice=dice, iou=dice - 0.1,
                dice_low=dice - (0.12 if few else 0.03), dice_high=dice + (0.1 if few else 0.03),
                iou_low=dice - (0.2 if few else 0.13), iou_high=dice - (0.02 if few else 0.07), needed=30,
                verdict="too_few" if few else "met",
            ),
            flagged=flagged[at % 2 : at % 2 + 1] if at < 3 else (),
        )  # fmt: skip
    for number in range(1, 11):
        yield QualityMeasured(stratum=SCANNER, as_of=NOW - timedelta(days=3 * (11 - number)), window=_window(number))


def _window(number: int) -> Window:
    reference, drifted = number <= 3, number > 8
    usual: dict[str, Any] = {"reference_screenings": 90, "screenings": 30, "critical": 0.31, "psi": 0.2}
    brightness = Drift(
        feature="brightness", reference_median=121, low=112, high=131, median=168.0 if drifted else 118.0 + number,
        distance=0.74 if drifted else 0.12, drifted=drifted, **usual,
    )  # fmt: skip
    sharpness = Drift(
        feature="sharpness", reference_median=0.42, low=0.39, high=0.46, median=0.41 + 0.006 * (number % 4),
        distance=0.1, drifted=False, **usual,
    )  # fmt: skip
    ended = NOW - timedelta(days=3 * (11 - number))
    return Window(
        number=number, screenings=30, reference=reference, began_at=ended - timedelta(days=3), ended_at=ended,
        drifts=() if reference else (brightness, sharpness),
    )  # fmt: skip


def _kept(store: FolderStore, key: str, mask: NDArray[np.bool_]) -> dict[str, str]:
    """Store a mask; how a record names it."""
    data = encode_mask(np.asarray(mask, np.uint8))
    store.put(Bucket.MASKS, key, data, "image/png")
    return {"mask_key": key, "mask_sha256": hashlib.sha256(data).hexdigest()}


def _eroded(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((by, by), np.uint8)), np.bool_)


def _shadows(store: FolderStore, sweep: SimulatedSweep) -> Iterator[Said]:
    """A candidate's results: smaller outlines of the simulated sweep, and figures alone of yesterday's women."""
    of: dict[str, Any] = {"model_id": "lesion-2", "fingerprint": CANDIDATE}
    for index in range(LEFT.count):
        mask = _eroded(outline(sweep, index), 15)
        named = _kept(store, f"{SHADOW}/{LEFT.sequence_id}/{index}", mask) if mask.any() else {}
        seen = (region(predicted_dice=0.74),) if named else ()
        size = {"rows": sweep.frames[0].shape[0], "columns": sweep.frames[0].shape[1]}
        record = segmented(
            index, seen, screening_id=SHE, sequence_id=LEFT.sequence_id, quality=0.9, **size, **of,
            **(named or {"mask_key": None, "mask_sha256": None}),
        )  # fmt: skip
        yield Topic.FRAME_REPLAYED, record
    for woman, _ in yesterdays():
        for index in range(3):
            record = segmented(index, **woman.of, sequence_id=woman.sweep("left"), quality=0.88, **of)
            yield Topic.FRAME_REPLAYED, record


def _drawn(store: FolderStore, sweep: SimulatedSweep) -> Iterator[Said]:
    """Frames that readers drew before they saw an outline."""
    for number, (index, by) in enumerate(((3, 3), (4, 9), (5, 21), (6, 5), (7, 13))):
        truth = outline(sweep, index)
        own = _kept(store, f"reviews/{number}", _eroded(truth, by))
        machine = _kept(store, f"machine/{number}", truth)
        beside = Compared(
            model_id="lesion-1", weights_sha256=sha("weights"), fingerprint=FINGERPRINT, predicted_dice=0.8,
            assessable=True, **machine,
        )  # fmt: skip
        at = NOW - timedelta(days=5 - number)
        yield reviewed(
            minted("review", number, at), screening_id=SHE, sequence_id=LEFT.sequence_id, frame_index=index, blind=True,
            reader=("dr-1", "dr-2")[number % 2], compared=beside, reviewed_at=at, words=(), **own,
        )  # fmt: skip
