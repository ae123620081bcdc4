"""`sonovan van amend`: put right what was sent, by a record with a reason; nothing that was sent is changed.

The rooms are imported inside the commands: `sonovan --help` stays quick.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonovan.cli.failures import Exit
from sonovan.cli.van_options import GiveUp, State, VanName
from sonovan.state import state_path

if TYPE_CHECKING:
    from sonovan.cli.van_open import OpenVan
    from sonovan.contracts.amendments import Amendment

app = typer.Typer(
    help="Put right what was sent: side, woman, consent, or a screening that does not count.", no_args_is_help=True
)

ScreeningId = Annotated[str, typer.Argument(metavar="SCREENING", help="The screening's id, as van send printed it.")]
By = Annotated[str | None, typer.Option("--by", help="Your code at this site, such as op-7; no name.")]


@app.command()
def side(
    screening_id: ScreeningId,
    to: Annotated[str, typer.Option("--to", help="The side that they show: left, right or isthmus.")],
    sequence: Annotated[
        list[str] | None, typer.Option("--sequence", help="A sweep's id; repeat (default: the only one there is).")
    ] = None,
    plan_too: Annotated[bool, typer.Option("--plan-too", help="The checklist named the wrong side as well.")] = False,
    because: Annotated[
        str, typer.Option(help="side_entered_wrong or side_labelled_wrong_by_scanner.")
    ] = "side_entered_wrong",
    by: By = None,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """These sweeps show another side than was said."""
    from sonovan.producers.amend import sweeps_of

    def amended(opened: "OpenVan") -> "Amendment":
        fields = {
            "kind": "side",
            "sequence_ids": sweeps_of(opened.spool, screening_id, sequence or []),
            "laterality": to,
        }
        return _amendment({**fields, "planned_too": plan_too}, "--to is left, right or isthmus; --sequence is an id")

    return _send(screening_id, amended, because, by, give_up_s, van, state)


@app.command()
def woman(
    screening_id: ScreeningId,
    person: Annotated[str, typer.Option(help="The right person's id; only a key made from it leaves the van.")],
    because: Annotated[str, typer.Option(help="two_slips or wrong_woman.")],
    slip: Annotated[str | None, typer.Option(help="The right slip's number; without it the report names none.")] = None,
    by: By = None,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """The screening is another woman's, or of one who had two slips: it joins the slip that is named here."""
    from sonovan.cli.van_send import slip_number
    from sonovan.producers.site import visit_key

    number = None if slip is None else slip_number(slip)

    def amended(opened: "OpenVan") -> "Amendment":
        key = visit_key(opened.vault, person)
        return _amendment({"kind": "woman", "subject_key": key, "slip_number": number}, "--person, --slip")

    return _send(screening_id, amended, because, by, give_up_s, van, state)


@app.command()
def void(
    screening_id: ScreeningId,
    because: Annotated[str, typer.Option(help="wrong_woman, no_screening, sent_twice or pictures_unusable.")],
    by: By = None,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """The screening does not count: nothing is said of it any more, and its alerts are withdrawn."""
    return _send(screening_id, lambda _: _amendment({"kind": "void"}, ""), because, by, give_up_s, van, state)


@app.command()
def consent(
    screening_id: ScreeningId,
    withdraw: Annotated[str, typer.Option(help="What she no longer agrees to, of screening,ai,research,sharing.")],
    because: Annotated[str, typer.Option(help="she_withdrew or consent_recorded_wrong.")] = "she_withdrew",
    by: By = None,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """She agrees to these uses no more. What the centre has stored is kept until it is erased there."""
    uses = [each.strip() for each in withdraw.split(",") if each.strip()]
    detail = f"--withdraw {withdraw!r}: say words of screening,ai,research,sharing, commas between"

    def amended(_opened: "OpenVan") -> "Amendment":
        return _amendment({"kind": "consent", "withdrawn": tuple(dict.fromkeys(uses))}, detail)

    return _send(screening_id, amended, because, by, give_up_s, van, state)


@app.command()
def undo(
    screening_id: ScreeningId,
    number: Annotated[int, typer.Option(min=1, help="The number of the amendment that was a mistake.")],
    by: By = None,
    give_up_s: GiveUp = None,
    van: VanName = None,
    state: State = None,
) -> int:
    """An earlier amendment was a mistake: it holds no longer, and both stay on record."""

    def amended(_opened: "OpenVan") -> "Amendment":
        fields = {"kind": "taken_back", "amendment_number": number}
        return _amendment(fields, "--number is that of an earlier amendment")

    return _send(screening_id, amended, "amended_by_mistake", by, give_up_s, van, state)


def _amendment(fields: dict[str, object], detail: str) -> "Amendment":
    """Raises InvalidRecord `option_invalid` with this detail for fields that make no amendment."""
    from pydantic import TypeAdapter, ValidationError

    from sonovan.contracts.amendments import Amendment
    from sonovan.contracts.errors import InvalidRecord

    try:
        made: Amendment = TypeAdapter(Amendment).validate_python(fields)
    except ValidationError:
        raise InvalidRecord("option_invalid", detail) from None
    return made


def _send(
    screening_id: str,
    amended: Callable[["OpenVan"], "Amendment"],
    because: str,
    by: str | None,
    give_up_s: float | None,
    van: str | None,
    state: Path | None,
) -> int:
    from sonovan.cli.van_open import open_van, the_van
    from sonovan.cli.van_send import deliver, say
    from sonovan.producers.amend import spool_amendment
    from sonovan.producers.spool import WITHHELD

    folder = state_path(state)
    with open_van(folder, the_van(folder, van)) as opened:
        spool = opened.spool
        item = spool_amendment(spool, opened.signer, screening_id, amended(opened), because, by=by)
        number = item.item_id.rpartition("/")[2]
        found = spool.status(screening_id)
        waiting, withheld = found.waiting - 1, found.counts[WITHHELD]
        if withheld:
            say(f"{withheld} records of this screening stay on the van: her consent to them is withdrawn")
        if waiting > 0:
            say(f"{waiting} records of this screening wait on the van and are sent as well")
        stored = deliver(opened, item, give_up_s, f"amendment {number}")
    if stored:
        typer.echo(f"screening {screening_id}: amendment {number} is stored; the report will say so on top")
    return int(Exit.DONE if stored else Exit.SOME_REJECTED)
