"""A signed conclusion as pages and PDFs in every language, and the woman's page beside it, in a folder."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from sonovan.clinical.amended_since import Since, amended_since
from sonovan.clinical.conclusions import counting, in_force, to_arbitrate
from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.comparisons import Comparison
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.models.drawn import plain_and_drawn
from sonovan.models.errors import UnusablePicture
from sonovan.models.masks import decode_mask
from sonovan.outputs import report_of, write
from sonovan.reports.compared import compare_reports
from sonovan.reports.document import ScreeningReport
from sonovan.reports.page import OwnPictures
from sonovan.reports.pdf import CannotPrint, render_pdf
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.signed import Earlier, Standing, render_signed
from sonovan.reports.signed_words import SignedWords
from sonovan.reports.woman import Directions, directions_of, render_for_her
from sonovan.storage.catalogue.comparing import Visit
from sonovan.storage.frames import stored_frame
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named
from sonovan.stream_apps.assess.report import key_pictures

Compare = Callable[[ScreeningReport], Comparison | None]
"""A report against her earlier screening as it is now. Raises InvalidRecord and Transient where nobody can say."""
_Frames = Callable[[ScreeningAssessed], Sequence[FrameSegmented]]
Reviews = Callable[[], Sequence[FrameReviewed]]
"""What readers drew of a screening. Asked for only where a finding of the reader's own was signed."""
Amended = Callable[[], Sequence[AmendmentInForce]]
"""The amendments of a screening that are in force now, in a revision or not. Raises InvalidRecord and Transient where
nobody can say."""
_OWN = ("signed-{}.html", "signed-{}.pdf", "woman-{}.html", "woman-{}.pdf")


@dataclass(frozen=True, slots=True)
class SignedPages:
    """The conclusion that counts, None where nobody signed, and where its pages lie, by language.

    her_html, her_pdf: empty while two readings differ, where nothing is said of her any more, and where whose it is or
    a side was amended since, or nobody can say.
    missing: one sentence for each thing that could not be written.
    """

    conclusion: ScreeningConcluded | None = None
    html: Mapping[Language, Path] = field(default_factory=dict)
    pdf: Mapping[Language, Path] = field(default_factory=dict)
    her_html: Mapping[Language, Path] = field(default_factory=dict)
    her_pdf: Mapping[Language, Path] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Whether it is a result, in a few words."""
        if self.conclusion is None:
            return "unsigned, not a result"
        return f"signed by {self.conclusion.by}, conclusion {self.conclusion.conclusion_number}"


def read_directions(path: Path | None) -> Mapping[Language, Directions]:
    """A site's directions by language; none without a file. Raises InvalidRecord that says what is wrong with it."""
    if path is None:
        return {}
    try:
        return directions_of(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRecord("option_invalid", f"{path}: cannot be read ({type(error).__name__})") from None


def standing_of(
    conclusion: ScreeningConcluded, all_of_her: Sequence[ScreeningConcluded], newest: ScreeningAssessed
) -> Standing:
    """How a conclusion stands among those of its screening, and beside the newest revision with a report."""
    later = in_force(all_of_her)[conclusion.role]
    return Standing(
        before=next((each for each in all_of_her if each.conclusion_id == conclusion.amends), None),
        newest=None if newest.revision_id == conclusion.revision_id else newest.revision_number,
        replaced_by=None if later.conclusion_id == conclusion.conclusion_id else later.conclusion_number,
        to_arbitrate=to_arbitrate(all_of_her),
    )


def compared_now(
    now: ScreeningReport,
    visit: Visit,
    revisions: Iterable[ScreeningAssessed],
    signed_then: Iterable[ScreeningConcluded],
    store: ObjectStore,
) -> Comparison | None:
    """A report against that of an earlier screening, of its newest revision that has one; None where there is none, or
    where it cannot be read any more.

    visit: which screening that is. revisions: among them its own. signed_then: every conclusion of it.
    Raises InvalidRecord where another report is stored than its record names.
    """
    then = [each for each in revisions if each.screening_id == visit.screening_id and each.report_json_key]
    if not then:
        return None
    try:
        _, text = report_of(max(then, key=lambda each: each.revision_number), store)
        report = ScreeningReport.model_validate_json(text)
    except (KeyError, ValidationError):
        return None
    return compare_reports(now, report, signed_then, visit.days)


def write_signed(
    conclusions: Sequence[ScreeningConcluded],
    revisions: Sequence[ScreeningAssessed],
    frames: _Frames,
    store: ObjectStore,
    out: Path,
    directions: Mapping[Language, Directions],
    compare: Compare,
    reviews: Reviews,
    amended: Amended,
) -> SignedPages:
    """Write `signed-LANGUAGE` and `woman-LANGUAGE` as HTML and PDF below `out`, of the conclusion that counts.

    conclusions: all of one screening. revisions: among them those of this screening. frames: the results on which a
    revision rests. compare: is asked where a comparison was signed, which is shown where it is still the same.
    reviews: what readers drew of this screening. amended: what holds of it now; her page is written only where that is
    known, and is as the revision says that was read. Earlier files of these names go, so that a folder never shows a
    conclusion that no longer counts.
    Raises as `report_of` does, Transient on a full disk.
    """
    for name in _OWN:
        for language in LANGUAGES:
            (out / name.format(language)).unlink(missing_ok=True)
    conclusion = counting(conclusions)
    if conclusion is None:
        return SignedPages()
    hers = [each for each in revisions if each.screening_id == conclusion.screening_id and each.report_json_key]
    read = next((each for each in hers if each.revision_id == conclusion.revision_id), None)
    if read is None:
        gone = f"signed page: revision {conclusion.revision_number}, which was read, is not there any more"
        return SignedPages(conclusion, missing=(gone,))
    newest = max(hers, key=lambda each: each.revision_number)
    since, unknown = _since(read, revisions, amended)
    standing = replace(standing_of(conclusion, conclusions, newest), since=since)
    made = _Writing(out, store, {each.frame_id: each for each in frames(read)}, reviews)
    made.signed(read, conclusion, standing, compare)
    refused = unknown or _refused(newest, since)
    if refused:
        made.missing[f"woman's page: {refused}"] = None
    elif not standing.to_arbitrate:
        made.hers(read, conclusion, directions)
    return SignedPages(conclusion, made.html, made.pdf, made.her_html, made.her_pdf, tuple(made.missing))


def _since(read: ScreeningAssessed, revisions: Iterable[ScreeningAssessed], amended: Amended) -> tuple[Since, str]:
    """What was amended since this revision, and why nobody can say all of it, empty where somebody can."""
    of_her = (each for each in revisions if each.screening_id == read.screening_id)
    newest = max(of_her, key=lambda each: each.revision_number)
    try:
        return amended_since(read.amendments, newest.amendments, amended()), ""
    except (InvalidRecord, Transient) as error:
        return amended_since(read.amendments, newest.amendments), f"nobody can say what was amended since: {error}"


def _refused(newest: ScreeningAssessed, since: Since) -> str:
    """Why nothing is said to her whatever was signed; empty where something is."""
    if newest.silenced or since.silenced:
        return "the screening is void, or she agrees to it no longer"
    return "amended since it was signed, whose it is or which side: sign again" if since.another else ""


class _Writing:
    def __init__(self, out: Path, store: ObjectStore, results: Mapping[str, FrameSegmented], reviews: Reviews) -> None:
        self._out, self._store, self._results, self._reviews = out, store, results, reviews
        self.html: dict[Language, Path] = {}
        self.pdf: dict[Language, Path] = {}
        self.her_html: dict[Language, Path] = {}
        self.her_pdf: dict[Language, Path] = {}
        self.missing: dict[str, None] = {}

    def signed(
        self, read: ScreeningAssessed, conclusion: ScreeningConcluded, standing: Standing, compare: Compare
    ) -> None:
        _, text = report_of(read, self._store)
        if conclusion.comparison is not None:
            standing = replace(standing, earlier=self._earlier(text, conclusion, compare))
        drawn = self._drawn(conclusion)
        for language in LANGUAGES:
            pictures = key_pictures(read, self._results, self._store, language)
            own = self._own_pictures(conclusion, drawn, language)
            try:
                page = render_signed(json.loads(text), conclusion, pictures, language, standing, own)
            except ValidationError:
                self.missing["signed page: the stored report is of another version of sonovan than this one"] = None
                return
            self.html[language] = write(self._out / f"signed-{language}.html", page)
            self._print(page, self._out / f"signed-{language}.pdf", language, self.pdf)

    def _drawn(self, conclusion: ScreeningConcluded) -> dict[str, FrameReviewed]:
        """What the reader had drawn last before signing, by the frame of each finding of the reader's own."""
        frames = {each.frame_id for each in conclusion.findings if each.finding_id is None}
        made = [
            each for each in (self._reviews() if frames else ())
            if each.frame_id in frames and each.reader == conclusion.by and each.reviewed_at <= conclusion.signed_at
        ]  # fmt: skip
        return {each.frame_id: each for each in sorted(made, key=lambda each: each.review_id)}

    def _own_pictures(
        self, conclusion: ScreeningConcluded, drawn: Mapping[str, FrameReviewed], language: Language
    ) -> dict[int, OwnPictures]:
        """The frame of each finding of the reader's own, by its place among the conclusion's findings."""
        found: dict[int, OwnPictures] = {}
        for at, finding in enumerate(conclusion.findings):
            if finding.finding_id is not None or finding.frame_id is None:
                continue
            try:
                result = self._results[finding.frame_id]
                title = SignedWords(language).own_frame(finding)
                found[at] = self._own_picture(result, drawn.get(finding.frame_id), title)
            except (KeyError, InvalidRecord, UnusablePicture):
                self.missing[f"picture of frame {finding.frame_id}: not stored, or not the one that was"] = None
        return found

    def _own_picture(self, result: FrameSegmented, review: FrameReviewed | None, title: str) -> OwnPictures:
        labels = None
        if review is not None and review.mask_key and review.mask_sha256 and review.image_sha256 == result.image_sha256:
            labels = decode_mask(get_named(self._store, Bucket.MASKS, review.mask_key, review.mask_sha256))
        scales = {panel.spacing_mm for panel in result.panels}
        plain, outlined = plain_and_drawn(
            stored_frame(self._store, result).pixels(),
            labels,
            title=title,
            spacing_mm=scales.pop() if len(scales) == 1 else None,
        )
        return OwnPictures(plain, outlined)

    def _earlier(self, text: bytes, conclusion: ScreeningConcluded, compare: Compare) -> Earlier:
        try:
            now = compare(ScreeningReport.model_validate_json(text))
        except (InvalidRecord, Transient, ValidationError) as error:
            self.missing[f"comparison with her earlier screening: {error}"] = None
            return "unchecked"
        return "holds" if now == conclusion.comparison else "otherwise"

    def hers(
        self, read: ScreeningAssessed, conclusion: ScreeningConcluded, directions: Mapping[Language, Directions]
    ) -> None:
        _, text = report_of(read, self._store)
        try:
            report = ScreeningReport.model_validate_json(text)
        except ValidationError:
            return
        for language in LANGUAGES:
            page = render_for_her(conclusion, report, language, directions=directions.get(language, Directions()))
            self.her_html[language] = write(self._out / f"woman-{language}.html", page)
            self._print(page, self._out / f"woman-{language}.pdf", language, self.her_pdf)

    def _print(self, page: bytes, path: Path, language: Language, made: dict[Language, Path]) -> None:
        try:
            made[language] = write(path, render_pdf(page))
        except CannotPrint as error:
            self.missing[f"{path.name}: {error}"] = None
