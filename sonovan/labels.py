"""Reviews of the centre as readings whose agreement can be measured, and what was found written as files."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from sonovan.contracts.reviews import FrameReviewed
from sonovan.models.labels.agreement import Agreement
from sonovan.models.labels.kappa import Kappa
from sonovan.models.labels.readings import Reading
from sonovan.models.masks import decode_mask, encode_mask
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named

REPORT: Final = "agreement.json"


def readings_of(reviews: Iterable[FrameReviewed], store: ObjectStore, *, blind: bool = True) -> list[Reading]:
    """The newest review of each frame and reader as a reading; its group is the screening.

    blind: only what was drawn without having seen the machine's mask; whoever agreed with that mask agrees with every
    other reader who did, and says nothing of how readers see. A review without a mask needs its frame's size, which
    only another reader's mask of the frame tells: it is left out where nobody outlined anything there. Raises KeyError
    where a mask is not stored any more, InvalidRecord where it is another, Transient and Fatal as ObjectStore.get.
    """
    newest: dict[tuple[str, str], FrameReviewed] = {}
    for review in reviews:
        place = (review.frame_id, review.reader)
        if (review.blind or not blind) and (place not in newest or newest[place].review_id < review.review_id):
            newest[place] = review
    masks = {place: _mask(store, review) for place, review in newest.items()}
    sizes = {frame: mask.shape for (frame, _), mask in masks.items() if mask is not None}
    readings = []
    for (frame, reader), review in sorted(newest.items()):
        mask = masks[frame, reader]
        if mask is None and frame in sizes:
            mask = np.zeros(sizes[frame], np.bool_)
        if mask is not None:
            words = {each.term: each.word for each in review.words}
            readings.append(Reading(frame, reader, mask, words, review.screening_id))
    return readings


def _mask(store: ObjectStore, review: FrameReviewed) -> Any:
    if review.mask_key is None or review.mask_sha256 is None:
        return None
    return decode_mask(get_named(store, Bucket.MASKS, review.mask_key, review.mask_sha256)) > 0


def write_agreement(told: Agreement, folder: Path) -> None:
    """`consensus/PICTURE.png` (0 and 255), `agreement.json`, and `index.csv` of the consensus with the pictures'
    groups.
    """
    (folder / "consensus").mkdir()
    with (folder / "consensus.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("picture", "mask", "group"))
        for picture, mask in told.consensus.items():
            name = f"consensus/{picture.replace('/', '_')}.png"
            (folder / name).write_bytes(encode_mask(np.where(mask, np.uint8(255), np.uint8(0))))
            writer.writerow((picture, name, told.groups[picture]))
    (folder / REPORT).write_text(json.dumps(document(told), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def document(told: Agreement) -> dict[str, Any]:
    """What goes to JSON: everything but the masks."""
    return {
        "pictures": len(told.consensus),
        "alone": list(told.alone),
        "readers": [asdict(each) for each in told.readers],
        "words": [
            {
                "term": each.term,
                "pairs": [{"readers": list(names), **_kappa(pair)} for names, pair in each.pairs.items()],
                "all": None if each.all is None else _kappa(each.all),
            }
            for each in told.words
        ],
        "outliers": [asdict(each) for each in told.outliers],
    }


def _kappa(kappa: Kappa) -> dict[str, Any]:
    return asdict(kappa)
