"""`sonovan rejected`: what a stage could not use, why, and another try."""

import json
import os
import sys
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption, format_table
from sonovan.contracts.answers import RecordRejected, RejectedHandled, RejectedRetried
from sonovan.contracts.topics import TOPICS, Topic, is_signed
from sonovan.resending import SHORT, may_be_sent_again
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.storage.settings import ObjectStoreSettings

app = typer.Typer(help="Records that a stage could not use.", no_args_is_help=True, rich_markup_mode=None)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A rejection's id, or its beginning.")]


@app.command("list")
def list_rejected(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show every rejection, oldest first, and whether it was tried again."""
    retried, discarded = {record.rejection_id for record in _retried(state)}, _discarded(state)
    rows: list[dict[str, object]] = [
        {
            "id": record.rejection_id if as_json else record.rejection_id[:SHORT],
            "rejected_at": record.rejected_at.isoformat(timespec="seconds"),
            "stage": record.stage,
            "reason": record.reason,
            "retryable": record.retryable,
            "verified": record.verified,
            "van": record.van_id,
            "screening": record.screening_id,
            "frame": record.frame_id,
            "retried": record.rejection_id in retried,
            "discarded": record.rejection_id in discarded,
        }
        for record in _rejections(state)
    ]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        sys.stdout.write(format_table(rows) if rows else "nothing was rejected\n")


@app.command()
def show(rejection_id: IdArgument, state: StateOption = None) -> None:
    """Print one rejection, and where its bytes are kept."""
    from sonovan.storage.keys import Bucket

    record = find(_rejections(state), rejection_id)
    document = record.model_dump(mode="json")
    document["quarantine"] = f"{Bucket.QUARANTINE}/{record.quarantine_key}"
    document["retried_at"] = [
        again.retried_at.isoformat() for again in _retried(state) if again.rejection_id == record.rejection_id
    ]
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


@app.command()
def retry(
    rejection_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A rejection's id, or its beginning.", show_default=False)
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="All with this reason that may help and were not tried again yet.")
    ] = None,
    van: Annotated[str | None, typer.Option("--van", help="With --reason: of this van alone.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if the reason will not go away by itself, or it was tried again.")
    ] = False,
    state: StateOption = None,
) -> int:
    """Send the bytes in quarantine to their topic again, as the account `retrier`: one rejection, or all of a reason.

    Each is sent once: with --reason what was sent again before, or discarded in the console, is left out, unless
    --force.
    """
    if (rejection_id is None) == (reason is None):
        raise typer.BadParameter("say an ID, or --reason; see: sonovan rejected list")
    rejections = _rejections(state, "retrier")
    if rejection_id is not None:
        record = find(rejections, rejection_id)
        check_may_be_retried(record, force=force)
        _send_again([record], state)
        return Exit.DONE
    done = set() if force else {each.rejection_id for each in _retried(state)} | _discarded(state)
    chosen = to_retry(rejections, str(reason), van=van, done=done, force=force)
    if not chosen:
        sys.stdout.write(f"nothing with the reason {reason} is to be sent again\n")
        return Exit.DONE
    gone = _send_again(chosen, state)
    return Exit.SOME_REJECTED if gone else Exit.DONE


def to_retry(
    rejections: Sequence[RecordRejected], reason: str, *, van: str | None, done: Container[str], force: bool
) -> list[RecordRejected]:
    """Those of one reason that a van sent, that may help and that are not in `done`, in the order of the topic."""
    return [
        each
        for each in rejections
        if each.reason == reason
        and each.rejection_id not in done
        and (van is None or each.van_id == van)
        and may_be_sent_again(each, force=force)
    ]


def _send_again(records: Sequence[RecordRejected], state: Path | None) -> list[str]:
    """Send each from quarantine, in this order, and note it; the ids of those that could not be sent.

    Raises InvalidRecord where a single one was asked for and its bytes are gone, replaced, damaged or too large; among
    several such a one is told, and those after it go on.
    """
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.resending import note_again, send_again
    from sonovan.storage.minio_store import MinioStore
    from sonovan.transport.producer import BoundedProducer

    store, gone = MinioStore(object_store(state, "retrier")), list[str]()
    with BoundedProducer(kafka_settings(state, "retrier")) as producer:
        for record in records:
            try:
                sent = send_again(record, store, producer)
            except InvalidRecord as error:
                if len(records) == 1:
                    raise
                gone.append(record.rejection_id)
                typer.echo(f"{record.rejection_id[:SHORT]}: {error.message}", err=True)
                continue
            if sent is None:
                if len(records) == 1:
                    told = "its bytes are no longer in quarantine; send it from the van again"
                    raise InvalidRecord(record.reason, told)
                gone.append(record.rejection_id)
                typer.echo(f"{record.rejection_id[:SHORT]}: its bytes are no longer in quarantine", err=True)
                continue
            note_again(record, producer)
            sys.stdout.write(f"sent again: {sent.topic}/{sent.partition}/{sent.offset}\n")
    return gone


@app.command()
def follow(
    state: StateOption = None,
    looked: Annotated[
        Path | None, typer.Option(help="touched after each look that went well: for a container's health")
    ] = None,
) -> None:
    """Send again what people asked for in the console, as the account `retrier`, until SIGTERM."""
    import signal
    import threading

    from sonovan.resending import Follower
    from sonovan.storage.minio_store import MinioStore

    over = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: over.set())
    store = MinioStore(object_store(state, "retrier"))

    def tell(line: str) -> None:
        typer.echo(f"retrier: {line}", err=True)

    def touch() -> None:
        if looked is not None:
            looked.touch()

    Follower(kafka_settings(state, "retrier"), store, tell, touch).follow(over.wait)


def check_may_be_retried(record: RecordRejected, *, force: bool) -> None:
    """Raise BadParameter for a record that no retry can help, or that only the centre itself may write.

    Nothing on the centre's own topics is signed: an account that may write them for a retry could forge results.
    """
    if not is_signed(record.topic):
        writers = " and ".join(sorted(TOPICS[Topic(record.topic)].writers))
        raise typer.BadParameter(
            f"only what a van sent is sent again; {record.topic} is written by {writers} "
            "alone. Its bytes stay in quarantine; docs/runbook.md, rejects, says what to do."
        )
    if not (record.retryable or force):
        raise typer.BadParameter(f"{record.reason} will not go away by itself; --force tries all the same.")


def find(rejections: Sequence[RecordRejected], beginning: str) -> RecordRejected:
    """The one rejection whose id starts so. Raises BadParameter for none, or for several."""
    found = {record.rejection_id: record for record in rejections if record.rejection_id.startswith(beginning)}
    if len(found) != 1:
        what = "no rejection has" if not found else f"{len(found)} rejections have"
        raise typer.BadParameter(f"{what} an id that begins with {beginning!r}; see: sonovan rejected list")
    return next(iter(found.values()))


def _rejections(state: Path | None, account: str = "reader") -> list[RecordRejected]:
    """Each rejection once, in the order of the topic: a redelivered message is rejected again in the same words."""
    from sonovan.transport.tail import read_all

    found: dict[str, RecordRejected] = {}
    for message in read_all(kafka_settings(state, account), Topic.RECORD_REJECTED):
        record = message.readable()
        if isinstance(record, RecordRejected):
            found.setdefault(record.rejection_id, record)
    return list(found.values())


def _retried(state: Path | None) -> list[RejectedRetried]:
    """What was sent again."""
    from sonovan.transport.tail import read_all

    messages = read_all(kafka_settings(state, "reader"), Topic.REJECTED_RETRIED)
    notes = [record for message in messages if isinstance(record := message.readable(), RejectedRetried)]
    return [note for note in notes if note.outcome == "sent"]


def _discarded(state: Path | None) -> set[str]:
    """Rejections of which somebody decided last that nobody sends them again."""
    from sonovan.transport.tail import read_all

    newest: dict[str, str] = {}
    for message in read_all(kafka_settings(state, "reader"), Topic.REJECTED_HANDLED):
        record = message.readable()
        if isinstance(record, RejectedHandled):
            newest[record.rejection_id] = record.decision
    return {rejection_id for rejection_id, decision in newest.items() if decision == "discard"}


def object_store(state: Path | None, account: str) -> "ObjectStoreSettings":
    """How an account reaches the object store: by SONOVAN_S3_* where set and no state folder is named, else by that."""
    from sonovan.centre import attach
    from sonovan.contracts.settings import read_settings
    from sonovan.storage.settings import ObjectStoreSettings

    if state is None and "SONOVAN_S3_ENDPOINT" in os.environ:
        return read_settings(ObjectStoreSettings)
    return attach(state_path(state)).store(account)
