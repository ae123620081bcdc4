"""A stored report as pages and PDFs in every language, in a folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.outputs import report_of, write
from sonovan.reports.page import render_html
from sonovan.reports.pdf import CannotPrint, render_pdf
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.assess.report import key_pictures, marked_frames, marked_pictures, notices_drawn


@dataclass(frozen=True, slots=True)
class Pages:
    """Where they lie, by language. missing: one sentence for each thing that could not be written or shown."""

    html: Mapping[Language, Path]
    pdf: Mapping[Language, Path]
    missing: tuple[str, ...]


def write_pages(
    assessed: ScreeningAssessed,
    frames: Sequence[FrameSegmented],
    store: ObjectStore,
    out: Path,
    *,
    despeckled: bool = False,
) -> Pages:
    """Write `report-LANGUAGE.html` and `report-LANGUAGE.pdf` below `out`: from the stored document and key frames.

    The document and every picture are checked against the sha256 that the records name. A key frame that is gone or
    was replaced leaves its picture out; a PDF that this machine cannot make is not written, and an earlier one goes.
    despeckled: as for `key_pictures`.
    Raises as `report_of` does, Transient on a full disk.
    """
    _, text = report_of(assessed, store)
    results = {frame.frame_id: frame for frame in frames}
    html: dict[Language, Path] = {}
    pdf: dict[Language, Path] = {}
    missing: dict[str, None] = {}  # each once: the languages show the same frames
    for language in LANGUAGES:
        pictures = key_pictures(assessed, results, store, language, despeckled=despeckled)
        keys = (sighting.key for finding in assessed.findings for sighting in finding.sightings)
        gone = [key.frame_id for key in keys if key not in pictures]
        marked = marked_pictures(assessed, results, store, language)
        gone += [each for each in marked_frames(assessed) if each not in marked]
        missing |= {f"picture of frame {each}: not stored, or not the one that was": None for each in gone}
        path = out / f"report-{language}.html"
        printed = path.with_suffix(".pdf")
        printed.unlink(missing_ok=True)
        try:
            drawn = notices_drawn(language)
            page = render_html(json.loads(text), pictures, language=language, drawn=drawn, marked=marked)
            html[language] = write(path, page)
            pdf[language] = write(printed, render_pdf(page))
        except ValidationError:
            path.unlink(missing_ok=True)
            missing[f"{path.name}: the stored report is of another version of sonovan than this one"] = None
        except CannotPrint as error:
            missing[f"{printed.name}: {error}"] = None
    return Pages(html, pdf, tuple(missing))
