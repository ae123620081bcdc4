"""Women of a small programme, as the catalogue and the object store keep them: made by the real records and writers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from sonovan.contracts.amendments import ConsentAmended, ScreeningAmended, Voided
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.ids import mint_id
from sonovan.contracts.record import Record
from sonovan.contracts.van import Consent, ScreeningOpened
from sonovan.contracts.words import slip_number
from sonovan.dataset.making import Asked, Exported, Rows, export
from sonovan.dataset.pseudonyms import Pseudonyms
from sonovan.models.masks import encode_mask
from sonovan.review_files import DrawnMask
from sonovan.review_import import Reader, sort_drawn
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.dataset import read_dataset
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, image_key, mask_key
from sonovan.storage.reviews import store_mask
from tests.clinical.records import assessed, segmented, sha
from tests.stream_apps.catalog.scene import changes

KEY: Final = "k" * 40
VAN: Final = "van-4711"
FIRST_DAY: Final = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)
SIZE: Final = (96, 128)
LATER_MS: Final = 4_000_000_000_000


def ellipse(column: int = 64, across: int = 20) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    cv2.ellipse(mask, (column, 48), (across, 14), 0, 0, 360, 1, -1)
    return mask


def tissue(seed: int, channels: int = 1) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(60, 200, (6, 8)).astype(np.uint8)
    grey = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    grey[ellipse() > 0] = 25
    return grey if channels == 1 else np.dstack([grey] * channels)


@dataclass
class Programme:
    """Records in the order of the topics, and the store beside them; `screen` a woman, `draw` on her frames."""

    path: Path
    records: list[Record] = field(default_factory=list)
    screenings: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    frames: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = FolderStore(self.path / "store")

    def screen(
        self, woman: int, *, age: int | None = 47, site: int = 1, day: int = 0, frames: int = 2, research: bool = True,
        channels: int = 1,
    ) -> str:  # fmt: skip
        """A screening with frames, of which the first has an outline by the machine."""
        screening, sweep = mint_id(), mint_id()
        subject = hashlib.sha256(f"woman {woman}".encode()).hexdigest()
        opened = FIRST_DAY + timedelta(days=day)
        consent = Consent(screening=True, ai=True, research=research)
        self.records.append(
            ScreeningOpened(
                screening_id=screening, van_id=VAN, subject_key=subject, slip_number=slip_number("A", woman + 1),
                site_code=f"site-{site}", opened_at=opened, consent=consent,
            )
        )  # fmt: skip
        if age is not None:
            self.records.append(
                FeaturesRecorded(
                    screening_id=screening, van_id=VAN, features_number=1, recorded_at=opened, age_years=age
                )
            )
        for index in range(frames):
            self._frame(screening, sweep, index, woman * 100 + index + 7 * abs(day), channels)
        revised = assessed(
            screening_id=screening, van_id=VAN, revision_id=sha(screening), revision_number=1, findings=(),
            examined_on=opened.date(),
        )  # fmt: skip
        self.records.append(revised)
        self.screenings.append(screening)
        self.subjects.append(subject)
        return screening

    def _frame(self, screening: str, sweep: str, index: int, seed: int, channels: int) -> None:
        pixels = tissue(seed, channels)
        coded, key = encode_pixels(pixels), image_key(VAN, sweep, index, DEFAULT_CODEC)
        self.store.put(Bucket.FRAMES, key, coded, "image/jls")
        named: dict[str, Any] = {"mask_key": None, "mask_sha256": None}
        if index == 0:
            mask = encode_mask(ellipse(60))
            named["mask_sha256"] = hashlib.sha256(mask).hexdigest()
            named["mask_key"] = mask_key(VAN, sweep, index, sha("network with companions"), named["mask_sha256"])
            self.store.put(Bucket.MASKS, named["mask_key"], mask, "image/png")
        made = segmented(
            index, sequence_id=sweep, screening_id=screening, van_id=VAN, rows=SIZE[0], columns=SIZE[1], panels=(),
            channels=channels, codec=DEFAULT_CODEC, pixels_sha256=pixels_sha256(pixels), image_key=key,
            image_sha256=hashlib.sha256(coded).hexdigest(), **named,
        )  # fmt: skip
        self.records.append(made)
        self.frames[made.frame_id] = made

    def draw(self, screening: str, reader: str, masks: Sequence[np.ndarray], *, blind: bool = True) -> None:
        """A reader's masks of the screening's frames, in their order, imported as files are."""
        own = {name: frame for name, frame in self.frames.items() if frame.screening_id == screening}
        drawn = [DrawnMask(name, name, mask) for name, mask in zip(sorted(own), masks, strict=False)]
        for review in sort_drawn(drawn, own, (), Reader(reader, blind), FIRST_DAY, mint_id).reviews:
            store_mask(self.store, review.record, review.mask)
            self.records.append(review.record)

    def amend(self, screening: str, amendment: Any, because: str) -> None:
        """Put something right about a screening."""
        before = sum(isinstance(each, ScreeningAmended) and each.screening_id == screening for each in self.records)
        fields = {
            "screening_id": screening, "van_id": VAN, "amendment_number": before + 1,
            "amendment": amendment, "because": because, "by": "op-7", "amended_at": FIRST_DAY,
        }  # fmt: skip
        self.records.append(ScreeningAmended.model_validate(fields))

    def void(self, screening: str) -> None:
        self.amend(screening, Voided(), "no_screening")

    def withdraw(self, screening: str, *uses: str) -> None:
        self.amend(screening, ConsentAmended(withdrawn=uses or ("research",)), "she_withdrew")

    def rows(self, until_ms: int = LATER_MS, erased: Sequence[str] = ()) -> Rows:
        """What the catalogue, filled with all records, says."""
        path = self.path / f"catalog-{len(self.records)}.sqlite"
        database = open_database(f"sqlite:///{path}")
        database.prepare()
        with database.writing() as connection:
            write(connection, changes(self.records))
            screenings, frames, reviews = read_dataset(connection, until_ms)
        database.close()
        return Rows(screenings, frames, reviews, frozenset(erased))

    def exported(self, out: Path, *, k: int = 2, erased: Sequence[str] = (), **other: Any) -> Exported:
        """The data set of all that."""
        asked = {"name": out.name, "until_ms": LATER_MS, "k": k, "suppress_share": 0.05, "frames": "all"} | other
        made = Asked(**asked)
        return export(self.rows(made.until_ms, erased), self.store, Pseudonyms(KEY), made, out)
