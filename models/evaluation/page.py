"""One HTML page for people: the figures of each set, its strata, and its worst pictures with both outlines.

Nothing is loaded from elsewhere: pictures are inside. It shows pictures of women, so it stays where the data is.
"""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.measures import Mask
from sonovan.models.evaluation.score import Score, look
from sonovan.models.evaluation.summary import worst
from sonovan.models.evaluation.table import HEADER, cells, shown
from sonovan.models.picture.letterbox import Gray
from sonovan.models.segmenter import Segmenter

LONGEST_PX: Final = 480
TRUTH: Final = (255, 200, 0)  # blue, green, red: cyan, which the yellow of the found outline cannot be taken for
FOUND: Final = (0, 220, 255)

STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { border-bottom: 1px solid #d5d9de; padding: .3rem .7rem; }
th { text-align: left; font-weight: 600; } td { font-variant-numeric: tabular-nums; }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(30rem, 1fr)); gap: 1.2rem; }
figure { margin: 0; } img { width: 100%; background: #000; display: block; } figcaption { padding: .3rem 0; }
.truth { border-bottom: 3px solid #00c8ff; } .found { border-bottom: 3px solid #ffdc00; }
"""


def page(sections: Sequence[str]) -> str:
    """The whole page around the sections of its sets."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation</title><style>{STYLE}</style></head>
<body><h1>Evaluation</h1>
<p>For research: it says how a network does on these pictures, nothing about a woman. The pictures are inside this
file: keep it where the data may be kept.</p>
{"".join(sections)}</body></html>
"""


def section(segmenter: Segmenter, scores: Sequence[Score], told: Mapping[str, Any]) -> str:
    """One set. told: what `summary` says of these scores. The worst pictures are segmented once more to be drawn."""
    title = escape(f"{told['set']}{', ' + told['split'] if told['split'] else ''}")
    weights = escape(f"{told['model']}, weights {told['weights_sha256'][:12]}…, {told['provider']}")
    strata = "".join(_stratum(column, parts) for column, parts in told["strata"].items())
    figures = "".join(_figure(segmenter, one) for one in worst(scores))
    return f"""<h2>{title}</h2><p>{weights}</p>
{_table(HEADER, [cells(told["set"], told)])}
{strata}
<h3>Worst pictures</h3>
<p>Left the picture, right <span class="truth">truth</span> and <span class="found">what was found</span>.</p>
<div class="worst">{figures or "<p>None: nothing was missed, nothing was found where nothing is.</p>"}</div>
"""


def draw(grey: Gray, truth: Mask, found: Mask) -> NDArray[np.uint8]:
    """(rows, columns, 3) blue, green, red: the picture, and beside it the picture with both outlines.

    Larger pictures are shrunk to LONGEST_PX a side.
    """
    scale = min(1.0, LONGEST_PX / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    plain = cv2.cvtColor(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    outlined = plain.copy()
    for mask, colour in ((truth, TRUTH), (found, FOUND)):
        shrunk = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(shrunk, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(outlined, contours, -1, colour, 1, cv2.LINE_AA)
    return np.hstack((np.asarray(plain, np.uint8), np.asarray(outlined, np.uint8)))


def _figure(segmenter: Segmenter, one: Score) -> str:
    seen, truth, _ = look(segmenter, one.row)
    known = np.zeros(seen.labels.shape, np.bool_) if truth is None else truth
    done, data = cv2.imencode(".jpg", draw(seen.grey, known, seen.labels > 0), [cv2.IMWRITE_JPEG_QUALITY, 85])
    if not done:
        raise ValueError(f"no JPEG could be made of {one.row.id}")
    coded = base64.b64encode(bytes(data)).decode()
    parts = [one.row.id, one.row.label, "nothing to find" if one.dice is None else f"Dice {shown(one.dice)}"]
    parts += [f"refused: {seen.reason}"] if one.refused else []
    caption = escape(" · ".join(part for part in parts if part))
    return (
        f'<figure><img alt="{caption}" src="data:image/jpeg;base64,{coded}"><figcaption>{caption}</figcaption></figure>'
    )


def _stratum(column: str, parts: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [cells(value, told) for value, told in parts.items()]
    return f"<h3>By {escape(column)}</h3>{_table((column, *HEADER[1:]), rows)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
