"""`sonovan review import` and `sonovan labels agree --reviews` on a real broker and a real store."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sonovan.centre import Centre
from sonovan.contracts.ids import mint_id
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.models.masks import decode_mask
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests import command
from tests.clinical.records import assessed, segmented

pytestmark = pytest.mark.services


def sonovan(centre: Centre, *arguments: object, code: int = 0) -> dict[str, Any]:
    told = command.sonovan(*map(str, arguments), "--state", str(centre.path), "--json")
    assert told.returncode == code, told.stderr
    document: dict[str, Any] = json.loads(told.stdout)
    return document


def test_masks_of_two_readers_are_stored_published_once_and_compared(centre: Centre, tmp_path: Path) -> None:
    screening, sweep = mint_id(), mint_id()
    frames = [segmented(index, sequence_id=sweep, screening_id=screening) for index in range(3)]
    with BoundedProducer(centre.kafka()) as producer:
        key = screening.encode()
        for record in frames:
            producer.send(Topic.FRAME_SEGMENTED, key, record.encode()).result(30)
        producer.send(Topic.SCREENING_ASSESSED, key, assessed(screening_id=screening).encode()).result(30)
    for place, reader in enumerate(("op-7101", "op-7102")):
        for index in range(4):  # the last one is of no frame
            mask = np.zeros((480, 640), np.uint8)
            cv2.circle(mask, (300 + 4 * place, 200), 50, 255, -1)
            (tmp_path / reader).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / reader / f"{sweep}_{index:06d}.png"), mask)
        words = ("review", "import", tmp_path / reader, "--reader", reader, "--blind", "--screening", screening)
        told = sonovan(centre, *words, code=3)
        assert told["imported"] == [frame.frame_id for frame in frames]
        assert [each["source"] for each in told["refused"]] == [f"{sweep}_000003.png"]
        assert sonovan(centre, *words, code=3)["known"] == told["imported"]
    records = [message.decode() for message in read_all(centre.kafka(), Topic.FRAME_REVIEWED)]
    reviews = [each for each in records if isinstance(each, FrameReviewed) and each.screening_id == screening]
    assert sorted((each.reader, each.frame_index) for each in reviews) == [
        (reader, index) for reader in ("op-7101", "op-7102") for index in range(3)
    ]
    store = MinioStore(centre.store("reader"))
    labels = decode_mask(store.get(Bucket.MASKS, reviews[0].mask_key or ""))
    assert np.count_nonzero(labels) > 7000
    agreed = sonovan(centre, "labels", "agree", "--reviews")  # other tests may review frames of their own
    readers = {each["reader"]: each for each in agreed["readers"] if each["reader"] in ("op-7101", "op-7102")}
    assert {name: each["pictures"] for name, each in readers.items()} == {"op-7101": 3, "op-7102": 3}
    assert all(0.9 < each["dice"] < 1 for each in readers.values())


def test_a_screening_that_nobody_knows_is_wrong_usage(centre: Centre, tmp_path: Path) -> None:
    words = ("review", "import", str(tmp_path), "--reader", "op-7", "--blind", "--screening", mint_id())
    told = command.sonovan(*words, "--state", str(centre.path))
    assert told.returncode == 2
    assert "no screening is called" in told.stderr
