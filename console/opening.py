"""Opens what a console works with, from its settings and how the services are reached."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sonovan.console.feed import Feed
from sonovan.console.lags import Lags
from sonovan.console.pages.table import DOORS
from sonovan.console.phrases import ConsoleWords
from sonovan.console.sending import Sender
from sonovan.console.settings import ConsoleSettings
from sonovan.console.world import Console, now_ms
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.results import IntendedUse
from sonovan.reports.phrases import LANGUAGES
from sonovan.storage.audit import Audit
from sonovan.storage.catalogue.cine import erased_among
from sonovan.storage.catalogue.reading import Catalogue
from sonovan.storage.console.accounts import Accounts
from sonovan.storage.console.claims import Claims
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.read import Read
from sonovan.storage.console.sealing import Seal
from sonovan.storage.console.sessions import Sessions
from sonovan.storage.stores import ObjectStore
from sonovan.transport.lag import Lag, lags

_MINUTE_MS = 60_000
_AT_ONCE = 500


@contextmanager
def opened(
    settings: ConsoleSettings,
    *,
    state: Path,
    broker: Callable[[], BrokerSettings],
    images: ObjectStore,
    intended_use: IntendedUse = "research",
    clock: Callable[[], int] = now_ms,
    tell: Callable[[str], None] = print,
    measure: Callable[[], Sequence[Lag]] | None = None,
) -> Iterator[Console]:
    """A console until the block ends. state: the folder in which the audit lies. measure: how far stages are behind
    their topics; by default the broker is asked.

    settings: with both databases and the key named. Raises Fatal where one is not, Transient where the console's
    database is away.
    """
    if settings.database_url is None or settings.catalogue_url is None or settings.key_file is None:
        raise Fatal("setting SONOVAN_CONSOLE_DATABASE_URL, …_CATALOGUE_URL and …_KEY_FILE: all are needed here")
    database, catalogue = ConsoleDatabase(settings.database_url), Catalogue(settings.catalogue_url)
    send, claims = Sender(broker), Claims(database, clock)
    behind = Lags(measure or (lambda: lags(broker())), lambda: datetime.fromtimestamp(clock() / 1000, UTC))
    try:
        database.prepare()
        try:
            forget_erased(catalogue, Read(database))
        except Transient as error:
            tell(f"what readers did in erased screenings is deleted at the next start: {error}")
        behind.start()
        idle_ms, longest_ms = round(settings.idle_min * _MINUTE_MS), round(settings.session_hours * 60 * _MINUTE_MS)
        yield Console(
            settings=settings,
            catalogue=catalogue,
            database=database,
            images=images,
            accounts=Accounts(database),
            seal=Seal(settings.key_file),
            sessions=Sessions(database, clock, idle_ms=idle_ms, longest_ms=longest_ms),
            claims=claims,
            feed=Feed(catalogue, claims, tell),
            lags=behind,
            send=send,
            audit=Audit(state),
            words={language: ConsoleWords(language) for language in LANGUAGES},
            doors=DOORS,
            intended_use=intended_use,
            clock=clock,
            tell=tell,
        )
    finally:
        behind.stop()
        send.close()
        database.close()
        catalogue.close()


def forget_erased(catalogue: Catalogue, read: Read) -> None:
    """Delete what readers looked at and drew in screenings that were erased. Raises Transient where either is away."""
    known = read.screenings()
    for first in range(0, len(known), _AT_ONCE):
        with catalogue.reading() as connection:
            erased = erased_among(connection, known[first : first + _AT_ONCE])
        for screening_id in erased:
            read.forget(screening_id)
