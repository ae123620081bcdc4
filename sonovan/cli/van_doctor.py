"""`sonovan van doctor`: what of a van is well, and what to do about the rest.

The rooms are imported inside the command: `sonovan --help` stays quick.
"""

import typer

from sonovan.cli.van_options import AsJson, State, VanName
from sonovan.state import state_path


def add_to(app: typer.Typer) -> None:
    """Add this command to `sonovan van`."""
    app.command()(doctor)


def doctor(van: VanName = None, as_json: AsJson = False, state: State = None) -> int:
    """Look at weights, settings, spool, keys, certificates, disk, clock and the way to the centre.

    One line for each, with the remedy where it is not well; exit code 3 where one is not. A report of this van is sent,
    as `serve` does every two minutes, by which the clocks are compared; nothing else is changed.
    """
    from sonovan.cli.doctor import show
    from sonovan.cli.models import weights_folder
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.doctor.van import look
    from sonovan.producers.reporting import Reporter

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        lines = look(
            opened.vault,
            opened.spool,
            lambda: opened.kafka,
            lambda: Reporter(opened.spool, opened.signer),
            weights_folder(None),
        )
        return show(lines, as_json=as_json)
