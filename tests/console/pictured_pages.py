"""Which page of the console has which picture in README.md, and which addresses have none and why."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from tests.clinical.records import VAN
from tests.console.pictured import BY_VAN, CANDIDATE, OPEN, SCANNER
from tests.console.signing_scene import LEFT, SHE

FOLDER: Final = "docs/images/console"
HEADED: Final = "document.querySelector('main h1') !== null"
FRAMED: Final = "document.querySelector('[data-pane=one]')?.dataset.kind === 'whole'"


@dataclass(frozen=True)
class Pictured:
    """One page. name: of its picture. door: its row in the table of doors. place: its address; what stands in brackets
    is only known once the console runs. by: who looks. shows: what the picture shows, in README.md. ready: what holds
    once the page is there. plain: it is a document for printing, light alone, whose address names its language.
    speckled: an ultrasound picture, which takes many bytes, is on it.
    """

    name: str
    door: str
    place: str
    by: str
    shows: str
    ready: str = HEADED
    plain: bool = False
    speckled: bool = False


_READING: Final = "/reading/{screening_id}"
_SIGNED: Final = "/signed/{screening_id}"

BEFORE: Final = (
    Pictured("login", "/login", "/login", "", "Where a person logs in"),
    Pictured(
        "invited", "/invited/{secret}", "/invited/{secret}", "",
        "Where a new person chooses a password by a link",
    ),
    Pictured("home", "/", "/", "dr-1", "The start, with what an account may open"),
    Pictured("account", "/account", "/account", "dr-1", "A person's own account"),
    Pictured("password", "/password", "/password", "dr-1", "Where a person chooses another password"),
    Pictured("enrol", "/enrol", "/enrol", "dr-1", "Where a person sets up a second factor"),
    Pictured("code", "/code", "/code", "dr-1", "Where a person shows the second factor"),
    Pictured(
        "worklist", "/worklist", "/worklist?queue=waiting", "dr-1",
        "The worklist: all that wait for a reader, the most suspicious first",
        ready="document.querySelectorAll('#rows tr').length > 5 && document.querySelector('#live').textContent",
    ),
    Pictured(
        "worklist-second", "/worklist", "/worklist?queue=second", "dr-1",
        "The queue of what another reader reads as well, and of two readings that differ",
        ready="document.querySelector('#rows tr') !== null && document.querySelector('#live').textContent",
    ),
    Pictured(
        "reading", _READING, f"/reading/{SHE}", "dr-1",
        "Reading: what she said, the sweep, and the conclusion beside it", ready=FRAMED, speckled=True,
    ),
    Pictured(
        "signing", _READING, f"/reading/{SHE}", "dr-1",
        "Concluding: the reader's words for a lesion, what they come to, and what the rule recommends",
        ready=FRAMED, speckled=True,
    ),
    Pictured("alerts", "/alerts", "/alerts", "op-7", "Alerts that stand, and what may be done about each"),
)  # fmt: skip
"""Pages before anything is signed of the sweep. Who comes first looks first."""

AFTER: Final = (
    Pictured("signed", _SIGNED, f"/signed/{SHE}", "dr-1", "What two readers signed of a screening"),
    Pictured(
        "signed-report", f"{_SIGNED}/{{conclusion_id}}/page/{{language}}",
        f"/signed/{SHE}/{{conclusion}}/page/{{language}}", "dr-1", "The signed report of a screening", plain=True,
    ),
    Pictured(
        "her-page", f"{_SIGNED}/woman/{{language}}", f"/signed/{SHE}/woman/{{language}}", "dr-1",
        "The page for the woman herself", plain=True,
    ),
    Pictured("call-back", "/call-back", "/call-back", "op-7", "Who is to be called back, and how it went so far"),
    Pictured(
        "outcomes", "/outcomes/{screening_id}", "/outcomes/{called}", "op-7",
        "What became of a woman, and the form for more",
    ),
    Pictured(
        "yesterday", "/yesterday", "/yesterday", "op-7",
        "The operator's morning: what became of yesterday's women",
    ),
    Pictured(
        "statistics", "/statistics", "/statistics", "ld-1",
        "Figures of the programme by van, participation, and how each van and operator screens",
    ),
    Pictured(
        "statistics-rows", "/statistics/rows", "/statistics/rows?figure=recalled", "ld-1",
        "The screenings behind a figure",
    ),
    Pictured("due", "/statistics/due", "/statistics/due", "ld-1", "Who is due again, as a reader asked and as usual"),
    Pictured(
        "sides", "/statistics/sides", f"/statistics/sides?van={VAN}&organ=breast", "ld-1",
        "The sides that a van scanned, those seen least well first",
    ),
    Pictured(
        "quality", "/quality", "/quality", "ld-1",
        "Quality: agreement with blind readers as plots and rows, frames to look at",
    ),
    Pictured(
        "quality-windows", "/quality/of", f"/quality/of?stratum={quote(SCANNER.name, safe='')}", "ld-1",
        "What drifts of one scanner, over windows",
    ),
    Pictured(
        "quality-cases", "/quality/of", f"/quality/of?stratum={quote(BY_VAN.name, safe='')}", "ld-1",
        "The cases behind a van's agreement with blind readers",
    ),
    Pictured(
        "models", "/models", "/models", "ld-1",
        "Networks: which counts for how many screenings, and which is a shadow",
    ),
    Pictured(
        "shadow", "/models/shadow", f"/models/shadow?fingerprint={CANDIDATE}", "ld-1",
        "A shadow network beside the one that counts, and the frames that differ most",
    ),
    Pictured(
        "shadow-frame", "/models/shadow/{screening_id}/{sequence_id}/{frame_index}",
        f"/models/shadow/{SHE}/{LEFT.sequence_id}/000006?fingerprint={CANDIDATE}", "ld-1",
        "One frame as both networks outline it",
        ready="[...document.images].length === 2 && [...document.images].every((each) => each.complete)",
        speckled=True,
    ),
    Pictured(
        "fleet", "/fleet", "/fleet", "en-1",
        "Vans: when each was heard, what waits on it, its disk, clock and link",
    ),
    Pictured(
        "rejected", "/rejected", "/rejected?reason=van_unknown", "en-1",
        "Rejected records by reason and one by one",
    ),
    Pictured(
        "rejection", "/rejected/{rejection_id}", f"/rejected/{OPEN.rejection_id}", "en-1",
        "One rejected record, to be sent again or discarded",
    ),
    Pictured("lag", "/lag", "/lag", "en-1", "How far each stage is behind each topic, as plots and rows"),
    Pictured("people", "/people", "/people", "adm-1", "Accounts, their roles and sites, and the form for a new one"),
    Pictured(
        "person", "/people/{code}", "/people/dr-2", "adm-1",
        "One account, and what an administrator may change of it",
    ),
    Pictured("audit", "/audit", "/audit", "aud-1", "The audit: who did what, and whether its chain holds"),
)  # fmt: skip

PAGES: Final = (*BEFORE, *AFTER)

NO_PICTURE: Final = {
    "/worklist/counts": "figures for a page that is open",
    "/worklist/events": "a stream of events for a page that is open",
    f"{_READING}/drawn": "a reader's masks for the page of reading",
    f"{_READING}/earlier": "the earlier visit's sweeps for the page of reading",
    f"{_READING}/pictures/{{sequence_id}}": "frames for the page of reading",
    f"{_READING}/outlines/{{sequence_id}}": "the machine's masks for the page of reading",
    f"{_READING}/machine": "tracks for the timeline of the page of reading",
    f"{_READING}/picture/{{sequence_id}}/{{frame_index}}": "one frame without loss for the page of reading",
    "/models/shadow/{screening_id}/{sequence_id}/{frame_index}/picture": "a picture of the page of one frame",
    "/oidc/start": "leads to the provider of logins",
    "/oidc/back": "where the provider of logins leads back to; it shows no page of its own",
    "/oidc/end": "leads to the provider of logins",
}
"""Addresses that a browser asks for by GET and that are no page for a person to look at."""
