"""An export's masks as COCO: one annotation for each outline, with who drew it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from sonovan.dataset.tables import PictureRow
from sonovan.models.labels.coco import run_lengths
from sonovan.models.masks import decode_mask

CATEGORIES: Final = {"breast": 1, "thyroid": 2}


def coco(pictures: Sequence[PictureRow], folder: Path) -> str:
    """The document. folder: where the masks lie that the rows name. Pictures without an outline have no annotation."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, row in enumerate(pictures, start=1):
        images.append(
            {
                "id": number,
                "file_name": row.image.removeprefix("images/"),
                "width": row.columns,
                "height": row.rows,
                "woman": row.woman,
                "split": row.split,
                "mask_by": row.mask_by,
            }
        )
        if row.mask is None:
            continue
        mask = decode_mask((folder / row.mask).read_bytes())
        count, parts = cv2.connectedComponents((mask > 0).astype(np.uint8), connectivity=8)
        for part in range(1, count):
            annotations.append(_annotation(len(annotations) + 1, number, row, parts == part))
    categories = [
        {"id": number, "name": f"{organ} lesion", "supercategory": "lesion"} for organ, number in CATEGORIES.items()
    ]
    document = {
        "info": {"description": "see datasheet.md"},
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
    return json.dumps(document, separators=(",", ":")) + "\n"


def _annotation(number: int, image: int, row: PictureRow, mask: Any) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "id": number,
        "image_id": image,
        "category_id": CATEGORIES[row.organ],
        "segmentation": run_lengths(mask),
        "area": int(np.count_nonzero(mask)),
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "iscrowd": 0,
        "drawn_by": row.mask_by,
    }
