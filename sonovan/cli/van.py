"""`sonovan van`: enrol and revoke, listen to scanners, send and simulate, look at the spool.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli import (
    van_capture,
    van_doctor,
    van_gateway,
    van_lights,
    van_page,
    van_reports,
    van_screenings,
    van_site,
    van_spool,
)
from sonovan.cli.failures import Exit
from sonovan.cli.van_amend import app as amend_app
from sonovan.cli.van_options import AsJson, GiveUp, OperatorCode, Organ, Plan, State, VanName, Wait
from sonovan.contracts.limits import MIB, VAN_BYTES_PER_S
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.producers.vault import Vault

app = typer.Typer(help="The van: enrol, send, amend, simulate, spool.", no_args_is_help=True)
app.add_typer(van_spool.app, name="spool")
app.add_typer(van_site.app, name="site")
app.add_typer(amend_app, name="amend")


@app.command()
def enrol(
    name: Annotated[str, typer.Argument(help="Small letters, digits, hyphens.")],
    quota: Annotated[
        float, typer.Option("--mib-per-s", min=0, help="What it may send to the broker; 0: as much as it likes.")
    ] = VAN_BYTES_PER_S / MIB,
    state: State = None,
) -> None:
    """Give a van its signing key, its Kafka account, its answers topic and its quota; again is harmless.

    The first time a passphrase is chosen, which alone opens what the van keeps. The first van of a centre makes the
    secret of its site as well; others get it by `van site import`. SONOVAN_ENROL_* name a centre of containers or of a
    server (docs/running.md); else it is that of the state folder.
    """
    from sonovan.cli.van_open import open_vault
    from sonovan.enrolling import enrolling
    from sonovan.producers import enrol as enrolment
    from sonovan.producers import receipts, site

    folder = state_path(state)
    enrolment.van_folder(folder, name)
    centre = enrolling(folder)
    vault = open_vault(folder, name)
    if centre.depot_key is not None:
        enrolment.keep_centre_key(vault, centre.depot_key)
    receipts.pin(vault, centre.receipt_keys)
    account = centre.enrol_van(name, vault, round(quota * MIB) or None)
    record = enrolment.enrol(vault, name, account, centre.registrar)
    key = record.newest
    if site.check(vault) is None and enrolment.is_alone(centre.registrar, name):
        site.new_secret(vault)
    typer.echo(f"van {name} is enrolled since {key.enrolled_at:%Y-%m-%d %H:%M} UTC, key {key.public_key[:16]}")
    check = site.check(vault)
    typer.echo(f"secret of its site: {'none yet, see sonovan van site' if check is None else f'check {check}'}")


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The van's name.")], state: State = None) -> None:
    """Take a van's access away and publish that its key holds no longer."""
    from sonovan.enrolling import enrolling
    from sonovan.producers import enrol as enrolment

    folder = state_path(state)
    enrolment.van_folder(folder, name)
    centre = enrolling(folder)
    record = enrolment.revoke(folder, name, centre.registrar)
    centre.revoke_van(name)
    typer.echo(f"van {name} was never enrolled" if record is None else f"van {name} is revoked")


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="The centre's trusted.pem.", exists=True, dir_okay=False)],
    van: VanName = None,
    state: State = None,
) -> None:
    """Trust these authorities for the centre from now on, and no others; compare what is printed with the centre."""
    from sonovan.cli.van_open import open_vault, the_van
    from sonovan.producers import enrol as enrolment

    folder = state_path(state)
    van_id = the_van(folder, van)
    trusted = file.read_text(encoding="utf-8", errors="replace")
    for sha256 in enrolment.trust(open_vault(folder, van_id), van_id, trusted):
        typer.echo(f"van {van_id} trusts the authority with sha256 {sha256}")


@app.command()
def passphrase(van: VanName = None, state: State = None) -> None:
    """Choose another passphrase for what the van keeps; a copy of the old vault.json still opens with the old one."""
    from sonovan.cli.van_open import ask_new, the_van
    from sonovan.cli.van_open import passphrase as asked
    from sonovan.producers.enrol import van_folder
    from sonovan.producers.vault import Vault, change_passphrase

    folder = state_path(state)
    van_id = the_van(folder, van)
    place = van_folder(folder, van_id)
    old = asked(f"Passphrase of van {van_id}", new=False)
    Vault.unlock(place, old)
    change_passphrase(place, old, ask_new(van_id))
    typer.echo(f"van {van_id}: the new passphrase opens what it keeps")


@app.command()
def send(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, clips, pictures, or folders of them.")],
    organ: Organ = None,
    side: Annotated[str | None, typer.Option(help="left, right or isthmus.")] = None,
    view: Annotated[str | None, typer.Option(help="A code, e.g. radial.")] = None,
    position: Annotated[str | None, typer.Option(help="Probe position, a code, e.g. 10h.")] = None,
    nipple_distance_mm: Annotated[float | None, typer.Option(help="From the nipple to the probe's middle.")] = None,
    pixel_spacing_mm: Annotated[float | None, typer.Option(help="Where the files do not say.")] = None,
    features: Annotated[Path | None, typer.Option(help="The clinical record, JSON or CSV.")] = None,
    person: Annotated[str | None, typer.Option(help="Person id; only a key made from it leaves the van.")] = None,
    slip: Annotated[str | None, typer.Option(help="Slip number.")] = None,
    site: Annotated[str, typer.Option(help="Site code.")] = "site-1",
    plan: Plan = None,
    operator: OperatorCode = None,
    into: Annotated[
        str | None, typer.Option(help="Go on with this screening, unfinished or closed; files that it has are skipped.")
    ] = None,
    consent: Annotated[
        str | None, typer.Option(help="What she agreed to: screening,ai and maybe research, sharing; else it is asked.")
    ] = None,
    wait: Wait = False,
    as_json: AsJson = False,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """Send one screening through the spool to the centre.

    Each frame is kept on the van before the next one is read. What was cut off goes on with --into.
    """
    from sonovan.cli.van_open import the_van
    from sonovan.cli.van_send import consent_given, say, send_screening, site_code, slip_number
    from sonovan.contracts.ids import mint_id
    from sonovan.contracts.settings import read_settings
    from sonovan.producers.features import read_features
    from sonovan.producers.items import Visit
    from sonovan.producers.plan import planned_regions
    from sonovan.producers.privacy import open_cleaning
    from sonovan.producers.settings import VanSettings
    from sonovan.producers.site import visit_key
    from sonovan.producers.sources import capture_options, open_sources

    agreed = consent_given(consent) if into is None else None
    options = capture_options(
        organ=organ,
        side=side,
        view=view,
        position=position,
        nipple_distance_mm=nipple_distance_mm,
        pixel_spacing_mm=pixel_spacing_mm,
    )
    folder = state_path(state)
    van_id = the_van(folder, van)
    inputs = open_sources(paths, options)
    for refused in inputs.refused:
        say(refused.message)
    for line in inputs.notices():
        say(line)
    if not inputs.sources:
        return int(Exit.USAGE)
    clean = open_cleaning(read_settings(VanSettings).screens)
    sources = [clean(source) for source in inputs.sources]
    if agreed is None:
        visit = None
    else:
        code, number = site_code(site), None if slip is None else slip_number(slip)
        planned = planned_regions(plan, [source.organ for source in inputs.sources])
        told = None if features is None else read_features(features)

        def visit(vault: "Vault") -> Visit:
            key = visit_key(vault, person)
            return Visit(
                subject_key=key, site_code=code, slip_number=number, consent=agreed, planned=planned, features=told
            )

    return send_screening(
        folder, van_id, sources, visit, list(inputs.refused), into or mint_id(), wait, as_json, give_up_s, operator
    )


@app.command()
def correct(
    screening_id: Annotated[str, typer.Argument(help="The screening's id, as van send printed it.")],
    features: Annotated[Path, typer.Option(help="The whole clinical record as it should be, JSON or CSV.")],
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """Send the clinical record of a screening again, corrected; the newest one counts, whatever the clock says."""
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import deliver
    from sonovan.producers.correct import spool_correction
    from sonovan.producers.features import read_features

    fields = read_features(features)
    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        item = spool_correction(opened.spool, opened.signer, screening_id, fields)
        stored = deliver(opened, item, give_up_s, "the correction")
    if stored:
        typer.echo(f"screening {screening_id}: clinical record {item.item_id.rpartition('/')[2]} is stored")
    return int(Exit.DONE if stored else Exit.SOME_REJECTED)


@app.command()
def slips(
    series: Annotated[str, typer.Argument(help="One or two capital letters.")],
    first: Annotated[int, typer.Option(min=1, help="The first number.")] = 1,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 100,
) -> None:
    """Print slip numbers with their check characters, one a line."""
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.words import MAX_SLIP, slip_number

    if first + count - 1 > MAX_SLIP:
        raise InvalidRecord("option_invalid", f"--first, --count: a slip's number is at most {MAX_SLIP}")
    try:
        for number in range(first, first + count):
            typer.echo(slip_number(series, number))
    except ValueError:
        raise InvalidRecord("option_invalid", f"series {series!r}: say one or two capital letters") from None


@app.command()
def simulate(
    sweeps: Annotated[int, typer.Option(min=1, max=1000, help="How many sweeps.")] = 1,
    frames: Annotated[int, typer.Option(min=1, max=10_000, help="Frames of each sweep.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pixels.")] = 0,
    organ: Organ = "breast",
    lesions: Annotated[
        int | None, typer.Option(min=0, max=3, help="Lesions of each sweep; default: one or two.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write pictures and truth here, send nothing.")] = None,
    operator: OperatorCode = None,
    wait: Wait = False,
    as_json: AsJson = False,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """Send synthetic sweeps with known lesions as one screening; the truth is written beside the spool."""
    from sonovan.cli.van_open import the_van
    from sonovan.cli.van_send import say, send_screening
    from sonovan.contracts.ids import mint_id
    from sonovan.contracts.van import Consent, PlannedRegion
    from sonovan.producers.enrol import van_folder
    from sonovan.producers.items import Visit
    from sonovan.producers.simulate import simulated_sources, write_sweeps
    from sonovan.producers.site import visit_key
    from sonovan.producers.sources import capture_options

    chosen = capture_options(organ=organ).organ or "breast"
    if out is not None:
        written = [str(path) for path in write_sweeps(out, chosen, sweeps, frames, seed, lesions)]
        typer.echo(json.dumps({"sweeps": written, "truth": str(out / "truth")}) if as_json else "\n".join(written))
        return int(Exit.DONE)
    folder = state_path(state)
    van_id = the_van(folder, van)
    screening_id = mint_id()
    truth = van_folder(folder, van_id) / "truth" / screening_id
    sources = simulated_sources(chosen, sweeps, frames, seed, truth, lesions)
    simulated = dict.fromkeys(PlannedRegion(organ=each.organ, side=each.laterality) for each in sources)
    consent = Consent(screening=True, ai=True)

    def visit(vault: "Vault") -> Visit:
        key = visit_key(vault, None)
        return Visit(subject_key=key, site_code="simulated", consent=consent, planned=tuple(simulated))

    code = send_screening(folder, van_id, sources, visit, [], screening_id, wait, as_json, give_up_s, operator)
    say(f"truth: {truth}")
    return code


van_screenings.add_to(app)
van_capture.add_to(app)
van_gateway.add_to(app)
app.command()(van_reports.reports)
van_page.add_to(app)
van_lights.add_to(app)
van_doctor.add_to(app)
