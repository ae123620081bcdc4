"""What an embedded run leaves in a folder: the report, label masks, overlays."""

import errno
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sonovan.clinical.order import numbers_by_member
from sonovan.clinical.track import panel_side
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import Member, ScreeningAssessed
from sonovan.models.despeckle import despeckled as without_speckle
from sonovan.models.overlay import outlined_frame
from sonovan.reports.phrases import Language
from sonovan.reports.words import Words
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named

_OWN: Final = re.compile(r"([0-9a-f-]{36}-)?\d{6}\.png")


@dataclass(frozen=True, slots=True)
class Written:
    """Where things lie. masks and overlays: one file per frame with a region, in order.

    missing: the ids of frames whose image or mask is not stored any more.
    """

    report_html: Path
    report_json: Path
    masks: tuple[Path, ...]
    overlays: tuple[Path, ...]
    missing: tuple[str, ...] = ()


def make_folder(out: Path) -> None:
    """Make the folder before the work, so that a wrong one costs nothing. Raises InvalidRecord that names it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Transient(f"{out}: the disk is full; make room and try again") from None
        detail = error.strerror or type(error).__name__
        raise InvalidRecord("record_invalid", f"--out {out}: cannot write there ({detail}); name another") from None


def write_outputs(
    assessed: ScreeningAssessed,
    frames: Sequence[FrameSegmented],
    store: ObjectStore,
    out: Path,
    language: Language = "en",
    *,
    despeckled: bool = False,
) -> Written:
    """Write report, masks and overlays below `out`, from what the run stored. Raises Transient on a full disk.

    A file is named by the frame's index as records have it, from 0; what is drawn into an overlay counts from 1, as the
    report does. language: of what is drawn. despeckled: overlays lie over frames with less speckle, and say so. Masks
    and overlays of an earlier run into the same folder go: a folder holds one screening, never two women's.
    Raises InvalidRecord `object_contradicts_record` where a stored object is not the one that the records name.
    """
    page, text = report_of(assessed, store)
    for folder in ("masks", "overlays"):
        for path in (out / folder).glob("*.png"):
            if _OWN.fullmatch(path.name):
                path.unlink(missing_ok=True)
    html, document = out / "report.html", out / "report.json"
    write(html, page)
    write(document, text)
    masks, overlays, gone = [], [], []
    numbers = numbers_by_member(assessed.findings)
    several = len({frame.sequence_id for frame in frames}) > 1
    for frame in sorted(frames, key=lambda each: each.frame_id):
        try:
            mask = stored_frame(store, frame).mask()
            overlay = None if mask is None else _overlay(frame, numbers, store, Words(language), despeckled)
        except KeyError:
            gone.append(frame.frame_id)
            continue
        if mask is None or overlay is None:
            continue
        name = f"{frame.sequence_id}-{frame.frame_index:06d}.png" if several else f"{frame.frame_index:06d}.png"
        masks.append(write(out / "masks" / name, mask))
        overlays.append(write(out / "overlays" / name, overlay))
    return Written(html, document, tuple(masks), tuple(overlays), tuple(gone))


def report_of(assessed: ScreeningAssessed, store: ObjectStore) -> tuple[bytes, bytes]:
    """A revision's report: its page (HTML) and its document (JSON), both those that the record names.

    Raises ValueError for a preliminary revision, which has none, KeyError where it is not stored, InvalidRecord
    `object_contradicts_record` where something else stands there.
    """
    html, document = assessed.report_html_key, assessed.report_json_key
    html_sha256, document_sha256 = assessed.report_html_sha256, assessed.report_json_sha256
    if html is None or html_sha256 is None or document is None or document_sha256 is None:
        raise ValueError("a preliminary revision has no report")
    page = get_named(store, Bucket.REPORTS, html, html_sha256)
    return page, get_named(store, Bucket.REPORTS, document, document_sha256)


def _overlay(
    frame: FrameSegmented, numbers: Mapping[Member, int], store: ObjectStore, words: Words, despeckled: bool
) -> bytes:
    """The frame with its outlines, each with the number that its finding has in the report, if it is in one.

    The side stands in the picture where all its panels show the same; the scale where they have the same.
    """
    labels = [str(numbers.get(Member(frame_id=frame.frame_id, ordinal=each.ordinal), "")) for each in frame.regions]
    pixels = stored_frame(store, frame, without_speckle if despeckled else None).pixels()
    sides = {panel_side(frame, panel) for panel in range(len(frame.panels))}
    scales = {panel.spacing_mm for panel in frame.panels}
    return outlined_frame(
        pixels,
        [region.polygon for region in frame.regions],
        labels=labels,
        title=words.burned_in(
            frame.organ, sides.pop() if len(sides) == 1 else None, frame.frame_index, despeckled=despeckled
        ),
        spacing_mm=scales.pop() if len(scales) == 1 else None,
    )


def write(path: Path, data: bytes) -> Path:
    """Write a file whole or not at all. Raises Transient where there is no room or no permission."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise Transient(f"{path}: cannot be written ({detail}); make room or name another --out") from None
    return path
