"""Signing a screening, and what was signed of it: its page, its PDF, and the woman's own page."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from sonovan.clinical.conclusions import counting, in_force, to_arbitrate
from sonovan.clinical.turn import turn_of
from sonovan.console.asked import Asked, Refused
from sonovan.console.comparing import name_of, still_holds
from sonovan.console.doors import Door, door
from sonovan.console.drafts import draft_of
from sonovan.console.her_page import Waits, since_read, why_no_page
from sonovan.console.key_pictures import key_pictures, own_pictures
from sonovan.console.pages.reading import reading_page, to_draw_now
from sonovan.console.render import go, page
from sonovan.console.roles import CLINICAL, Role
from sonovan.console.signing import changed_since, conclusion_of, content_of, digest_of, is_signed, rules_of, to_sign
from sonovan.console.signing_view import Told, live_of
from sonovan.console.stored_reports import report_of
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.reports.pdf import CannotPrint, render_pdf
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.signed import Standing, render_signed
from sonovan.reports.woman import Directions, directions_of, render_for_her
from sonovan.storage.catalogue.amended_since import amendments_beside
from sonovan.storage.catalogue.cine import cine_of
from sonovan.storage.catalogue.concluded import Reported, conclusions_of, reported
from sonovan.storage.console.on_their_way import OnTheirWay

if TYPE_CHECKING:
    from sonovan.console.world import Console

HTML: Final = "text/html; charset=utf-8"
PAGE_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""Of a report's own page, which has its style within and runs nothing."""


_OTHERWISE: Final = frozenset({"signed_otherwise", "sent_otherwise"})
"""Refusals after which the form has a fresh id: what it says is not what its id stands for."""


async def derive(console: "Console", asked: Asked) -> Response:
    """What the choices in the form come to, as JSON; nothing is kept."""

    def live() -> dict[str, object]:
        with console.catalogue.reading() as connection:
            cine = cine_of(connection, asked.path["screening_id"])
        return live_of(console, asked, asked.form, to_sign(console, asked.person, cine))

    return JSONResponse(await asyncio.to_thread(live))


async def sign(console: "Console", asked: Asked) -> Response:
    """Publish the conclusion; only then say that it is signed.

    409 with what has changed where a newer revision came, where the comparison with her earlier screening or the side
    of a finding of the reader's own is another one than was shown, where something else was sent under the form's id
    before, which may have arrived (the form then goes on under a fresh id), where somebody else holds the screening, or
    has signed it and the catalogue does not tell of it yet; 422 where something is still to be chosen, or something
    that does not fit was not read. Choices are kept in every case.
    """
    return await asyncio.to_thread(_sign, console, asked)


def _sign(console: "Console", asked: Asked) -> Response:
    screening_id, words = asked.path["screening_id"], console.words[asked.language]
    claims = console.claims
    claim = claims.take(screening_id, asked.person.code)
    try:
        if claim.account != asked.person.code:
            raise Refused("claimed", 409, holder=claim.account)
        with console.catalogue.reading() as connection:
            cine = cine_of(connection, screening_id)
        signing = to_sign(console, asked.person, cine)
        if signing.revision is None or signing.report is None or signing.revision.ended:
            raise Refused("nothing_to_sign", 409)
        name = asked.form.get("conclusion_id")
        stored = next((each for each in signing.conclusions if each.conclusion_id == name), None)
        if stored is not None:
            if not is_signed(console, asked, signing, stored):
                raise Refused("signed_otherwise", 409, number=stored.conclusion_number)
            claims.end(screening_id, asked.person.code)
            return go(f"/signed/{screening_id}")
        if asked.form.get("revision_id") != signing.revision.revision_id:
            read = next((each for each in signing.revisions if each.revision_id == asked.form.get("revision_id")), None)
            before = None if read is None else report_of(console, read)
            changed = tuple(changed_since(before, signing.report, words))
            return reading_page(console, asked, Told(words.say("error_newer"), changed, newer=True), 409)
        if asked.form.get("compared") != name_of(signing.comparison):
            raise Refused("compared_otherwise", 409)
        draft = draft_of(asked.form, signing.report, signing.sweeps)
        if any(each.what == "moved" for each in draft.lacking):
            raise Refused("own_moved", 409)
        made = conclusion_of(console, asked, signing, draft, claim.claim_id)
        known = [each.conclusion_id for each in signing.conclusions]
        on_their_way = OnTheirWay(console.database, console.clock)
        if (other := on_their_way.other(screening_id, asked.person.code, known)) is not None:
            raise Refused("on_its_way", 409, holder=other)
        if made.despite and asked.form.get("despite") != digest_of(made.despite):
            raise Refused("despite", 422)
        if not on_their_way.begin(screening_id, made.conclusion_id, asked.person.code, content_of(made)):
            raise Refused("sent_otherwise", 409)
        lost = on_their_way.not_told_of(screening_id, asked.person.code, [*known, made.conclusion_id])
        made = made.model_copy(update={"conclusion_number": made.conclusion_number + lost})
        console.send(made)
    except Refused as error:
        if error.code == "unreadable":
            raise
        told = Told(
            words.say(f"error_{error.code}", **error.figures),
            despite=error.code == "despite",
            fresh=error.code in _OTHERWISE,
        )
        return reading_page(console, asked, told, error.status)
    except Transient as error:
        console.tell(f"a conclusion was not sent: {error}")
        return reading_page(console, asked, Told(words.say("signing_sent_not")), 503)
    claims.end(screening_id, asked.person.code)
    return go(f"/signed/{screening_id}?number={made.conclusion_number}")


async def signed(console: "Console", asked: Asked) -> Response:
    """Every conclusion of a screening, which of them counts, and where its pages are."""
    hers = await asyncio.to_thread(_hers, console, asked)
    conclusions = hers.visible
    number = asked.query.get("number")
    counts = counting(conclusions)
    return page(
        console,
        asked,
        "signed.html",
        screening_id=asked.path["screening_id"],
        conclusions=conclusions,
        counts=None if counts is None else counts.conclusion_id,
        standing={each.conclusion_id for each in in_force(conclusions).values()},
        to_arbitrate=to_arbitrate(conclusions),
        no_page=hers.no_page,
        just=number if number.isdecimal() and len(number) < 6 else "",
        arrived=any(str(each.conclusion_number) == number for each in conclusions),
    )


async def signed_page(console: "Console", asked: Asked) -> Response:
    """One conclusion as its page, or as PDF at the address that ends so."""
    return await asyncio.to_thread(_signed_page, console, asked)


def _signed_page(console: "Console", asked: Asked) -> Response:
    language = _language(asked)
    with console.catalogue.reading() as connection:
        conclusions = _visible(console, asked, conclusions_of(connection, asked.path["screening_id"]))
        revisions = reported(connection, asked.path["screening_id"])
        made = next((each for each in conclusions if each.conclusion_id == asked.path["conclusion_id"]), None)
        amended = None if made is None else amendments_beside(connection, made.screening_id, made.revision_id)
    read = None if made is None else next((each for each in revisions if each.revision_id == made.revision_id), None)
    report = None if read is None else report_of(console, read)
    if made is None or read is None or report is None:
        raise Refused("missing", 404)
    newest, later = revisions[0], in_force(conclusions)[made.role]
    standing = Standing(
        before=next((each for each in conclusions if each.conclusion_id == made.amends), None),
        newest=None if newest.revision_id == made.revision_id else newest.revision_number,
        replaced_by=None if later.conclusion_id == made.conclusion_id else later.conclusion_number,
        to_arbitrate=to_arbitrate(conclusions),
        earlier=still_holds(console, made, report, asked.person),
        since=since_read(amended),
    )
    # Whoever has yet to draw blind is shown neither an outline here nor a frame on which another reader saw something.
    blind = bool(to_draw_now(console, asked))
    pictures = {} if blind else key_pictures(console, report, language)
    own = {} if blind else own_pictures(console, made, language)
    html = render_signed(report.model_dump(mode="json"), made, pictures, language, standing, own)
    return _shown(asked, html, "signed")


async def her_page(console: "Console", asked: Asked) -> Response:
    """The woman's own page of the conclusion that counts, or as PDF."""
    return await asyncio.to_thread(_her_page, console, asked)


def _her_page(console: "Console", asked: Asked) -> Response:
    language = _language(asked)
    hers = _hers(console, asked)
    if hers.no_page is not None or hers.counts is None:
        raise Refused(hers.no_page or "not_signed", 409)
    made = hers.counts
    read = next((each for each in hers.revisions if each.revision_id == made.revision_id), None)
    report = None if read is None else report_of(console, read)
    if report is None:  # it alone says which sides were planned: without it her page would be silent about one
        raise Refused("missing", 404)
    html = render_for_her(made, report, language, directions=_directions(console).get(language, Directions()))
    return _shown(asked, html, "woman")


@dataclass(frozen=True, slots=True)
class _Hers:
    """What there is of a screening for its pages.

    visible: the conclusions that whoever asks may see; counts: that which counts of all. no_page: why her page is not
    given to her now.
    """

    visible: list[ScreeningConcluded]
    revisions: list[Reported]
    counts: ScreeningConcluded | None
    no_page: Waits | None


def _hers(console: "Console", asked: Asked) -> _Hers:
    screening_id = asked.path["screening_id"]
    with console.catalogue.reading() as connection:
        conclusions, revisions = conclusions_of(connection, screening_id), reported(connection, screening_id)
        counts = counting(conclusions)
        amended = None if counts is None else amendments_beside(connection, screening_id, counts.revision_id)
    visible = _visible(console, asked, conclusions)
    no_page = why_no_page(visible, conclusions, revisions, since_read(amended), rules_of(console))
    return _Hers(visible, revisions, counts, no_page)


def _shown(asked: Asked, html: bytes, name: str) -> Response:
    if not asked.here.endswith(".pdf"):
        return Response(html, media_type=HTML, headers={"Content-Security-Policy": PAGE_POLICY})
    try:
        printed = render_pdf(html)
    except CannotPrint as error:
        raise Refused("no_picture_of_it", 503, detail=str(error)) from None
    return Response(
        printed, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'}
    )


def _directions(console: "Console") -> dict[Language, Directions]:
    path = console.settings.directions_file
    if path is None:
        return {}
    try:
        return directions_of(path.read_text(encoding="utf-8"), path.name)
    except OSError:
        raise InvalidRecord("option_invalid", f"{path.name} cannot be read") from None


def _language(asked: Asked) -> Language:
    found = next((each for each in LANGUAGES if each == asked.path["language"].removesuffix(".pdf")), None)
    if found is None:
        raise Refused("missing", 404)
    return found


def _visible(console: "Console", asked: Asked, conclusions: list[ScreeningConcluded]) -> list[ScreeningConcluded]:
    """The conclusions that somebody may see: a second reader sees none before they have signed."""
    if Role.READER not in asked.person.roles:
        return conclusions
    turn = turn_of(conclusions, asked.person.code, rules_of(console))
    return conclusions if turn.why == "done" else list(turn.shown)


_OF_HER: Final = "/reading/{screening_id}"
_SIGNED: Final = "/signed/{screening_id}"

DOORS: Final[tuple[Door, ...]] = (
    door("POST", f"{_OF_HER}/derive", derive, roles={Role.READER}, audited="conclusion.tried", once=True),
    door("POST", f"{_OF_HER}/sign", sign, roles={Role.READER}, audited="screening.signed"),
    door("GET", _SIGNED, signed, roles=CLINICAL, audited="conclusions.seen"),
    door(
        "GET",
        f"{_SIGNED}/{{conclusion_id}}/page/{{language}}",
        signed_page,
        roles=CLINICAL,
        audited="conclusion.opened",
    ),
    door("GET", f"{_SIGNED}/woman/{{language}}", her_page, roles=CLINICAL, audited="womans_page.opened"),
)
