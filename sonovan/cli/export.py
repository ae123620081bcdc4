"""`sonovan export`: copies of what the centre keeps, as files that a person can open."""

import json
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.export_dataset import dataset
from sonovan.cli.rejected import object_store
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption

if TYPE_CHECKING:
    from sonovan.contracts.amendments import AmendmentInForce
    from sonovan.contracts.broker import BrokerSettings
    from sonovan.contracts.comparisons import Comparison
    from sonovan.contracts.conclusions import ScreeningConcluded
    from sonovan.contracts.frames import FrameSegmented
    from sonovan.contracts.results import ScreeningAssessed
    from sonovan.contracts.reviews import FrameReviewed
    from sonovan.outputs import Written
    from sonovan.pages import Pages
    from sonovan.reports.document import ScreeningReport
    from sonovan.storage.stores import ObjectStore

app = typer.Typer(help="Copies of what the centre keeps.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def export() -> None:
    """Copies of what the centre keeps."""


app.command()(dataset)


@app.command()
def report(
    screening: Annotated[
        str | None,
        typer.Argument(metavar="[SCREENING]", help="A screening's id, or its beginning; default: the newest."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: screening-ID.")] = None,
    directions: Annotated[
        Path | None, typer.Option(help="TOML with tables [en] and [zh]: place, phone; for the woman's page.")
    ] = None,
    despeckled: Annotated[
        bool, typer.Option("--despeckled", help="Key frames and overlays with less speckle; each says so.")
    ] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the newest report of a screening into a folder: pages and PDFs in every language, JSON, masks, overlays.

    Where a reader has signed, `signed-…` is the result, and `woman-…` the woman's own page; `report-…` stays what
    software suggested. What is stored is checked against what the records say of it. What is missing is named, and ends
    the command with 3. There is no page for her where the screening is void or she withdrew, and where whose it is or a
    side was amended since it was signed, which the catalogue says. Without a signature it is never a result.
    """
    from sonovan.outputs import make_folder, write_outputs
    from sonovan.pages import write_pages
    from sonovan.reports.amended import amended_words
    from sonovan.reports.words import Words
    from sonovan.signed_pages import read_directions, write_signed
    from sonovan.storage.minio_store import MinioStore

    sites = read_directions(directions)
    kafka = kafka_settings(state, "reader")
    revisions = _revisions(kafka)
    revision = newest_report(revisions, screening)
    folder = out or Path(f"screening-{revision.screening_id}")
    make_folder(folder)
    frames, store = _frames(kafka, revision), MinioStore(object_store(state, "reader"))
    written = write_outputs(revision, frames, store, folder, despeckled=despeckled)
    pages = write_pages(revision, frames, store, folder, despeckled=despeckled)
    compare = partial(_compared, kafka, state, store, revisions)
    conclusions = _conclusions(kafka, revision.screening_id)
    reviews = partial(_reviews, kafka, revision.screening_id)
    amended = partial(_amended, state, revision.screening_id)
    signed = write_signed(
        conclusions, revisions, partial(_frames, kafka), store, folder, sites, compare, reviews, amended
    )
    missing = [*missing_of(revision, written, pages), *signed.missing]
    if as_json:
        document = {
            "screening_id": revision.screening_id,
            "revision_id": revision.revision_id,
            "revision_number": revision.revision_number,
            "status": revision.status,
            "signed": signed.conclusion is not None,
            "conclusion": None if signed.conclusion is None else json.loads(signed.conclusion.encode()),
            "files": {
                "signed": {language: str(path) for language, path in signed.html.items()},
                "signed_pdf": {language: str(path) for language, path in signed.pdf.items()},
                "woman": {language: str(path) for language, path in signed.her_html.items()},
                "woman_pdf": {language: str(path) for language, path in signed.her_pdf.items()},
                "html": str(written.report_html),
                "json": str(written.report_json),
                "pages": {language: str(path) for language, path in pages.html.items()},
                "pdf": {language: str(path) for language, path in pages.pdf.items()},
                "masks": [str(path) for path in written.masks],
                "overlays": [str(path) for path in written.overlays],
            },
            "missing": missing,
        }
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        found = "amended" if revision.silenced else Words().counted(len(revision.findings), "finding")
        sys.stdout.write(
            f"screening {revision.screening_id}: {revision.status}, revision {revision.revision_number}, {found}; "
            f"{signed.summary}\n"
            f"report:   {written.report_html}\n"
            f"pages:    {', '.join(map(str, pages.html.values())) or 'none'}\n"
            f"pdf:      {', '.join(map(str, pages.pdf.values())) or 'none'}\n"
            f"overlays: {len(written.overlays)} in {folder / 'overlays'}\n"
        )
        if signed.conclusion is not None:
            sys.stdout.write(
                f"signed:   {', '.join(map(str, signed.pdf.values())) or 'none'}\n"
                f"woman's:  {', '.join(map(str, signed.her_pdf.values())) or 'none'}\n"
            )
        for made in revision.amendments:
            sys.stdout.write(f"amended:  {amended_words(made, Words())}\n")
    for each in missing:
        sys.stderr.write(f"missing: {each}\n")
    if missing:
        raise typer.Exit(3)


def missing_of(revision: "ScreeningAssessed", written: "Written", pages: "Pages") -> list[str]:
    """What a reader of the folder lacks, one sentence each: frames, pictures, whole files."""
    from sonovan.reports.words import Words

    words = Words()
    return [
        *(f"sweep {gap.sequence_id}: {words.missing(gap)}" for gap in revision.missing),
        *(f"mask and overlay of frame {frame_id}: not stored any more" for frame_id in written.missing),
        *pages.missing,
    ]


def newest_report(revisions: "list[ScreeningAssessed]", beginning: str | None) -> "ScreeningAssessed":
    """The newest revision with a report: of the screening whose id starts so, or with None of the newest screening.

    Screening ids sort by the time at which they were made, so the newest screening has the greatest id.
    Raises BadParameter where no screening, or more than one, has such an id; Transient where it has no report yet.
    """
    wanted = [each for each in revisions if beginning is None or each.screening_id.startswith(beginning)]
    names = {each.screening_id for each in wanted}
    if not names or (beginning is not None and len(names) > 1):
        what = "no screening has" if not names else f"{len(names)} screenings have"
        named = "a report" if beginning is None else f"an id that begins with {beginning!r}"
        raise typer.BadParameter(f"{what} {named}; see: sonovan topics tail screening.assessed")
    return _last_of(wanted, max(names))


def _last_of(revisions: "list[ScreeningAssessed]", screening_id: str) -> "ScreeningAssessed":
    from sonovan.contracts.errors import Transient

    reported = [each for each in revisions if each.screening_id == screening_id and each.report_html_key is not None]
    if not reported:
        raise Transient(
            f"screening {screening_id} has preliminary revisions only: its report comes with its last frame"
        )
    return max(reported, key=lambda each: each.revision_number)


def _revisions(kafka: "BrokerSettings") -> "list[ScreeningAssessed]":
    from sonovan.contracts.results import ScreeningAssessed
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    records = [message.decode() for message in read_all(kafka, Topic.SCREENING_ASSESSED)]
    return [record for record in records if isinstance(record, ScreeningAssessed)]


def _compared(
    kafka: "BrokerSettings",
    state: Path | None,
    store: "ObjectStore",
    revisions: "list[ScreeningAssessed]",
    now: "ScreeningReport",
) -> "Comparison | None":
    """The report against her earlier screening; the catalogue says which one that is."""
    from sonovan.cli.catalog import reader_url
    from sonovan.signed_pages import compared_now
    from sonovan.storage.catalogue.asking import Limits, ask
    from sonovan.storage.catalogue.comparing import EARLIER, visit_of

    answer = ask(reader_url(state), EARLIER.format(screening=f"'{now.screening_id}'"), Limits(rows=1))
    if not answer.rows:
        return None
    visit = visit_of(answer.rows[0])
    return compared_now(now, visit, revisions, _conclusions(kafka, visit.screening_id), store)


def _amended(state: Path | None, screening_id: str) -> "tuple[AmendmentInForce, ...]":
    """The amendments in force by the catalogue: one that came late stands in no revision."""
    from sonovan.cli.catalog import reader_url
    from sonovan.storage.catalogue.amended_since import NOW, amendments_of
    from sonovan.storage.catalogue.asking import Limits, ask

    answer = ask(reader_url(state), NOW.format(screening=f"'{screening_id}'"), Limits())
    return amendments_of([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])


def _conclusions(kafka: "BrokerSettings", screening_id: str) -> "list[ScreeningConcluded]":
    from sonovan.contracts.conclusions import ScreeningConcluded
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    key = screening_id.encode()
    records = [message.decode() for message in read_all(kafka, Topic.SCREENING_CONCLUDED) if message.key == key]
    return [record for record in records if isinstance(record, ScreeningConcluded)]


def _reviews(kafka: "BrokerSettings", screening_id: str) -> "list[FrameReviewed]":
    from sonovan.contracts.reviews import FrameReviewed
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    key = screening_id.encode()
    records = [message.readable() for message in read_all(kafka, Topic.FRAME_REVIEWED) if message.key == key]
    return [record for record in records if isinstance(record, FrameReviewed)]


def _frames(kafka: "BrokerSettings", revision: "ScreeningAssessed") -> "list[FrameSegmented]":
    from sonovan.contracts.frames import FrameSegmented
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    key = revision.screening_id.encode()
    records = [message.decode() for message in read_all(kafka, Topic.FRAME_SEGMENTED) if message.key == key]
    return results_of(revision, [record for record in records if isinstance(record, FrameSegmented)])


def results_of(revision: "ScreeningAssessed", results: "Iterable[FrameSegmented]") -> "list[FrameSegmented]":
    """The results on which the revision may rest: per frame the first one of the revision's van and network.

    Another van's frames may name this screening too; `assess` takes the opener's alone. They have the side that the
    revision gives them; of a revision that says nothing of the pictures there are none.
    """
    from sonovan.clinical.amended import Sides

    if revision.silenced:
        return []
    found: dict[str, FrameSegmented] = {}
    for record in results:
        if (record.van_id, record.fingerprint) == (revision.van_id, revision.fingerprint):
            found.setdefault(record.frame_id, record)
    return [Sides.of_revision(revision.amendments).corrected(each) for each in found.values()]
