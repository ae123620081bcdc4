"""A woman who is registered and scanned on the page, and the records that stand in the spool of her."""

from pathlib import Path

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import ScreeningClosed
from sonovan.producers.gateway.composing import put_all
from sonovan.producers.gateway.register import Expected
from sonovan.producers.sources import CapturedFrame, Source
from sonovan.producers.sources.source import whole_panel
from tests.producers.files import grey
from tests.producers.page.pages import FILLED, Desk
from tests.producers.spool.test_spool import messages
from tests.producers.visits import SIGNER


def registered(here: Desk, filled: tuple[tuple[str, str], ...] = FILLED) -> Expected:
    here.ask("POST", "/register", filled)
    return here.page.desk.register.expected()[-1]


def scan(here: Desk, entry: Expected, side: str, frames: int = 3, seed: int = 0) -> None:
    """Frames of one side come into her screening, as the gateway puts them there."""
    page, panel = here.page, (whole_panel(48, 64, None, None),)
    shots = [CapturedFrame(index, None, grey(seed=seed + index), panel) for index in range(frames)]
    source = Source(Path("x"), "breast", side, None, None, frames, lambda: iter(shots))  # type: ignore[arg-type]
    if page.spool.newest(entry.screening_id, Topic.SCREENING_CLOSED) is None:
        screening = page.spool.open_screening(entry.visit, SIGNER, screening_id=entry.screening_id)
    else:
        screening = page.spool.resume_screening(entry.screening_id, SIGNER)
    put_all(screening, source, f"{side}{seed}", page.watch)


def closings(here: Desk) -> list[ScreeningClosed]:
    """Every closing of a screening that waits, in the order of sending."""
    return [ScreeningClosed.decode(each) for each in _waiting(here, Topic.SCREENING_CLOSED)]


def amendments(here: Desk) -> list[ScreeningAmended]:
    """Every amendment that waits, an operator's mark among them, in the order of sending."""
    return [ScreeningAmended.decode(each) for each in _waiting(here, Topic.SCREENING_AMENDED)]


def _waiting(here: Desk, topic: Topic) -> list[bytes]:
    return [open_envelope(each.value).header for each in messages(here.page.spool) if each.topic == topic]
