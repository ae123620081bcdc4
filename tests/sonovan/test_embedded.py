"""The embedded run waits for nothing: what is missing once everything is composed is listed."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live import Stub
from sonovan.analysis import anonymous_visit
from sonovan.contracts.signatures import generate_key
from sonovan.embedded import VAN_ID, EmbeddedCentre, screened_by
from sonovan.inputs import sources_of
from sonovan.producers.items import Item, Signer
from sonovan.producers.screening import compose
from sonovan.producers.sources import capture_options
from sonovan.scratch import Scratch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("lost", "status"), [(None, "complete"), (2, "incomplete")])
def test_a_frame_that_never_came_is_listed_at_the_end(tmp_path: Path, lost: int | None, status: str) -> None:
    signer, scratch = Signer(VAN_ID, generate_key()), Scratch()
    centre = EmbeddedCentre(Stub(), scratch, signer, now=lambda: NOON)  # type: ignore[arg-type]  # stands for a network

    def put(item: Item) -> None:
        if lost is None or item.frame_index != lost:
            centre.put(item)

    sweep = np.stack([np.full((240, 320), 80 + index, np.uint8) for index in range(4)])
    inputs = sources_of(sweep, capture_options(organ="breast", side="left"), tmp_path)
    composed = compose(inputs.sources, anonymous_visit(None), signer, put, now=lambda: NOON, leaves=False)
    last = screened_by(centre, composed, scratch).last
    assert last is not None
    assert (last.status, last.as_of) == (status, NOON)
    assert [gap.indices for gap in last.missing] == ([] if lost is None else [(lost,)])
