"""`sonovan models promote`: screenings take the results of a network through which they were replayed."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, TypeVar, get_args

import typer
from pydantic import TypeAdapter, ValidationError

from sonovan.cli.failures import Exit
from sonovan.cli.replay import time_of
from sonovan.cli.topics import JsonOption, kafka_settings
from sonovan.cli.up import StateOption
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.promotions import PromotionReason
from sonovan.contracts.record import Id
from sonovan.contracts.words import OperatorCode
from sonovan.noting import note
from sonovan.state import state_path

T = TypeVar("T")

REASONS = "|".join(get_args(PromotionReason))


def promote(
    model: Annotated[str, typer.Option("--model", metavar="ID", help="Whose replayed results shall count.")],
    by: Annotated[str, typer.Option("--by", help="Your code at this site, `op-7`: no name.")],
    screenings: Annotated[
        list[str] | None, typer.Argument(metavar="[SCREENING]...", help="Ids, as `sonovan query` shows them.")
    ] = None,
    because: Annotated[str, typer.Option("--because", metavar=REASONS, help="Why; a code.")] = "network_replaced",
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="All that were replayed since then.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Replayed before this.")] = None,
    wait_s: Annotated[
        float, typer.Option("--wait-s", min=0, help="For how long the revisions are waited for.")
    ] = 120.0,
    weights_dir: Annotated[
        Path | None, typer.Option("--weights-dir", help="Folder with registry.json and the weights.")
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> int:
    """Have screenings take another network's results, each as a new revision; its earlier ones stay as they are.

    Replay them first (`sonovan replay`) and look at what would change (`sonovan models shadow`). A screening changes
    only when every one of its frames has a result of that network; one of which some are missing is left out, and so
    is one that is erased or void, that nobody may read any more, or whose rows `assess` has deleted. The network that
    was first may be promoted, too: its results count again.
    """
    from sonovan.cli.evaluate import check_name
    from sonovan.contracts.settings import read_settings
    from sonovan.models.registry import WEIGHTS_DIR, read_registry
    from sonovan.models.settings import read_settings as model_settings
    from sonovan.promote import Wanted
    from sonovan.promote import promote as run
    from sonovan.stream_apps.assess.settings import AssessSettings

    if not screenings and since is None:
        raise typer.BadParameter("say which SCREENINGs, or --from")
    folder = weights_dir or model_settings().weights_dir or WEIGHTS_DIR
    check_name(model, folder)
    wanted = Wanted(
        fingerprint=read_registry(folder).entry(model).fingerprint,
        because=_valid(TypeAdapter(PromotionReason), because, f"{because!r} is none of {REASONS}", "--because"),
        by=_valid(TypeAdapter(OperatorCode), by, f"{by!r} is no code such as op-7", "--by"),
        screenings=frozenset(
            _valid(TypeAdapter(Id), each, f"{each!r} is no screening's id; see: sonovan query", None)
            for each in screenings or ()
        ),
        since=None if since is None else time_of(since, "--from"),
        until=None if until is None else time_of(until, "--to"),
    )
    told = {"model": model, "fingerprint": wanted.fingerprint, "from": since, "to": until, "because": because}
    note(state_path(state), "screenings.promoted", {**told, "named": len(wanted.screenings)}, by=wanted.by)
    life = read_settings(AssessSettings).row_life
    done = run(kafka_settings(state, "promoter"), wanted, life, wait_s, lambda line: typer.echo(line, err=True))
    if not done.promoted and not done.left_out:
        raise InvalidRecord("option_invalid", f"nothing since {since} was replayed through {model}: sonovan replay")
    if as_json:
        document = {**told, "sent": done.sent, "revisions": done.revisions, "left_out": done.left_out}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        for screening_id, number in sorted(done.revisions.items()):
            sys.stdout.write(f"{screening_id}: revision {number} rests on {model}\n")
        for reason, count in sorted(Counter(done.left_out.values()).items()):
            sys.stdout.write(f"left out: {count} {reason}\n")
    late = sorted(set(done.promoted) - done.revisions.keys())
    if late:
        raise Transient(
            f"{len(late)} screenings have no such revision after {wait_s:g} s, {late[0]} the first: it comes when the "
            "worker assess runs; where it rejected the promotion, `sonovan rejected list` says why"
        )
    return int(Exit.SOME_REJECTED if done.left_out else Exit.DONE)


def _valid(kind: TypeAdapter[T], value: str, told: str, option: str | None) -> T:
    try:
        return kind.validate_python(value)
    except ValidationError:
        raise typer.BadParameter(told, param_hint=option) from None
