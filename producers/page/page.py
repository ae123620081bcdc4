"""The page of one van: what its handlers work with, and which of them answers which address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from sonovan.contracts.errors import Fatal, InvalidRecord, SonovanError, Transient
from sonovan.producers.gateway.composing import Clean
from sonovan.producers.gateway.gateway import Desk
from sonovan.producers.gateway.recording import Recorder
from sonovan.producers.gateway.settings import PageOptions
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.items import Signer
from sonovan.producers.page import (
    amend_pages,
    capture_pages,
    earlier_pages,
    held_pages,
    lights_pages,
    live_pages,
    operator_pages,
    register_pages,
    tray_pages,
)
from sonovan.producers.page.asked import Answer, Asked, Handler, Refused, go
from sonovan.producers.page.render import Speaks, rendered
from sonovan.producers.page.row_keys import RowKeys
from sonovan.producers.privacy.clean import Finder
from sonovan.producers.reporting import LinkSeen
from sonovan.producers.spool import Spool
from sonovan.producers.vault import Vault


def today() -> date:
    """The van's own day."""
    return datetime.now().astimezone().date()


@dataclass(frozen=True)
class Page:
    """What the handlers work with.

    key_of: gives the subject key of a person id, or of nobody. words: by language. clean: every picture of an
    object that waits goes through it. finder: finds the text in held frames. watch: sees what is composed. clock: the
    van's own day. recorder: records sweeps from the video output; None where van.toml has no capture. leaving: the
    keys of those who wait on the lights to be marked as left. link: what whoever uploads saw of it.
    """

    vault: Vault = field(repr=False)
    spool: Spool = field(repr=False)
    desk: Desk = field(repr=False)
    signer: Signer = field(repr=False)
    options: PageOptions
    key_of: Callable[[str | None], str] = field(repr=False)
    words: Mapping[str, Speaks] = field(repr=False)
    clean: Clean = field(repr=False)
    finder: Finder = field(repr=False)
    watch: Watch = field(repr=False)
    clock: Callable[[], date] = today
    recorder: Recorder | None = field(default=None, repr=False)
    leaving: RowKeys = field(default_factory=RowKeys, repr=False)
    link: LinkSeen = field(default_factory=LinkSeen, repr=False)

    def answer(self, handler: Handler, asked: Asked) -> Answer:
        """What a handler answers; whatever it refuses becomes a page that says so."""
        try:
            asked = replace(asked, operator=self.desk.duty.now)
            return handler(self, asked)
        except Refused as refused:
            return self.told(asked, refused.code, 400, **refused.figures)
        except InvalidRecord as error:
            return self.told(asked, "not_done", 400, detail=error.message)
        except Transient as error:
            return self.told(asked, "not_now", 503, detail=str(error))
        except (Fatal, SonovanError) as error:
            return self.told(asked, "broken", 500, detail=str(error))

    def told(self, asked: Asked, code: str, status: int, **figures: object) -> Answer:
        """A page with one sentence, `error_<code>`."""
        words = self.words[asked.language]
        return rendered("told.html", words, asked, status, sentence=words.van(f"error_{code}", **figures))


def home(page: Page, asked: Asked) -> Answer:
    """The first page of a day: the register."""
    return go("/register")


ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/", home),
    ("GET", "/register", register_pages.form),
    ("POST", "/register", register_pages.enter),
    ("GET", "/slip/{screening}", register_pages.slip),
    ("GET", "/held", held_pages.held),
    ("POST", "/held", held_pages.judge),
    ("GET", "/held/{sequence}/{index}/picture", held_pages.picture),
    ("GET", "/held/{sequence}/{index}/small", held_pages.small_picture),
    ("GET", "/tray", tray_pages.tray),
    ("GET", "/tray/{number}/picture", tray_pages.picture),
    ("POST", "/tray/{number}/assign", tray_pages.assign),
    ("POST", "/tray/{number}/discard", tray_pages.discard),
    ("POST", "/tray/given-up", tray_pages.give_up),
    ("GET", "/lights", lights_pages.lights),
    ("GET", "/operator", operator_pages.form),
    ("POST", "/operator", operator_pages.begin),
    ("GET", "/live", live_pages.choose),
    ("GET", "/live/{screening}", live_pages.live),
    ("POST", "/live/{screening}/tick", live_pages.tick),
    ("POST", "/live/{screening}/mark", live_pages.mark),
    ("POST", "/live/{screening}/close", live_pages.close),
    ("POST", "/live/{screening}/left", live_pages.left),
    ("POST", "/live/{screening}/capture", capture_pages.start),
    ("POST", "/live/{screening}/capture/stop", capture_pages.stop),
    ("GET", "/live/{screening}/preview/{number}", live_pages.preview),
    ("GET", "/live/{screening}/earlier/{number}", earlier_pages.picture),
    ("GET", "/amend", amend_pages.choose),
    ("GET", "/amend/{screening}", amend_pages.form),
    ("POST", "/amend/{screening}", amend_pages.amend),
)
"""By method and address, as aiohttp writes them. Ids in addresses are random; nothing of a woman stands in one."""
