"""The settings of the segment stage: SONOVAN_SEGMENT_* in the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SegmentSettings(BaseSettings):
    """How much at once, and with which model (None: the registry's default).

    in_flight: frames between fetched and acknowledged; each holds its pixels once or twice in memory.
    waiting_each: frames of each van that wait beside those; what it sends beyond that is deferred where other vans are
    enrolled. room_frames, room_mib: of all that was fetched and is not acknowledged, deferring included.
    compute_threads: frames decoded and segmented at once. store_threads: frames being put at once.
    unknown_van_wait_s: how long after its arrival a frame of an unknown van waits for the registry.
    """

    model_config = SettingsConfigDict(env_prefix="SONOVAN_SEGMENT_", extra="forbid", frozen=True)

    in_flight: int = Field(default=12, ge=1, le=256)
    waiting_each: int = Field(default=32, ge=2, le=4096)
    room_frames: int = Field(default=8192, ge=64, le=65536)
    room_mib: int = Field(default=96, ge=1, le=4096)
    compute_threads: int = Field(default=2, ge=1, le=64)
    store_threads: int = Field(default=6, ge=1, le=64)
    unknown_van_wait_s: float = Field(default=10.0, ge=0, le=60)
    model_id: str | None = None
