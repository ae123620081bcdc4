"""`sonovan van page`: how to open the operator's page of a running `van serve`; and what `van serve` needs to serve it.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

from sonovan.cli.van_options import State, VanName
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.cli.van_open import OpenVan
    from sonovan.producers.gateway.composing import Clean
    from sonovan.producers.gateway.settings import ListenerOptions
    from sonovan.producers.gateway.watching import Watch
    from sonovan.producers.reporting import LinkSeen

DOOR_FILE: Final = "page"
"""In the van's folder while the page is served: its address and the code that is valid now; for its owner's eyes."""


def add_to(app: typer.Typer) -> None:
    """Add this command to `sonovan van`."""
    app.command()(page)


def page(van: VanName = None, state: State = None) -> None:
    """Show the address of the operator's page with a code that opens it once; `van serve` must be running."""
    from sonovan.cli.van_open import the_van
    from sonovan.contracts.errors import InvalidRecord
    from sonovan.producers.enrol import van_folder

    folder = state_path(state)
    path = van_folder(folder, the_van(folder, van)) / DOOR_FILE
    try:
        typer.echo(path.read_text(encoding="utf-8").strip())
    except OSError:
        raise InvalidRecord("option_invalid", "no page is served: start sonovan van serve") from None


@contextmanager
def served(
    opened: "OpenVan", options: "ListenerOptions", clean: "Clean", watch: "Watch", link: "LinkSeen"
) -> Iterator[str]:
    """Serve the page of an open van until the block ends; its address, and how to enter. link: see `Page`.

    Raises InvalidRecord `option_invalid` where the port is taken.
    """
    from sonovan.cli.van_send import say
    from sonovan.models.text import open_finder
    from sonovan.producers.gateway.gateway import open_desk
    from sonovan.producers.gateway.recording import Recorder
    from sonovan.producers.page.doors import Doors
    from sonovan.producers.page.page import Page
    from sonovan.producers.page.server import serving
    from sonovan.producers.private_files import write_private
    from sonovan.producers.site import visit_key
    from sonovan.reports.phrases import LANGUAGES
    from sonovan.reports.van_words import VanWords

    door, address = opened.vault.folder / DOOR_FILE, ""

    def keep(code: str) -> None:
        if address:
            write_private(door, f"{address}#{code}\n")

    doors = Doors(keep)
    recorder = None
    if options.capture:
        recorder = Recorder(opened.spool, opened.signer, clean, watch, options.capture, say)
    with open_desk(opened.vault) as desk:
        made = Page(
            opened.vault, opened.spool, desk, opened.signer, options.page,
            lambda person: visit_key(opened.vault, person),
            {each: VanWords(each) for each in LANGUAGES}, clean, open_finder(), watch,
            recorder=recorder, link=link,
        )  # fmt: skip
        with serving(made, doors, say) as port:
            address = f"http://127.0.0.1:{port}/enter"
            keep(doors.code)
            try:
                yield f"{address}#{doors.code}" if sys.stdout.isatty() else f"{address}, opened by sonovan van page"
            finally:
                door.unlink(missing_ok=True)
                if recorder is not None:
                    recorder.stop()
