"""Key frames for the page of a signed conclusion: plain and outlined, as the report of the same revision has them."""

from typing import TYPE_CHECKING

import numpy as np

from sonovan.console.pictures import machine_labels, pixels_of
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.results import Finding, Member, Sighting
from sonovan.models.errors import UnusablePicture
from sonovan.models.overlay import plain_and_outlined
from sonovan.models.regions import region_in
from sonovan.reports.document import ScreeningReport
from sonovan.reports.page import KeyPictures
from sonovan.reports.phrases import Language
from sonovan.reports.words import Words
from sonovan.storage.catalogue.cine import StoredPicture, pictures_between

if TYPE_CHECKING:
    from sonovan.console.world import Console


def key_pictures(console: "Console", report: ScreeningReport, language: Language) -> dict[Member, KeyPictures]:
    """The best key frame of each finding of a report, by its key region.

    What is fetched is held against the sha256 in the report and in the frame's record. A frame or mask that is gone,
    was replaced, or may not be shown any more leaves its picture out; the log says so. Raises Transient and Fatal as
    the store does.
    """
    found: dict[Member, KeyPictures] = {}
    for finding in report.findings:
        try:
            found[finding.best.key] = _pictures_of(console, report.screening_id, finding, language)
        except (KeyError, InvalidRecord, UnusablePicture) as error:
            console.tell(f"no picture of a key frame of finding {finding.finding_id}: {type(error).__name__}")
    return found


def _pictures_of(console: "Console", screening_id: str, finding: Finding, language: Language) -> KeyPictures:
    best = finding.best
    with console.catalogue.reading() as connection:
        found = pictures_between(connection, screening_id, *split_frame_id(best.key_frame_id), 1)
    if not found or found[0].image_sha256 != best.image_sha256:
        raise KeyError(best.key_frame_id)
    one = found[0]
    panel = one.panels[best.panel]
    plain, outlined = plain_and_outlined(
        pixels_of(console.images, one),
        _outline(console, best, one),
        title=Words(language).burned_in(finding.organ, finding.laterality, one.frame_index),
        box=(panel.left, panel.top, panel.width, panel.height),
        spacing_mm=panel.spacing_mm,
    )
    return KeyPictures(plain, outlined)


def _outline(console: "Console", best: Sighting, one: StoredPicture) -> tuple[tuple[float, float], ...]:
    """The outline of the key region, off the mask that the revision rests on."""
    labels = machine_labels(console.images, best.mask_key, best.mask_sha256)
    if labels is None:
        raise KeyError(best.key_frame_id)
    mask = labels == best.key_ordinal + 1
    if labels.shape != (one.rows, one.columns) or not mask.any():
        raise InvalidRecord("object_contradicts_record", f"the mask of {one.frame_id} does not have its region")
    rows, columns = np.nonzero(mask)
    left, top = int(columns.min()), int(rows.min())
    part = mask[top : int(rows.max()) + 1, left : int(columns.max()) + 1]
    return region_in(part, (left, top, part.shape[1], part.shape[0])).polygon
