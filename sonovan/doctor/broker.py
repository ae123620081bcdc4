"""The broker: accounts, topics, grants, and how far the apps are behind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.topics import PEOPLE, STAGES, TOPICS
from sonovan.doctor.line import Line, Lines
from sonovan.transport.admin import Administrator
from sonovan.transport.lag import Lag, lags

WAITS_TOO_LONG_S: Final = 300
"""As the fault `lag`: a record that has waited for longer is told of."""

_SHOWN: Final = 3
_MEND: Final = "sonovan topics create (after that sonovan topics check)"


def access(settings: BrokerSettings, expected: Iterable[str] = (*STAGES, *PEOPLE)) -> Lines:
    """Topics, accounts and grants of a broker. settings: of its admin. expected: accounts that must have a password."""
    with Administrator(settings) as administrator:
        yield topics_line(administrator.topics_astray(), len(administrator.plan()))
        yield from account_lines(expected, administrator.accounts(), administrator.access_astray())


def topics_line(astray: Sequence[str], planned: int) -> Line:
    """The line of all topics. astray: where they differ from the table, one text each."""
    if not astray:
        return Line("topics", "", f"{planned} topics, as the table has them")
    by_hand = any("partitions" in each or "not in the table" in each for each in astray)
    remedy = "docs/scale.md says what to do about partitions; delete what is nobody's by hand" if by_hand else _MEND
    return Line("topics", "", shortened(astray), remedy)


def account_lines(expected: Iterable[str], there: set[str], astray: Mapping[str, Sequence[str]]) -> Lines:
    """A line for each account. there: accounts that have a password. astray: where grants differ, by account."""
    for account in sorted({*map(str, expected), *astray}):
        if account not in there and account in map(str, expected):
            yield Line(
                "account", account, "the broker knows no password of it", "sonovan up (containers: the service setup)"
            )
        elif account in astray:
            yield Line("account", account, shortened(astray[account]), _MEND)
        else:
            yield Line("account", account, "has its password and the grants of the table")


def lag(settings: BrokerSettings, now_s: float) -> Lines:
    """A line for each stage. now_s: the broker's time, seconds since the epoch."""
    yield from lag_lines(lags(settings, round((now_s - WAITS_TOO_LONG_S) * 1000)))


def lag_lines(found: Iterable[Lag]) -> Lines:
    """A line for each stage that has committed anything in a topic of the table."""
    known = {row.name for row in TOPICS.values()}
    by_stage: dict[str, list[Lag]] = {}
    for each in found:
        if each.topic in known:
            by_stage.setdefault(each.stage.value, []).append(each)
    for stage, topics in sorted(by_stage.items()):
        late = [f"{each.waiting} of {each.topic}" for each in topics if each.waiting]
        told = f"{sum(each.behind for each in topics)} records behind"
        if late:
            told += f", longer than {WAITS_TOO_LONG_S} s: {shortened(late)}"
        remedy = "docs/runbook.md#lag: is a worker of the stage down, waiting, or alone with too much?"
        yield Line("lag", stage, told, remedy if late else "")


def shortened(told: Sequence[str]) -> str:
    """The first few of several texts, and how many more there are."""
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "; ".join(told[:_SHOWN]) + more
