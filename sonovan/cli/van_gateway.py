"""`sonovan van serve, register, expected, tray`: the scanner's side of the van.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from sonovan.cli.van_options import AsJson, Organ, Plan, State, VanName
from sonovan.state import state_path

ObjectNumber = Annotated[int, typer.Argument(help="The object's number, as van tray list prints it.")]
Slip = Annotated[str, typer.Option("--slip", help="Slip number.")]
Because = Annotated[str, typer.Option("--because", help="Why; a word, for free text could name somebody.")]
_SWITCH_S: Final = 0.0005
"""How long a thread may keep Python's lock from another: ten times less than by default, so that a scanner's answer
does not wait for frames that are being composed."""
tray = typer.Typer(help="Objects that wait for the operator.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands to `sonovan van`."""
    app.command()(serve)
    app.command()(register)
    app.command()(expected)
    app.command()(measurements)
    app.add_typer(tray, name="tray")


def serve(
    config: Annotated[Path | None, typer.Option(help="The listener's settings (default: van.toml of the van).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Instead of the file's; 0: any free.")] = None,
    upload: Annotated[bool, typer.Option(help="Send to the centre what waits.")] = True,
    page: Annotated[bool, typer.Option(help="Serve the operator's page to this machine.")] = True,
    page_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Instead of the file's; 0: any free.")
    ] = None,
    van: VanName = None,
    state: State = None,
) -> None:
    """Listen to scanners (DICOM), put what they send into screenings, and upload, until it is stopped."""
    import signal
    from contextlib import ExitStack
    from functools import partial

    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_page import served
    from sonovan.cli.van_send import say
    from sonovan.contracts.settings import read_settings
    from sonovan.measuring import exposed
    from sonovan.models.segmenter import load
    from sonovan.producers.gateway.gateway import Gateway
    from sonovan.producers.gateway.preview import Preview
    from sonovan.producers.gateway.settings import read_options
    from sonovan.producers.gateway.watching import Watch
    from sonovan.producers.measured import van_metrics
    from sonovan.producers.privacy import open_cleaning
    from sonovan.producers.settings import VanSettings

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, ExitStack() as until_it_ends:
        options = read_options(opened.vault.folder, config)
        if port is not None:
            options = options.model_copy(update={"port": port})
        kafka = (lambda: opened.kafka) if upload else None
        clean = open_cleaning(read_settings(VanSettings).screens)
        network = partial(load, provider="cpu", precision="fp32") if page and options.page.preview else None
        preview = Preview(network, silenced=opened.spool.silenced.__contains__)
        watch = Watch(preview=preview)
        gateway = Gateway(opened.van_id, opened.vault, opened.spool, opened.signer, options, clean, say, watch)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: gateway.stop())

        def listening(at: int) -> None:
            typer.echo(f"van {opened.van_id}: {options.ae_title} listens on {options.address} port {at}")
            if page:
                at_port = {} if page_port is None else {"port": page_port}
                shown = options.model_copy(update={"page": options.page.model_copy(update=at_port)})
                address = until_it_ends.enter_context(served(opened, shown, clean, watch, gateway.reporter.link))
                typer.echo(f"the operator's page: {address}")
            if options.metrics_port is not None:
                made = exposed(
                    lambda: van_metrics(gateway.reporter.report(metered=False)), options.metrics_port, "metrics_port"
                )
                typer.echo(f"metrics: {until_it_ends.enter_context(made)}")
            sys.stdout.flush()

        sys.setswitchinterval(_SWITCH_S)
        gateway.run(read_settings(VanSettings).least_free_mib * 2**20, kafka, listening)


def register(
    slip: Slip,
    organ: Organ = None,
    accession: Annotated[str | None, typer.Option(help="The order's number (default: the slip's).")] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When (default: today).")] = None,
    person: Annotated[str | None, typer.Option(help="Person id; it stays sealed in the van's register.")] = None,
    site: Annotated[str, typer.Option(help="Site code.")] = "site-1",
    plan: Plan = None,
    features: Annotated[Path | None, typer.Option(help="The clinical record, JSON or CSV.")] = None,
    consent: Annotated[
        str | None, typer.Option(help="What she agreed to: screening,ai and maybe research, sharing; else it is asked.")
    ] = None,
    van: VanName = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Enter a woman who is expected; scanners find her in the worklist under her slip number."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import consent_given, site_code, slip_number
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.producers.features import read_features
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.settings import read_options
    from sonovan.producers.items import Visit
    from sonovan.producers.plan import both_sides, planned_regions
    from sonovan.producers.site import visit_key
    from sonovan.producers.sources import capture_options

    chosen = capture_options(organ=organ).organ
    if chosen is None:
        raise InvalidRecord("organ_missing", "say --organ breast or --organ thyroid")
    folder = state_path(state)
    code, number = site_code(site), slip_number(slip)
    agreed, planned = consent_given(consent), planned_regions(plan, [chosen]) or both_sides([chosen])
    told = None if features is None else read_features(features)
    on = datetime.now().astimezone().date() if day is None else day.date()
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        visit = Visit(
            subject_key=visit_key(opened.vault, person),
            site_code=code,
            consent=agreed,
            slip_number=number,
            planned=planned,
            features=told,
            consent_text=read_options(opened.vault.folder, None).page.consent_text,
        )
        entry = desk.register.expect(visit, on, accession, person=person)
    if as_json:
        row = {"slip": entry.slip, "accession": entry.accession, "day": on.isoformat()}
        typer.echo(json.dumps({**row, "screening_id": entry.screening_id}))
    else:
        typer.echo(f"slip {entry.slip}, accession {entry.accession}: expected on {on}, screening {entry.screening_id}")


def expected(van: VanName = None, as_json: AsJson = False, state: State = None) -> None:
    """List who is on the worklist: everybody who is expected and whose screening is not closed."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.gateway.gateway import open_desk, worklist

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        found = worklist(desk, opened.spool)
    rows = [{"slip": each.slip, "accession": each.accession, "day": each.day.isoformat(),
             "screening_id": each.screening_id} for each in found]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("{day}: slip {slip}, accession {accession}, screening {screening_id}".format(**row))


def measurements(
    screening: Annotated[str, typer.Argument(help="The screening's id.")],
    van: VanName = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """List what a scanner's structured reports measure; it stays on the van."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.sources.reasons import printable

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        found = desk.sayings.of(screening)
    rows = [(number, each) for number, said in found.items() for each in said.measured]
    if as_json:
        typer.echo(json.dumps([{"object": number, **asdict(each)} for number, each in rows]))
        return
    for number, each in rows:
        place = " ".join(word for word in (each.organ, each.side) if word) or (each.site.meaning if each.site else "")
        what = f"{each.what.meaning} ({each.what.scheme} {each.what.value})"
        typer.echo(
            printable(f"object {number}: {what}: {each.number:g} {each.unit or 'without unit'} {place}").rstrip()
        )


@tray.command("list")
def tray_list(
    all_: Annotated[bool, typer.Option("--all", help="Also what is in screenings, and what was discarded.")] = False,
    van: VanName = None,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """List the objects that wait, with what the scanner says of each; for the operator's eyes."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.intake import ARRIVED, QUARANTINED, REASONS, STATES, TRAY
    from sonovan.producers.sources import SOURCE_REASONS
    from sonovan.producers.sources.reasons import printable

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        found = desk.intake.objects(*(STATES if all_ else (ARRIVED, TRAY, QUARANTINED)))
        missing = desk.steps.missing(desk.intake.came)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found]))
        return
    for each in found:
        at = datetime.fromtimestamp(each.arrived_at, UTC)
        claims = each.claims
        said = (
            f"accession {claims.accession or 'none'}, patient id {claims.patient_id or 'none'},"
            f" name {claims.patient_name or 'none'}{f', file {claims.file}' if claims.file else ''}"
        )
        head = f"{each.number}: {each.state}, {at:%Y-%m-%d %H:%M} UTC from {claims.scanner}, {printable(said)}"
        what = REASONS.get(each.reason or "") or SOURCE_REASONS.get(each.reason or "", "")
        typer.echo(head if each.reason is None else f"{head}: {each.reason}{f': {what}' if what else ''}")
    for step, count in missing:
        typer.echo(f"{printable(step.scanner)} made {count} objects that never came: send them again from the scanner")


@tray.command()
def assign(
    number: ObjectNumber,
    slip: Slip,
    because: Because,
    organ: Organ = None,
    side: Annotated[str | None, typer.Option(help="left, right or isthmus.")] = None,
    van: VanName = None,
    state: State = None,
) -> None:
    """Say whose an object is; `van serve` then puts it into her screening."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import slip_number
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.intake import ASSIGNING, Assigned
    from sonovan.producers.sources import capture_options

    chosen = capture_options(organ=organ, side=side)
    _known(because, ASSIGNING)
    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        entry = desk.register.by_slip(slip_number(slip))
        if entry is None:
            raise InvalidRecord("option_invalid", f"--slip {slip}: nobody is expected with it; sonovan van register")
        desk.intake.assign(number, Assigned(entry.slip, because, chosen.organ, chosen.side))
    typer.echo(f"object {number}: goes into screening {entry.screening_id}")


@tray.command()
def discard(number: ObjectNumber, because: Because, van: VanName = None, state: State = None) -> None:
    """Delete an object that waits, for good."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.intake import DISCARDING

    _known(because, DISCARDING)
    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        desk.intake.discard(number, because)
    typer.echo(f"object {number}: discarded ({because})")


def _known(because: str, words: tuple[str, ...]) -> None:
    from sonovan.contracts.errors import InvalidRecord

    if because not in words:
        raise InvalidRecord("option_invalid", f"--because {because}: say one of {', '.join(words)}")
