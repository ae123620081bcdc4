"""`sonovan review`: masks that readers drew elsewhere, taken in as reviews of stored frames."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption

if TYPE_CHECKING:
    from sonovan.contracts.broker import BrokerSettings
    from sonovan.contracts.frames import FrameSegmented

app = typer.Typer(help="Masks that readers drew: import.", no_args_is_help=True, rich_markup_mode=None)

SEND_WITHIN_S: Final = 30.0


@app.callback()
def _group() -> None:
    """Masks that readers drew."""


@app.command("import")
def import_masks(
    path: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="PNG label masks, COCO JSON, DICOM SEG.")],
    reader: Annotated[str, typer.Option("--reader", help="Whose masks they are: a code of the site, such as op-7.")],
    blind: Annotated[
        bool, typer.Option("--blind/--not-blind", help="Drawn without having seen what the machine outlines?")
    ],
    screening: Annotated[
        list[str] | None, typer.Option("--screening", help="Whose frames they may be of; may be given again.")
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Store masks that were drawn elsewhere, each as a review of the frame that it names.

    A PNG is called SEQUENCE_000012.png; COCO names frames in `file_name`, a SEG by the sweep's UID and frame number.
    What fits no stored frame is named with the reason and ends the command with 3. Importing again adds nothing.
    Masks that are not blind are measured and take the place of the machine's: the screening comes again as a new
    revision. Blind ones measure the machine, and change nothing.
    """
    from pydantic import TypeAdapter, ValidationError

    from sonovan.cli.rejected import object_store
    from sonovan.contracts.ids import mint_id
    from sonovan.contracts.reviews import FrameReviewed
    from sonovan.contracts.topics import Topic
    from sonovan.contracts.words import OperatorCode
    from sonovan.review_files import read_drawn
    from sonovan.review_import import Reader, measure_on, sort_drawn
    from sonovan.storage.minio_store import MinioStore
    from sonovan.storage.reviews import store_mask
    from sonovan.transport.producer import BoundedProducer
    from sonovan.transport.tail import read_all

    try:
        code = TypeAdapter(OperatorCode).validate_python(reader)
    except ValidationError:
        raise typer.BadParameter(f"--reader {reader}: letters, a dash and a number (op-7), never a name") from None
    if not path.exists():
        raise typer.BadParameter(f"{path} is not there")
    kafka = kafka_settings(state, "console")
    frames = _frames(kafka, set(screening or ()))
    reviewed = [message.readable() for message in read_all(kafka, Topic.FRAME_REVIEWED)]
    store = MinioStore(object_store(state, "console"))
    found = sort_drawn(
        read_drawn(path),
        frames,
        [each for each in reviewed if isinstance(each, FrameReviewed)],
        Reader(code, blind),
        datetime.now(UTC),
        mint_id,
        None if blind else measure_on(store),
    )
    if found.reviews:
        with BoundedProducer(kafka) as producer:
            for review in found.reviews:
                store_mask(store, review.record, review.mask)
                record = review.record
                sent = producer.send(Topic.FRAME_REVIEWED, record.screening_id.encode(), record.encode())
                sent.result(SEND_WITHIN_S)
    if as_json:
        document = {
            "imported": [each.record.frame_id for each in found.reviews],
            "known": list(found.known),
            "refused": [{"source": each.source, "told": each.told} for each in found.refused],
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{len(found.reviews)} masks imported, {len(found.known)} known already\n")
    for each in found.refused:
        sys.stderr.write(f"refused: {each.source}: {each.told}\n")
    if found.refused:
        return int(Exit.SOME_REJECTED)
    return int(Exit.DONE)


def _frames(kafka: "BrokerSettings", wanted: set[str]) -> "dict[str, FrameSegmented]":
    """The result that counts of every frame, by frame id: of the newest revision's van and network, the first.

    wanted: screenings, empty for all. Of a screening that is void, or that no machine may read any more, there are
    none. Raises BadParameter for a screening of which nothing is known.
    """
    from sonovan.cli.export import results_of
    from sonovan.contracts.frames import FrameSegmented
    from sonovan.contracts.results import ScreeningAssessed
    from sonovan.contracts.topics import Topic
    from sonovan.transport.tail import read_all

    newest: dict[str, ScreeningAssessed] = {}
    for message in read_all(kafka, Topic.SCREENING_ASSESSED):
        record = message.readable()
        if isinstance(record, ScreeningAssessed) and (not wanted or record.screening_id in wanted):
            before = newest.get(record.screening_id)
            if before is None or before.revision_number <= record.revision_number:
                newest[record.screening_id] = record
    if missing := sorted(wanted - newest.keys()):
        raise typer.BadParameter(
            f"no screening is called {', '.join(missing)}; see: sonovan topics tail screening.assessed"
        )
    results: dict[str, list[FrameSegmented]] = {}
    for message in read_all(kafka, Topic.FRAME_SEGMENTED):
        record = message.readable()
        if isinstance(record, FrameSegmented) and record.screening_id in newest:
            results.setdefault(record.screening_id, []).append(record)
    counted = [each for name, found in results.items() for each in results_of(newest[name], found)]
    return {each.frame_id: each for each in counted}
