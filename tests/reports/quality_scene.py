"""Made-up figures of quality as the stage publishes them: four vans, two scanners, a drift, flags and reviews."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from sonovan.clinical.quality.agreement import agreement
from sonovan.clinical.quality.drift import compare
from sonovan.contracts.ids import mint_id
from sonovan.contracts.quality import FEATURES, Flagged, QualityMeasured, ReviewedFrame, Stratum, Window
from tests.clinical.quality.test_drift import screenings

BEGAN: Final = datetime(2026, 9, 1, 8, tzinfo=UTC)
SCANNERS: Final = (("mindray", "DC-70"), ("sonoscape", "S60"))
WORK: Final[tuple[dict[str, Any], ...]] = (
    {"van_id": "van-1", "organ": "breast", "screenings": 812, "sides": 1611, "coverage": 0.97, "adequacy": 0.91,
     "seconds_per_side": 141.2, "sweeps_per_side": 4.3, "rescans_per_side": 0.41, "refused_share": 0.03},
    {"van_id": "van-2", "organ": "thyroid", "screenings": 90, "sides": 180, "coverage": 0.8, "adequacy": 0.62,
     "seconds_per_side": None, "sweeps_per_side": 1.0, "rescans_per_side": 0.0, "refused_share": None},
)  # fmt: skip


def stratum(level: str, van: int = 1, scanner: int = 0, organ: str = "breast") -> Stratum:
    """Of this level; the van and the scanner count where the level has them."""
    maker, model = SCANNERS[scanner]
    named = level in ("scanner", "source")
    return Stratum.model_validate({
        "level": level, "model_id": "lite2-unet-3", "fingerprint": "ab" * 32, "organ": organ,
        "van_id": f"van-{van}" if level in ("van", "source") else None,
        "manufacturer": maker if named else None, "scanner_model": model if named else None,
    })  # fmt: skip


def windows(of: Stratum, many: int, drift_from: int, seed: int, **change: float) -> list[QualityMeasured]:
    """So many windows of a scanner on a van; from one of them on screenings look otherwise."""
    draw, found = np.random.default_rng(seed), []
    reference = screenings(draw, 400)
    for number in range(1, many + 1):
        now = screenings(draw, 100, **(change if number >= drift_from else {}))
        at = BEGAN + timedelta(days=3 * number, hours=of.van_id == "van-2")
        is_reference = number <= 4
        window = Window(
            number=number, screenings=100, reference=is_reference, began_at=at - timedelta(days=3), ended_at=at,
            predicted=round(float(np.mean(now["predicted"])), 4),
            drifts=() if is_reference else compare(reference, now),
        )  # fmt: skip
        found.append(QualityMeasured(stratum=of, as_of=at, window=window))
    return found


def reviewed(of: Stratum, many: int, mean: float, seed: int, days: int = 40) -> QualityMeasured:
    """The agreement over so many screenings."""
    draw = np.random.default_rng(seed)
    frames = [
        [
            ReviewedFrame(dice=float(dice), iou=float(dice / (2 - dice)), outlined=True,
                          predicted=float(np.clip(dice + draw.normal(0.02, 0.05), 0, 1)))
            for dice in np.clip(draw.normal(mean, 0.12, int(draw.integers(1, 4))), 0, 1).round(3)
        ]
        for _ in range(many)
    ]  # fmt: skip
    frames.append([ReviewedFrame(dice=None, iou=None, outlined=number == 0, predicted=None) for number in range(9)])
    return QualityMeasured(stratum=of, as_of=BEGAN + timedelta(days=days), agreement=agreement(frames))


def figures() -> list[QualityMeasured]:
    """Everything, as it stands in the topic."""
    found = [
        reviewed(stratum("network"), 150, 0.6, 1, days=10),  # an earlier one, which is not shown
        reviewed(stratum("network"), 180, 0.88, 2),
        reviewed(stratum("network", organ="thyroid"), 40, 0.84, 3),
        reviewed(stratum("van", 1), 120, 0.90, 4),
        reviewed(stratum("van", 2), 100, 0.72, 5),
        reviewed(stratum("scanner", scanner=0), 70, 0.89, 6),
        reviewed(stratum("scanner", scanner=1), 20, 0.70, 7),
    ]
    found += windows(stratum("source", 1), 10, 8, 11, gain=1.18)
    found += windows(stratum("source", 2, 1), 9, 99, 12)
    found += windows(stratum("source", 3), 3, 99, 13)
    for number in range(24):
        flag = Flagged(
            screening_id=mint_id(1_000 + number, lambda count: bytes(count)),
            sequence_id=mint_id(2_000 + number, lambda count: bytes(count)),
            frame_index=8 * number,
            because="predicted_low" if number % 3 else "outside_reference",
            feature="predicted" if number % 3 else FEATURES[0],
            value=0.41 + number / 100,
        )
        at = BEGAN + timedelta(days=30 + number // 5, minutes=number)
        found.append(QualityMeasured(stratum=stratum("source", 1 + number % 2), as_of=at, flagged=(flag,)))
    return found
