"""A woman who was scanned, and the centre's report that tells where something was found."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sonovan.contracts.answers import Pointed, PointedPlace, VanAnswered
from sonovan.contracts.description import Location
from sonovan.contracts.ids import frame_id, mint_id
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import EarlierPlace, Spool
from tests.producers.spool.test_spool import store_all
from tests.producers.visits import SIGNER, VISIT, vault_at

HER, OTHER = "5e" * 32, "6f" * 32
TODAY = mint_id()
ROOM = 2**20
FINDING = "e" * 64
DAY = date(2025, 11, 20)
DAY_S = 86_400.0


def spool_in(folder: Path, **options: Any) -> Spool:
    return Spool(folder / "spool", vault_at(folder), **{"earlier_bytes": ROOM, "least_free_bytes": 2**20, **options})


def visited(spool: Spool, woman: str = HER, frames: int = 4) -> str:
    """A screening of the woman with this key, of one sweep, whole and closed; nothing of it is sent."""
    (simulated,) = simulated_sources("breast", 1, frames, 0)
    screening = spool.open_screening(replace(VISIT, subject_key=woman), SIGNER, [simulated])
    compose_sequence(screening, simulated, mint_id())
    return screening.close().screening_id


def place(spool: Spool, screening: str, index: int = 2, **more: Any) -> PointedPlace:
    (sequence,) = spool.sequence_ids(screening)
    fields: dict[str, Any] = {
        "finding_id": FINDING, "organ": "breast", "laterality": "left", "key_frame_id": frame_id(sequence, index),
        "location": Location(hour=10, nipple_distance_mm=35), "outline": ((9, 9), (30, 9), (30, 30)),
    }  # fmt: skip
    return PointedPlace.model_validate({**fields, **more})


def pointing(
    screening: str, *places: PointedPlace, number: int = 1, more: int = 0, amended: int | None = None
) -> VanAnswered:
    """The answer by which the centre tells where something was found. more: findings whose places it leaves out.

    amended: how many amendments it knows.
    """
    pointed = Pointed(examined_on=DAY, places=places, more=more, amended=amended)
    return _answer(screening, number, len(places) + more, pointed=pointed)


def report(screening: str, findings: int | None, number: int = 1, status: str | None = "complete") -> VanAnswered:
    """The answer that follows it, once the revision is published."""
    return _answer(screening, number, findings, status=status)


def _answer(screening: str, number: int, findings: int | None, **more: Any) -> VanAnswered:
    fields: dict[str, Any] = {
        "van_id": "van-1", "kind": "report", "screening_id": screening, "item_id": f"{screening}/report",
        "content_sha256": "a" * 64, "revision_id": "a" * 64, "revision_number": number, "findings": findings,
    }  # fmt: skip
    return VanAnswered.model_validate({**fields, **more})


def told(spool: Spool, screening: str, *places: PointedPlace, number: int = 1, amended: int | None = None) -> None:
    """The centre tells of a complete revision with these places. amended: how many amendments it knows."""
    spool.take_answer(pointing(screening, *places, number=number, amended=amended), 0, 98)
    spool.take_answer(report(screening, len(places), number), 0, 99)


def kept(spool: Spool, woman: str = HER, today: str = TODAY) -> list[EarlierPlace]:
    return spool.earlier.of(woman, today)


def scanned(spool: Spool, woman: str = HER, frames: int = 4) -> str:
    """A screening that is stored at the centre, whose report told of one place."""
    screening = visited(spool, woman, frames)
    store_all(spool)
    told(spool, screening, place(spool, screening, max(0, frames - 2)))
    return screening


def bodies(spool: Spool) -> int:
    return len(list((spool.folder / "items").iterdir()))
