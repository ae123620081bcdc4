"""`sonovan replay`: what another network would have found in frames that are stored."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from sonovan.cli.rejected import object_store
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption
from sonovan.noting import note
from sonovan.state import state_path


def replay(
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="2026-03-01 or 2026-03-01T09:00Z.")],
    model: Annotated[str, typer.Option("--model", metavar="ID", help="Which network: sonovan models list.")],
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Before this; left out: up to the newest frame.")
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> int:
    """Send stored frames through another network; its results go to frame.replayed, and nothing follows from them.

    It runs where the machine has nothing else to do. Interrupted, it goes on with the same command. `sonovan replay`
    leaves out what was erased, is void, or is no longer hers to be read.
    """
    from sonovan import models
    from sonovan.cli.evaluate import check_name
    from sonovan.contracts.errors import Fatal
    from sonovan.models.errors import ModelError
    from sonovan.models.registry import WEIGHTS_DIR
    from sonovan.models.settings import read_settings
    from sonovan.replay import Span, has_own_session, yield_to_others
    from sonovan.replay import replay as run
    from sonovan.storage.minio_store import MinioStore

    span = Span(time_of(since, "--from"), None if until is None else time_of(until, "--to"))
    if span.until is not None and span.until <= span.since:
        raise typer.BadParameter("--to is not after --from: nothing lies between them")
    check_name(model, read_settings().weights_dir or WEIGHTS_DIR)
    if not has_own_session():  # a machine may share its cores among sessions, whatever a process asks for
        return _in_own_session()
    yield_to_others()  # before the runtime makes its threads, which are like the one that makes them
    try:
        segmenter = models.load(model)
    except ModelError as error:
        raise Fatal(str(error)) from error
    told = {"model": segmenter.model_id, "fingerprint": segmenter.fingerprint, "from": since, "to": until}
    note(state_path(state), "frames.replayed", told)
    store = MinioStore(object_store(state, "console"))
    done = run(
        kafka_settings(state, "console"), store, segmenter, span, state_path(state),
        lambda line: typer.echo(line, err=True),
    )  # fmt: skip
    if as_json:
        sys.stdout.write(json.dumps({**told, "frames": done.frames, "left_out": done.left_out}) + "\n")
        return 0
    left = ", ".join(f"{count} {reason}" for reason, count in sorted(done.left_out.items()))
    sys.stdout.write(f"{done.frames} frames replayed through {segmenter.model_id}")
    sys.stdout.write(f"; left out: {left}\n" if left else "\n")
    return 0


def _in_own_session() -> int:
    """Run this very command in a session of its own, and end it with this process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # `call` then ends what it waits for
    return subprocess.call([sys.executable, "-m", "sonovan", *sys.argv[1:]], start_new_session=True)


def time_of(text: str, option: str) -> datetime:
    """A time, in UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-03-01T09:00Z", param_hint=option) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
