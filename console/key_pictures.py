"""Pictures for the page of a signed conclusion: key frames plain and outlined, as the report of the same revision has
them, and the frames on which its reader saw something that no network outlined."""

from typing import TYPE_CHECKING

import numpy as np

from sonovan.console.pictures import machine_labels, pixels_of
from sonovan.contracts.conclusions import FindingRead, ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.results import Finding, Member, Sighting
from sonovan.models.drawn import plain_and_drawn
from sonovan.models.errors import UnusablePicture
from sonovan.models.overlay import plain_and_outlined
from sonovan.models.regions import region_in
from sonovan.reports.document import ScreeningReport
from sonovan.reports.page import KeyPictures, OwnPictures
from sonovan.reports.phrases import Language
from sonovan.reports.signed_words import SignedWords
from sonovan.reports.words import Words
from sonovan.storage.catalogue.cine import StoredPicture, pictures_between
from sonovan.storage.catalogue.concluded import drawn_before

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


def own_pictures(console: "Console", made: ScreeningConcluded, language: Language) -> dict[int, OwnPictures]:
    """The frame of each finding of the reader's own, by its place among the conclusion's findings: whole, plain, and
    with what its reader had drawn on it when this was signed.

    What is gone, was replaced or may not be shown any more is left out, as by `key_pictures`.
    """
    found: dict[int, OwnPictures] = {}
    for at, finding in enumerate(made.findings):
        if finding.finding_id is None and finding.frame_id is not None:
            try:
                found[at] = _own_of(console, made, finding, finding.frame_id, language)
            except (KeyError, InvalidRecord, UnusablePicture) as error:
                console.tell(f"no picture of frame {finding.frame_id}: {type(error).__name__}")
    return found


def _own_of(
    console: "Console", made: ScreeningConcluded, finding: FindingRead, frame_id: str, language: Language
) -> OwnPictures:
    with console.catalogue.reading() as connection:
        stored = pictures_between(connection, made.screening_id, *split_frame_id(frame_id), 1)
        if not stored:
            raise KeyError(frame_id)
        one = stored[0]
        drawn = drawn_before(connection, one, made.by, made.signed_at)
    scales = {panel.spacing_mm for panel in one.panels}
    plain, outlined = plain_and_drawn(
        pixels_of(console.images, one),
        None if drawn is None else machine_labels(console.images, *drawn),
        title=SignedWords(language).own_frame(finding),
        spacing_mm=scales.pop() if len(scales) == 1 else None,
    )
    return OwnPictures(plain, outlined)


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
