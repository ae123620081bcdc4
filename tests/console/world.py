"""A console that runs: the real application on loopback, on real SQLite, with a folder for objects and a real audit.

Other tests take the fixture `console` of `tests/console/conftest.py`, and fill the catalogue by `catalogue_of`.
"""

import csv
import http.client
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert

from sonovan.console import passwords
from sonovan.console.doors import Door, checked
from sonovan.console.opening import opened
from sonovan.console.serving import serving
from sonovan.console.settings import ConsoleSettings
from sonovan.console.world import Console
from sonovan.contracts.errors import Transient
from sonovan.contracts.record import Record
from sonovan.contracts.results import IntendedUse
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.tables_sent import OPENING
from sonovan.storage.console.accounts import Account
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.transport.lag import Lag

PASSWORD = "correct horse battery staple"
_HASH = passwords.hashed(PASSWORD)

HER = "01930000-0000-7000-8000-000000000001"
HERS = "01930000-0000-7000-8000-000000000002"
"""Two screenings of the fixture's catalogue: the first at the site `north`, the second at `south`."""


@dataclass
class Clock:
    """A time that tests move. Milliseconds since 1970."""

    now_ms: int = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now_ms

    def forward(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.now_ms += round(minutes * 60_000 + seconds * 1000)


@dataclass
class Answer:
    """What came back. `text` is the body as text."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def table(self) -> list[dict[str, str]]:
        """The rows of a CSV file by the names of its columns, before which stands a mark for spreadsheets."""
        return list(csv.DictReader(io.StringIO(self.body.decode("utf-8-sig"))))


@dataclass
class Browser:
    """Speaks HTTP as a browser does: keeps cookies, sends its origin, follows nothing by itself."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request. headers with the value "" are left out."""
        sent = {"Host": f"{self.host}:{self.port}", "Origin": f"http://{self.host}:{self.port}"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "GET":
            del sent["Origin"]
        sent = {name: value for name, value in {**sent, **(headers or {})}.items() if value}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {**sent, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self._keep(value)
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def first(self, path: str) -> int:
        """The status of a GET, without waiting for the end of what it streams."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request("GET", path, headers={"Host": f"{self.host}:{self.port}", "Cookie": cookies})
            return connection.getresponse().status
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """GET, as somebody who follows a link; headers by name, with _ for -."""
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, form: Mapping[str, str] | Sequence[tuple[str, str]] = (), token: str = "") -> Answer:
        """POST a form; with the session's token where one is given or was seen."""
        fields = [*(form.items() if isinstance(form, Mapping) else form), ("token", token or self.token)]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(fields).encode(), kind)

    @property
    def token(self) -> str:
        """What the pages of this session send back; empty without one."""
        found = re.search(r'<meta name="token" content="([0-9a-f]+)">', self.get("/account").text)
        found = found or re.search(r'<meta name="token" content="([0-9a-f]+)">', self.get("/").text)
        return "" if found is None else found[1]

    def log_in(self, account: str, password: str = PASSWORD) -> Answer:
        """Give account and password."""
        fields = urlencode({"account": account, "password": password, "to": "/"}).encode()
        return self.ask("POST", "/login", fields, {"Content-Type": "application/x-www-form-urlencoded"})

    def _keep(self, cookie: str) -> None:
        name, _, rest = cookie.partition("=")
        value = rest.partition(";")[0].strip('"')
        if value and "max-age=0" not in cookie.lower():
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)


@dataclass
class Running:
    """A console that answers at `port`. sent: what it published. told: its log."""

    console: Console
    port: int
    clock: Clock
    state: Path
    sent: list[Record]
    told: list[str]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def images(self) -> FolderStore:
        """Where its objects are; tests put pictures there."""
        assert isinstance(self.console.images, FolderStore)
        return self.console.images

    def person(self, code: str, *roles: str, sites: Sequence[str] | None = None) -> Account:
        """An account that needs nothing but PASSWORD, made where there is none yet."""
        found = self.console.accounts.get(code)
        if found is None:
            within = None if sites is None else frozenset(sites)
            found = Account(code, frozenset(roles), within, _HASH, must_change=False)
            self.console.accounts.add(found)
        return found

    def browser(self, code: str | None = None, *roles: str, sites: Sequence[str] | None = None) -> Browser:
        """A browser of its own; logged in where a person is named."""
        made = Browser(self.port)
        if code is not None:
            self.person(code, *roles, sites=sites)
            assert made.log_in(code).status == 303
        return made

    def secret(self, code: str, *roles: str, sites: Sequence[str] | None = None) -> str:
        """The secret of a session of this person: the cookie `console` of a browser (`Tab.run` cannot set it)."""
        self.person(code, *roles, sites=sites)
        return self.console.sessions.begin(code, proven=True)

    def acts(self) -> list[dict[str, Any]]:
        """Every line of the audit."""
        return list(self.console.audit.acts())


def catalogue_of(folder: Path, rows: Callable[[Any], None] = lambda connection: None) -> str:
    """The URL of a catalogue in this folder with two openings, and what `rows` writes on a connection."""
    url = sqlite_url(folder / "catalog.sqlite")
    database = open_database(url)
    try:
        database.prepare()
        with database.writing() as connection:
            for her, site, slip in ((HER, "north", "000017"), (HERS, "south", "000025")):
                connection.execute(
                    insert(OPENING).values(
                        screening_id=her,
                        van_id="van-1",
                        subject_key="0" * 64,
                        slip_number=slip,
                        site_code=site,
                        opened_at="2026-09-21T08:00:00.000Z",
                        consent_screening=True,
                        consent_ai=True,
                        consent_research=False,
                        consent_sharing=False,
                        planned="[]",
                        at_ms=0,
                        at_partition=0,
                        at_offset=0,
                    )
                )
            rows(connection)
    finally:
        database.close()
    return url


@contextmanager
def running(
    folder: Path,
    *,
    more: Sequence[Door] = (),
    rows: Callable[[Any], None] = lambda connection: None,
    send: Callable[[Record], None] | None = None,
    measure: Callable[[], Sequence[Lag]] | None = None,
    clock: Clock | None = None,
    intended_use: IntendedUse = "decision_support",
    **settings: Any,
) -> Iterator[Running]:
    """A console with files in `folder`, until the block ends. more: doors beside those of the table. rows: fills the
    catalogue. send: in place of a list. measure: how far stages are behind; by default nobody tells. clock: one that
    begins at another time. settings: of ConsoleSettings."""
    clock, sent, told = clock or Clock(), list[Record](), list[str]()
    chosen = ConsoleSettings.model_construct(
        **{
            **ConsoleSettings.model_construct().model_dump(),
            "second_factor": "nobody",
            **settings,
            "catalogue_url": catalogue_of(folder, rows),
            "database_url": sqlite_url(folder / "console.sqlite"),
            "key_file": folder / "seal.key",
        }
    )

    def no_broker() -> Any:
        raise Transient("no broker runs beside this console")

    with opened(
        chosen,
        state=folder,
        broker=no_broker,
        images=FolderStore(folder / "objects"),
        intended_use=intended_use,
        clock=clock,
        tell=told.append,
        measure=measure,
    ) as made:
        made = replace(made, send=send or sent.append, doors=checked((*made.doors, *more)))
        with serving(made) as port:
            yield Running(made, port, clock, folder, sent, told)
