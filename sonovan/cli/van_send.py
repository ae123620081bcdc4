"""What `sonovan van send` and `simulate` do once they know what to send: spool, upload, tell."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import typer
from pydantic import TypeAdapter, ValidationError
from tqdm import tqdm

from sonovan.cli.failures import Exit
from sonovan.cli.van_open import OpenVan, open_van
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.van import Consent
from sonovan.contracts.words import SiteCode, SlipNumber
from sonovan.producers.gateway.closing import close_as_told
from sonovan.producers.gateway.duty import operator_code
from sonovan.producers.gateway.settings import read_options
from sonovan.producers.items import Item, Visit
from sonovan.producers.screening import Composed, Screening, compose_sequence
from sonovan.producers.sources import Source
from sonovan.producers.sources.origin import name_of
from sonovan.producers.spool import HELD, QUEUED, SENT, STORED, Spool
from sonovan.producers.upload import Uploader, all_sent, all_settled, reported
from sonovan.producers.vault import Vault
from sonovan.reports.words import Words

WAIT_GIVE_UP_S: Final = 300.0
SEND_GIVE_UP_S: Final = 30.0

_USES: Final = {
    "screening": "the screening",
    "ai": "a machine that reads the pictures",
    "research": "research with them",
    "sharing": "sharing them with others",
}
_SITE: Final[TypeAdapter[str]] = TypeAdapter(SiteCode)
_SLIP: Final[TypeAdapter[str]] = TypeAdapter(SlipNumber)


def say(line: str) -> None:
    """One line to the person who typed the command."""
    typer.echo(" ".join(line.split()), err=True)


def send_screening(
    folder: Path,
    van_id: str,
    sources: Sequence[Source],
    visit: Callable[[Vault], Visit] | None,
    refused: list[InvalidRecord],
    screening_id: str,
    wait: bool,
    as_json: bool,
    give_up_s: float | None,
    operator: str | None = None,
) -> int:
    """Spool, upload, print; the exit code.

    visit: makes the visit once the van's vault is open; None goes on with a screening that the spool has. operator: the
    code of who scanned. Raises InvalidRecord `option_invalid` for what is none, or where van.toml asks for one.
    """
    scanned_by = None if operator is None else operator_code(operator)
    with open_van(folder, van_id) as opened:
        require_operator(opened, scanned_by)
        spool, uploader, signer = opened.spool, opened.uploader, opened.signer
        close: Callable[[Screening], Composed] = Screening.close
        if visit is None:
            screening = spool.resume_screening(screening_id, signer)
            close = partial(close_as_told, opened.vault, spool)
        else:
            screening = spool.open_screening(visit(opened.vault), signer, sources, screening_id=screening_id)
        composed = _compose(screening, sources, scanned_by, close)
        for trouble in composed.refused:
            say(trouble.message)
        refused = [*refused, *composed.refused]
        if not composed.sequences:
            return int(Exit.USAGE)
        code = _upload(spool, uploader, composed, wait, give_up_s)
        rejected = spool.rejected(screening_id)
        for item in rejected:
            say(f"{item.item_id}: rejected by the centre: {item.reason}{' (may be retried)' if item.retryable else ''}")
        typer.echo(_told(spool, van_id, composed, refused, as_json))
        return code or int(Exit.SOME_REJECTED if refused or rejected else Exit.DONE)


def require_operator(opened: OpenVan, operator: str | None) -> None:
    """Raises InvalidRecord `option_invalid` where the van's settings ask for who scans and nobody said so."""
    if operator is None and read_options(opened.vault.folder, None).page.operator_required:
        raise InvalidRecord("option_invalid", "--operator: van.toml asks for who scanned, a code such as op-7")


def _compose(
    screening: Screening,
    sources: Sequence[Source],
    operator: str | None,
    close: Callable[[Screening], Composed],
) -> Composed:
    """Read every source into the screening and `close` it. What was read before an error is kept, and said to be."""
    known = [source.frame_count for source in sources]
    total = sum(count or 0 for count in known) if None not in known else None
    seen: Counter[str] = Counter()
    try:
        with tqdm(total=total, unit="frame", desc="reading", leave=False, disable=None) as bar:
            for source in sources:
                path = name_of(source.path)
                seen[path] += 1
                origin = f"{path}#{seen[path]}"
                compose_sequence(screening, source, mint_id(), bar.update, origin, operator)
            return close(screening)
    except BaseException:
        name = screening.screening_id
        say(f"screening {name} is unfinished, what was read is kept: go on with van send FILES --into {name}")
        raise


def _upload(spool: Spool, uploader: Uploader, composed: Composed, wait: bool, give_up_s: float | None) -> int:
    screening_id = composed.screening_id
    patience_s = give_up_s or (WAIT_GIVE_UP_S if wait else SEND_GIVE_UP_S)
    until: Callable[[], bool] = lambda: all_sent(spool, screening_id)  # noqa: E731
    if wait:
        until = lambda: reported(spool, screening_id)  # noqa: E731
    at_first = spool.status(screening_id)
    with tqdm(total=sum(at_first.counts.values()), unit="item", desc="uploading", leave=False, disable=None) as bar:

        def show(_status: object) -> None:
            counts = spool.status(screening_id).counts
            bar.update(counts[STORED] + (0 if wait else counts[SENT]) - bar.n)

        try:
            uploader.run(
                until,
                give_up_s=patience_s,
                progress=show,
                waiting=queueing,
                troubled=lambda why: no_answer(why, patience_s),
            )
        except Transient as error:
            say(f"{error}; nothing is lost, try again: sonovan van spool retry")
            return int(Exit.UNAVAILABLE)
    return int(Exit.DONE)


def _told(spool: Spool, van_id: str, composed: Composed, refused: Sequence[InvalidRecord], as_json: bool) -> str:
    """What the person learns: of the report, if there is one, else of the spool."""
    screening_id = composed.screening_id
    status, report = spool.status(screening_id), spool.report(screening_id)
    if as_json:
        document = {
            "screening_id": screening_id,
            "van_id": van_id,
            "sequences": [
                {
                    "sequence_id": sequence.sequence_id,
                    "frames": sequence.frames,
                    "set_aside": [aside.model_dump() for aside in sequence.set_aside],
                }
                for sequence in composed.sequences
            ],
            "items": dict(status.counts),
            "rejected": [
                {"item_id": item.item_id, "reason": item.reason, "retryable": item.retryable}
                for item in spool.rejected(screening_id)
            ],
            "refused": [{"reason": error.reason, "message": error.message} for error in refused],
            "status": report.status if report else None,
            "revision_id": report.revision_id if report else None,
            "revision_number": report.revision_number if report else None,
            "findings": report.findings if report else None,
            "signed": False,
        }
        return json.dumps(document)
    counted = Words().counted
    frames = sum(sequence.frames for sequence in composed.sequences)
    head = f"screening {screening_id}: {counted(len(composed.sequences), 'sequence')}, {counted(frames, 'frame')}"
    if report is None:
        return f"{head}; {status.counts[QUEUED]} items queued, {status.counts[SENT]} sent, {status.counts[HELD]} held"
    what = f"{report.status}, revision {report.revision_number}"
    if report.findings is not None:
        what += f", {counted(report.findings, 'finding')}"
    return f"{head}; {what}; unsigned, not a result"


def deliver(van: OpenVan, item: Item, give_up_s: float | None, what: str) -> bool:
    """Upload until the centre has answered all of the item's screening; whether it stored the item.

    what: the item, in a message. Raises Transient where the centre does not answer; the item is kept then.
    """
    patience_s = give_up_s or SEND_GIVE_UP_S
    try:
        van.uploader.run(
            lambda: all_settled(van.spool, item.screening_id),
            give_up_s=patience_s,
            waiting=queueing,
            troubled=lambda why: no_answer(why, patience_s),
        )
    except Transient as error:
        raise Transient(f"{error}; {what} is kept on the van, send it by: sonovan van spool retry") from None
    rejected = [each for each in van.spool.rejected(item.screening_id) if each.item_id == item.item_id]
    for each in rejected:
        say(f"{each.item_id}: rejected by the centre: {each.reason}")
    return not rejected


def site_code(word: str) -> str:
    """What was said as the site. Raises InvalidRecord `option_invalid`."""
    return _read("--site", _SITE, word, "say the site's number, such as site-1")


def slip_number(word: str) -> str:
    """What was said as the slip number; hyphens are left out. Raises InvalidRecord `option_invalid`."""
    detail = "it is not what a slip says: one or two letters, a number and its check character (sonovan van slips)"
    return _read("--slip", _SLIP, word.replace("-", "").upper(), detail)


def _read(option: str, kind: TypeAdapter[str], word: str, detail: str) -> str:
    try:
        return kind.validate_python(word)
    except ValidationError:
        raise InvalidRecord("option_invalid", f"{option}: {detail}") from None


def consent_given(said: str | None) -> Consent:
    """What she agreed to, as it was said, or asked for where somebody is there to answer. Nothing is assumed.

    Raises InvalidRecord `option_invalid` where nobody said and nobody can be asked, or for an unknown word;
    `consent_refused` where she did not agree to the screening and to a machine's reading.
    """
    uses = tuple(Consent.model_fields)
    if said is not None:
        agreed = {word for word in said.split(",") if word}
    elif sys.stdin.isatty():
        agreed = {use for use in uses if typer.confirm(f"Did she agree to {_USES[use]}?", default=False, err=True)}
    else:
        raise InvalidRecord("option_invalid", f"--consent: say what she agreed to, of {','.join(uses)}")
    if not agreed <= set(uses):
        raise InvalidRecord("option_invalid", f"--consent {said!r}: say words of {','.join(uses)}, commas between")
    consent = Consent.model_validate({use: use in agreed for use in uses})
    if not consent.to_analysis:
        raise InvalidRecord(
            "consent_refused", "nothing is sent: she must agree to the screening and to a machine's reading"
        )
    return consent


def no_answer(why: str, patience_s: float) -> None:
    """The centre is away; the upload goes on trying."""
    say(f"{why}; trying again for {patience_s:g} s, all is kept on the van")


def queueing() -> None:
    """Another process has the spool."""
    say("another command works on this spool: waiting for it")
