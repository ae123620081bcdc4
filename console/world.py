"""What the handlers of the console work with."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sonovan.console.doors import Door
from sonovan.console.feed import Feed
from sonovan.console.lags import Lags
from sonovan.console.measured import ConsoleMeasured
from sonovan.console.phrases import ConsoleWords
from sonovan.console.remembered import Remembered
from sonovan.console.settings import ConsoleSettings
from sonovan.contracts.record import Record
from sonovan.contracts.results import IntendedUse
from sonovan.storage.audit import Audit
from sonovan.storage.catalogue.queues import Policy
from sonovan.storage.catalogue.reading import Catalogue
from sonovan.storage.console.accounts import Accounts
from sonovan.storage.console.claims import Claims
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.sealing import Seal
from sonovan.storage.console.sessions import Sessions
from sonovan.storage.stores import ObjectStore


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Console:
    """What the handlers of the console work with.

    catalogue: reads results. database: the console's own tables. seal: closes what must not be read in them. images:
    the object store, by the rights of the account `console`. claims: who reads which screening now. feed: what changes
    in the worklist. lags: how far stages are behind their topics. send: publishes a record of a topic that the console
    writes, and returns when Kafka has it (raises Transient, Fatal, InvalidRecord). audit: notes who did what. words: by
    language. doors: every row of the table. remembered: answers that several people ask for at once. measured: what is
    counted for Prometheus. clock: ms since 1970. tell: takes a line for the log, in which nobody is named.
    """

    settings: ConsoleSettings
    catalogue: Catalogue = field(repr=False)
    database: ConsoleDatabase = field(repr=False)
    images: ObjectStore = field(repr=False)
    accounts: Accounts = field(repr=False)
    seal: Seal = field(repr=False)
    sessions: Sessions = field(repr=False)
    claims: Claims = field(repr=False)
    feed: Feed = field(repr=False)
    lags: Lags = field(repr=False)
    send: Callable[[Record], None] = field(repr=False)
    audit: Audit = field(repr=False)
    words: Mapping[str, ConsoleWords] = field(repr=False)
    doors: tuple[Door, ...] = field(repr=False)
    remembered: Remembered = field(default_factory=Remembered, repr=False)
    measured: ConsoleMeasured = field(default_factory=ConsoleMeasured, repr=False)
    intended_use: IntendedUse = "research"
    clock: Callable[[], int] = now_ms
    tell: Callable[[str], None] = field(default=print, repr=False)

    @property
    def trouble(self) -> str | None:
        """Why accounts cannot be looked up now; None where they can. The catalogue may come later: pages say so."""
        try:
            with self.database.begun():
                return None
        except Exception as error:
            return f"accounts: {type(error).__name__}"

    @property
    def policy(self) -> Policy:
        """What the programme sets of the worklist."""
        told = self.settings
        return Policy(
            suspicious_from=told.suspicious_from,
            negatives_share=told.negatives_share,
            overdue_after=timedelta(hours=told.overdue_h),
            couch_at_most=timedelta(hours=told.couch_h),
            second_reader=told.second_reader,
            arbitration=told.arbitration,
        )

    @property
    def invites_months(self) -> dict[str, int]:
        """Organ → after how many months the programme invites again; without those for which it says nothing."""
        told = {"breast": self.settings.invite_breast_months, "thyroid": self.settings.invite_thyroid_months}
        return {organ: months for organ, months in told.items() if months is not None}

    @property
    def now(self) -> datetime:
        """The clock as a moment, UTC."""
        return datetime.fromtimestamp(self.clock() / 1000, UTC)

    @property
    def shows_categories(self) -> bool:
        """Whether outputs show categories, advice and malignancy (decision_support alone)."""
        return self.intended_use == "decision_support"


Theme = Literal["auto", "light", "dark"]
