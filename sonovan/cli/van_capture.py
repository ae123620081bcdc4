"""`sonovan van capture`: record one sweep from a scanner's video output.

The rooms are imported inside the command: `sonovan --help` stays quick.
"""

from typing import Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.van_options import OperatorCode, Organ, State, VanName
from sonovan.state import state_path


def add_to(app: typer.Typer) -> None:
    """Add this command to `sonovan van`."""
    app.command()(capture)


def capture(
    slip: Annotated[str, typer.Option("--slip", help="Slip number of whoever is being scanned.")],
    side: Annotated[str | None, typer.Option(help="left, right or isthmus.")] = None,
    region: Annotated[str | None, typer.Option(help="Which part of that side, such as upper_outer.")] = None,
    organ: Organ = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so many seconds.")] = None,
    until_stopped: Annotated[bool, typer.Option("--until-stopped", help="Go on until Ctrl-C.")] = False,
    depth_mm: Annotated[
        float | None, typer.Option(help="Depth that the scanner shows, of the picture's height.")
    ] = None,
    pixel_spacing_mm: Annotated[float | None, typer.Option(help="Size of a pixel.")] = None,
    name: Annotated[str | None, typer.Option(help="Which capture of van.toml (default: the only one).")] = None,
    operator: OperatorCode = None,
    van: VanName = None,
    state: State = None,
) -> None:
    """Record one sweep from the scanner's video output, into the screening of whoever has this slip."""
    import signal
    from threading import Timer

    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import require_operator, say, slip_number
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.contracts.settings import read_settings
    from sonovan.producers.gateway.duty import operator_code
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.recording import SweepOrder, entry_of, record
    from sonovan.producers.gateway.settings import read_options
    from sonovan.producers.gateway.watching import Watch
    from sonovan.producers.privacy import open_cleaning
    from sonovan.producers.settings import VanSettings
    from sonovan.producers.sources import capture_options
    from sonovan.producers.sources.capture import Sweep

    if (seconds is None) != until_stopped:
        raise InvalidRecord("option_invalid", "say --seconds or --until-stopped")
    chosen = capture_options(organ=organ, side=side, position=region)
    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened, open_desk(opened.vault) as desk:
        entry = desk.register.by_slip(slip_number(slip))
        if entry is None:
            raise InvalidRecord("option_invalid", f"--slip {slip}: nobody is expected with it; sonovan van register")
        device = entry_of(read_options(opened.vault.folder, None).capture, name)
        scanned_by = desk.duty.now if operator is None else operator_code(operator)
        require_operator(opened, scanned_by)
        order = SweepOrder(
            entry, chosen.organ, chosen.side, chosen.position, spacing_mm=pixel_spacing_mm, depth_mm=depth_mm,
            operator=scanned_by,
        )  # fmt: skip
        clean, watch = open_cleaning(read_settings(VanSettings).screens), Watch()
        sweeps: list[Sweep] = []

        def stop(*_: object) -> None:
            for sweep in sweeps:
                sweep.stop()

        timer = None if seconds is None else Timer(seconds, stop)

        def started(sweep: Sweep) -> None:
            sweeps.append(sweep)
            if timer is not None:
                timer.start()
            say("recording" + ("; Ctrl-C ends the sweep" if until_stopped else ""))

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            screening_id = record(opened.spool, opened.signer, clean, watch, device, order, say, started)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if timer is not None:
                timer.cancel()
        glance = watch.glance(screening_id)
    lost = f", {glance.lost} lost" if glance.lost else ""
    typer.echo(f"screening {screening_id}: {glance.frames} frames recorded{lost}")
    if glance.lost or sweeps[0].signal_lost:
        raise typer.Exit(int(Exit.SOME_REJECTED))
