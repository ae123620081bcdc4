"""Make a revision's report from what is stored: key frames with their outlines, one page, one JSON document."""

import json
import logging
from collections.abc import Mapping

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import IntendedUse, Member, ScreeningAssessed, Sighting
from sonovan.models.overlay import outlined_frame
from sonovan.reports.document import report_document
from sonovan.reports.page import render_html
from sonovan.reports.phrases import Language
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import CONTRADICTS, ObjectStore
from sonovan.stream_apps.assess.revise import Revision

log = logging.getLogger(__name__)


def store_report(revision: Revision, store: ObjectStore, intended_use: IntendedUse, language: Language = "en") -> None:
    """Render and store the report of a `complete` or `incomplete` revision; a `preliminary` one has none.

    language: of the page; the JSON has codes.

    The same revision may come twice with another number (a crash between send and row): the page that stands stays.
    Raises Transient and Fatal as the store does.
    """
    assessed = revision.assessed
    if assessed.report_html_key is None or assessed.report_json_key is None:
        return
    document = report_document(assessed, intended_use=intended_use)
    page = render_html(document, key_pictures(assessed, revision.results, store), language=language)
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True).encode()
    for key, data, kind in (
        (assessed.report_json_key, text, "application/json"),
        (assessed.report_html_key, page, "text/html; charset=utf-8"),
    ):
        try:
            store.put(Bucket.REPORTS, key, data, kind)
        except InvalidRecord as error:
            if error.reason != CONTRADICTS:
                raise


def key_pictures(
    assessed: ScreeningAssessed, results: Mapping[str, FrameSegmented], store: ObjectStore
) -> dict[Member, bytes]:
    """PNG of each sighting's key frame with its outline, by the sighting's key region.

    A stored frame that is gone or damaged leaves its picture out, and the page says so: a report must come out.
    """
    pictures: dict[Member, bytes] = {}
    for finding in assessed.findings:
        for sighting in finding.sightings:
            try:
                pictures[sighting.key] = overlay(sighting, results[sighting.key_frame_id], store)
            except (KeyError, InvalidRecord) as error:
                log.error("finding %s: no picture of a key frame (%s)", finding.finding_id, type(error).__name__)
    return pictures


def overlay(sighting: Sighting, result: FrameSegmented, store: ObjectStore) -> bytes:
    """PNG of the stored key frame with the sighting's outline.

    Raises KeyError where the frame is not stored, InvalidRecord where what is stored is not that frame.
    """
    outlines = {region.ordinal: region.polygon for region in result.regions}
    return outlined_frame(stored_frame(store, result).pixels(), [outlines[sighting.key_ordinal]])
