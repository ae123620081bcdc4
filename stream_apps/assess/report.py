"""Make a revision's report from what is stored: key frames with their outlines, one page, one JSON document."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Final

from sonovan.clinical.track import panel_side
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import Finding, IntendedUse, Member, ScreeningAssessed, Sighting
from sonovan.models.despeckle import despeckled as without_speckle
from sonovan.models.overlay import WHITE, outlined_frame, plain_and_outlined, text_picture
from sonovan.reports.document import Identity, Visit, report_document
from sonovan.reports.page import KeyPictures, render_html
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket, report_key
from sonovan.storage.stores import CONTRADICTS, ObjectStore
from sonovan.stream_apps.assess.revise import Revision

BANNER: Final = (0x2A, 0x16, 0xA3)
"""The ground of the page's banner (report.css), blue, green, red."""

log = logging.getLogger(__name__)


def store_report(
    revision: Revision,
    store: ObjectStore,
    intended_use: IntendedUse,
    language: Language = "en",
    shows: frozenset[Identity] = frozenset(),
    *,
    despeckled: bool = False,
) -> ScreeningAssessed:
    """Render and store the report of a `complete` or `incomplete` revision; its record, which names what was stored.

    A `preliminary` revision has no report, and its record comes back as it is. language: of the page; the JSON has
    codes. shows: what the site lets its reports say of whose they are. despeckled: its key frames, as for
    `key_pictures`.

    The same revision may come twice with another number (a crash between send and row): its page then stands beside
    the first one. Raises Transient and Fatal as the store does.
    """
    assessed = revision.assessed
    if assessed.status == "preliminary":
        return assessed
    visit = Visit(revision.recorded, revision.slip_number, shows)
    document = report_document(assessed, intended_use=intended_use, visit=visit, results=revision.results)
    marked = marked_pictures(assessed, revision.results, store, language)
    pictures = key_pictures(assessed, revision.results, store, language, despeckled=despeckled)
    page = render_html(document, pictures, language=language, drawn=notices_drawn(language), marked=marked)
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True).encode()
    named: dict[str, str] = {}
    for suffix, data, kind in (("json", text, "application/json"), ("html", page, "text/html; charset=utf-8")):
        digest = hashlib.sha256(data).hexdigest()
        key = report_key(assessed.van_id, assessed.screening_id, assessed.revision_id, digest, suffix)
        try:
            store.put(Bucket.REPORTS, key, data, kind)
        except InvalidRecord as error:
            if error.reason != CONTRADICTS:
                raise
            # The name holds the digest, so somebody else stored there; readers will refuse what they find.
            log.error("revision %s: something else stands where its report belongs", assessed.revision_id)
        named |= {f"report_{suffix}_key": key, f"report_{suffix}_sha256": digest}
    return assessed.model_copy(update=named)


def notices_drawn(language: Language) -> dict[Language, bytes]:
    """PNG of "unsigned" in every language but the page's own, in the colours of the page's banner."""
    others = [each for each in LANGUAGES if each != language]
    return {each: text_picture(Words(each).text("unsigned"), ink=WHITE, ground=BANNER) for each in others}


def key_pictures(
    assessed: ScreeningAssessed,
    results: Mapping[str, FrameSegmented],
    store: ObjectStore,
    language: Language = "en",
    *,
    despeckled: bool = False,
) -> dict[Member, KeyPictures]:
    """Each sighting's key frame, plain and outlined, by the sighting's key region.

    despeckled: with less speckle, grey, as a reader may ask for it; each picture then says so in its own pixels.
    A stored frame that is gone or damaged leaves its picture out, and the page says so: a report must come out.
    """
    pictures: dict[Member, KeyPictures] = {}
    for finding in assessed.findings:
        for sighting in finding.sightings:
            try:
                pictures[sighting.key] = pictures_of(
                    finding, sighting, results[sighting.key_frame_id], store, language, despeckled=despeckled
                )
            except (KeyError, InvalidRecord) as error:
                log.error("finding %s: no picture of a key frame (%s)", finding.finding_id, type(error).__name__)
    return pictures


def marked_frames(assessed: ScreeningAssessed) -> list[str]:
    """The ids of the frames that the operator marked, each once; none where nothing is said of the pictures."""
    marks = [] if assessed.silenced else [made.mark for made in assessed.amendments if made.mark is not None]
    return list(dict.fromkeys(mark.frame_id for mark in marks if mark.frame_id is not None))


def marked_pictures(
    assessed: ScreeningAssessed,
    results: Mapping[str, FrameSegmented],
    store: ObjectStore,
    language: Language = "en",
) -> dict[str, bytes]:
    """PNG of each frame that the operator marked, whole and without any outline, by its id.

    One that is not here, gone or damaged is left out, and the page says so. None where nothing is said of the pictures.
    """
    pictures: dict[str, bytes] = {}
    for frame_id in marked_frames(assessed):
        if frame_id not in results:
            continue
        try:
            pictures[frame_id] = frame_picture(results[frame_id], store, language)
        except (KeyError, InvalidRecord) as error:
            log.error("marked frame %s: no picture (%s)", frame_id, type(error).__name__)
    return pictures


def frame_picture(result: FrameSegmented, store: ObjectStore, language: Language = "en") -> bytes:
    """A whole frame, plain: its side where all its panels show the same, and "unsigned". Raises as `pictures_of`."""
    sides = {panel_side(result, panel) for panel in range(len(result.panels))}
    scales = {panel.spacing_mm for panel in result.panels}
    return outlined_frame(
        stored_frame(store, result).pixels(),
        [],
        title=Words(language).burned_in(result.organ, sides.pop() if len(sides) == 1 else None, result.frame_index),
        spacing_mm=scales.pop() if len(scales) == 1 else None,
    )


def pictures_of(
    finding: Finding,
    sighting: Sighting,
    result: FrameSegmented,
    store: ObjectStore,
    language: Language = "en",
    *,
    despeckled: bool = False,
) -> KeyPictures:
    """The key frame's panel with square pixels where the scale is known, side and "unsigned" in its pixels.

    despeckled: as for `key_pictures`.
    Raises KeyError where the frame is not stored, InvalidRecord where what is stored is not that frame.
    """
    outline = {region.ordinal: region.polygon for region in result.regions}[sighting.key_ordinal]
    pixels = stored_frame(store, result, without_speckle if despeckled else None).pixels()
    panel = result.panels[sighting.panel]
    plain, outlined = plain_and_outlined(
        pixels,
        outline,
        title=Words(language).burned_in(finding.organ, finding.laterality, result.frame_index, despeckled=despeckled),
        box=(panel.left, panel.top, panel.width, panel.height),
        spacing_mm=panel.spacing_mm,
    )
    return KeyPictures(plain, outlined)
