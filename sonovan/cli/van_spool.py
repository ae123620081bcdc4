"""`sonovan van spool`: how much waits on the van, send it, let go of what the centre has.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.van_options import AsJson, GiveUp, State, VanName
from sonovan.state import state_path

app = typer.Typer(help="What waits on the van.", no_args_is_help=True)


@app.command()
def status(van: VanName = None, as_json: AsJson = False, state: State = None) -> None:
    """How much waits, which screenings are unfinished, and what the centre rejected."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.spool import STATES, WITHHELD

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        spool = opened.spool
        found, rejected = spool.status(), spool.rejected()
        unfinished = [each.screening_id for each in spool.screenings() if each.unfinished]
    if as_json:
        document = {
            "van_id": opened.van_id,
            **found.counts,
            "waiting_bytes": found.waiting_bytes,
            "oldest_at": found.oldest_at,
            "exported": found.exported,
            "doubted": found.doubted,
            "unfinished": unfinished,
            "refused": [
                {"item_id": item.item_id, "reason": item.reason, "retryable": item.retryable} for item in rejected
            ],
        }
        typer.echo(json.dumps(document))
        return
    typer.echo(f"van {opened.van_id}: " + ", ".join(f"{found.counts[name]} {name}" for name in STATES))
    exported = f", {found.exported} of {found.waiting} items exported to a disk" if found.exported else ""
    typer.echo(f"waiting: {found.waiting_bytes / 2**20:.1f} MiB{exported}")
    if found.counts[WITHHELD]:
        typer.echo(
            "withheld: her consent is withdrawn; sent once that is taken back (sonovan van amend undo),"
            " deleted by sonovan van spool erase"
        )
    if found.doubted:
        typer.echo(f"doubted: {found.doubted} items were answered, but not by a key of the centre: nothing was deleted")
    for screening_id in unfinished:
        typer.echo(f"unfinished: {screening_id} (sonovan van close, or van send --into)")
    for item in rejected:
        typer.echo(f"rejected: {item.item_id}: {item.reason}{' (may be retried)' if item.retryable else ''}")


@app.command()
def retry(van: VanName = None, give_up_s: GiveUp = None, state: State = None) -> int:
    """Send everything that waits, what was rejected for a passing reason too, until the centre has it."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import WAIT_GIVE_UP_S, no_answer, queueing
    from sonovan.producers.upload import all_settled

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        spool = opened.spool
        uploader = opened.uploader
        spool.retry(opened.signer.sign_again)
        patience_s = give_up_s or WAIT_GIVE_UP_S
        uploader.run(
            lambda: all_settled(spool, None),
            give_up_s=patience_s,
            waiting=queueing,
            troubled=lambda why: no_answer(why, patience_s),
        )
        rejected = len(spool.rejected())
    typer.echo(f"van {opened.van_id}: nothing waits, {rejected} rejected")
    return int(Exit.SOME_REJECTED if rejected else Exit.DONE)


@app.command()
def resend(van: VanName = None, state: State = None) -> None:
    """Queue again all that the centre has had and that is still here: it was restored from a backup.

    What it has already it takes for the same. `van serve` sends it, or sonovan van spool retry.
    """
    from sonovan.cli.van_open import open_van, the_van

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        count = opened.spool.resend()
    typer.echo(f"van {opened.van_id}: {count} items are sent again")


@app.command("export")
def export_spool(
    where: Annotated[Path, typer.Argument(help="A folder on the disk that is taken to the centre.")],
    van: VanName = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Write what waits to a disk, encrypted to the centre. All of it stays here until the centre's receipts come."""
    from tqdm import tqdm

    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers import enrol as enrolment
    from sonovan.producers.export import export

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        key = enrolment.load_centre_key(opened.vault, opened.van_id)
        total = opened.spool.status().waiting
        with tqdm(total=total, unit="item", desc="exporting", leave=False, disable=None) as bar:
            made = export(opened.spool, opened.signer, key, where, progress=bar.update)
    if as_json:
        told = {"folder": str(made.folder), "items": made.items, "bytes": made.size, "left": made.left}
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{made.folder}: {made.items} items, {made.size / 2**20:.1f} MiB; at the centre: sonovan van spool import"
    )
    if made.left:
        typer.echo(f"{made.left} items did not fit into one export: export again once these are imported")


@app.command("import")
def import_spool(
    folder: Annotated[Path, typer.Argument(help="The disk, or one of the folders that van spool export wrote there.")],
    receipts_s: Annotated[
        float, typer.Option("--receipts-s", min=0, help="Wait for receipts until none has come for so long.")
    ] = 60.0,
    state: State = None,
) -> int:
    """At the centre: take in what a van exported to a disk. Again, or while the van sends as well, is harmless.

    The receipts are left on the disk, for `sonovan van spool receipts` on the van. SONOVAN_DEPOT_* name a centre of
    containers or of a server; without them it is the one of the state folder.
    """
    from sonovan.cli.van_send import say
    from sonovan.contracts.depot import exports_on
    from sonovan.contracts.errors import InvalidRecord, Transient
    from sonovan.depot import import_disk
    from sonovan.importing import importing

    exports, refused = exports_on(folder), 0
    for each in exports:
        try:
            done = import_disk(importing(state_path(state)), each, receipts_within_s=receipts_s)
        except (InvalidRecord, Transient) as error:  # the other ones may be well
            if len(exports) == 1:
                raise
            say(str(error))
            refused += 1
            continue
        for one in done.refused:
            say(one.message)
        refused += len(done.refused)
        typer.echo(f"van {done.van_id}: {done.items} items of export {done.export_id} are at the centre")
        typer.echo(f"receipts on the disk: {done.answered}")
        if done.answered < done.items:
            lacking = done.items - done.answered
            say(f"{lacking} items have no receipt yet: import the disk again once the workers took them")
    typer.echo(f"take the disk back to the van: sonovan van spool receipts {folder}")
    return int(Exit.SOME_REJECTED if refused else Exit.DONE)


@app.command("key")
def print_disk_key(state: State = None) -> None:
    """At the centre: print its public key for disks, as SONOVAN_ENROL_DEPOT_KEY takes it; made at first use."""
    from sonovan.contracts.depot import centre_public_key
    from sonovan.importing import disk_key

    typer.echo(centre_public_key(disk_key(state_path(state))).hex())


@app.command()
def receipts(
    folder: Annotated[Path, typer.Argument(help="The disk that the centre imported, or one of its folders.")],
    van: VanName = None,
    state: State = None,
) -> int:
    """Take the centre's signed receipts from a disk that came back, so that what it carried can be purged."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import say
    from sonovan.contracts.depot import exports_on
    from sonovan.contracts.errors import InvalidRecord, Transient
    from sonovan.producers.disk_receipts import TakenReceipts, take_receipts

    place, exports = state_path(state), exports_on(folder)
    done, lacking = TakenReceipts(0, 0, 0), 0
    with open_van(place, the_van(place, van)) as opened:
        for each in exports:
            try:
                done += take_receipts(opened.spool, each)
            except (InvalidRecord, Transient) as error:
                if len(exports) == 1:
                    raise
                say(str(error))
                lacking += 1
        waiting = opened.spool.status().waiting
    typer.echo(f"van {opened.van_id}: {done.taken} receipts taken, {waiting} items still wait")
    if done.doubted:
        say(f"{done.doubted} receipts are not signed by a key of the centre that this van knows: nothing was deleted")
    if done.unreadable:
        say(f"{done.unreadable} lines are no receipts")
    return int(Exit.SOME_REJECTED if done.doubted or done.unreadable or lacking else Exit.DONE)


@app.command()
def erase(
    screening_id: Annotated[str, typer.Argument(help="The screening's id, as van screenings prints it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    van: VanName = None,
    state: State = None,
) -> None:
    """Delete for good what stays on the van of a screening: withheld, as consent is withdrawn, or for a next visit."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.spool import WITHHELD

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        count, kept = opened.spool.status(screening_id).counts[WITHHELD], opened.spool.earlier.count(screening_id)
        if not count and not kept:
            raise typer.BadParameter(
                f"nothing of {screening_id} is withheld or kept on van {opened.van_id}; see: sonovan van screenings"
            )
        if not yes:
            places = f" {kept} places kept for her next visit are deleted as well." if kept else ""
            told = f"{count} items are deleted, and never sent should she consent again.{places} Go on?"
            typer.confirm(told, abort=True)
        opened.spool.forget_earlier(screening_id)
        also = f", {kept} places forgotten" if kept else ""
        typer.echo(f"van {opened.van_id}: {opened.spool.erase_withheld(screening_id)} items erased{also}")


@app.command()
def purge(van: VanName = None, state: State = None) -> None:
    """Forget closed screenings that the centre stored whole, and drop what it rejected for good."""
    from sonovan.cli.van_open import open_van, the_van

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        typer.echo(f"van {opened.van_id}: {opened.spool.purge()} items purged")
