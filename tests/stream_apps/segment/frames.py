"""A van for tests, and signed frames of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.envelope import seal
from sonovan.contracts.frame_codec import DEFAULT_CODEC, encode_pixels, pixels_sha256
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.van import FrameCaptured, Panel, VanEnrolled
from sonovan.stream_apps.vans import VanRegistry

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class TestVan:
    """Signs frames of one sequence of one screening."""

    __test__ = False

    van_id: str = "van-a"
    private_key: bytes = field(default_factory=generate_key)
    screening_id: str = field(default_factory=mint_id)
    sequence_id: str = field(default_factory=mint_id)

    def enrolled(self, *, revoked_at: datetime | None = None) -> VanEnrolled:
        van = VanEnrolled.first(self.van_id, public_key(self.private_key), NOW - timedelta(days=1))
        return van if revoked_at is None else van.revoked(revoked_at)

    def registry(self) -> VanRegistry:
        registry = VanRegistry()
        registry.learn(self.enrolled())
        return registry

    def header(self, pixels: NDArray[np.generic], index: int = 0, **changes: object) -> FrameCaptured:
        rows, columns = pixels.shape[:2]
        fields: dict[str, object] = {
            "screening_id": self.screening_id,
            "sequence_id": self.sequence_id,
            "frame_index": index,
            "van_id": self.van_id,
            "organ": "breast",
            "laterality": "left",
            "consent": {"screening": True, "ai": True},
            "captured_at": NOW,
            "time_ms": 40.0 * index,
            "rows": rows,
            "columns": columns,
            "channels": 1 if pixels.ndim == 2 else 3,
            "bits": 8 * pixels.dtype.itemsize,
            "codec": DEFAULT_CODEC,
            "pixels_sha256": pixels_sha256(pixels),
            "panels": (Panel(ordinal=0, left=0, top=0, width=columns, height=rows, column_mm=0.1, row_mm=0.2),),
        }
        return FrameCaptured.model_validate(fields | changes)

    def frame(self, index: int = 0, pixels: NDArray[np.generic] | None = None, **changes: object) -> bytes:
        """The envelope of one frame."""
        shown = bright_disc(index) if pixels is None else pixels
        return seal(self.header(shown, index, **changes), self.private_key, encode_pixels(shown))


def bright_disc(index: int = 0, rows: int = 120, columns: int = 160) -> NDArray[np.uint8]:
    """Speckle with a bright disc that moves with the index: a region for whoever looks for brightness."""
    rng = np.random.default_rng(index)
    frame = rng.integers(20, 90, (rows, columns), dtype=np.uint8)
    row, column = np.ogrid[:rows, :columns]
    frame[(row - 60) ** 2 + (column - 60 - index % 40) ** 2 < 20**2] = 230
    return frame
