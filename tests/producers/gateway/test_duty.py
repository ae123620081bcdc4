"""Who scans, from when on: the newest word before a moment holds, also where the laptop's clock was set back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.gateway.duty import Duty
from sonovan.producers.gateway.tables import open_tables
from tests.producers.visits import vault_at


class Clock:
    """Seconds that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def duty(tmp_path: Path, clock: Clock) -> Iterator[Duty]:
    vault, tables = vault_at(tmp_path), open_tables(tmp_path)
    yield Duty(tables, vault, clock)
    tables.close()


def test_each_moment_is_of_whoever_was_named_last_before_it(duty: Duty, clock: Clock) -> None:
    assert duty.now is None
    for now, operator in ((1000.0, "op-7"), (2000.0, "op-8"), (3000.0, "op-8"), (4000.0, "op-7")):
        clock.now = now
        duty.begin(operator)
    assert [duty.at(each) for each in (999.0, 1000.0, 1999.0, 2000.0, 3999.0, 4000.0)] == [
        None, "op-7", "op-7", "op-8", "op-8", "op-7",
    ]  # fmt: skip
    assert duty.known(9) == ["op-7", "op-8"]


def test_what_was_said_before_the_clock_was_set_back_takes_over_from_nobody_later(duty: Duty, clock: Clock) -> None:
    clock.now = 9000.0
    duty.begin("op-7")
    clock.now = 5000.0
    duty.begin("op-8")
    assert (duty.now, duty.at(9500.0)) == ("op-8", "op-8")


@pytest.mark.parametrize("text", ["Wang Fang", "op 7", "wangfang-1", "op-12345", "7", ""])
def test_what_is_no_code_changes_nobody(duty: Duty, text: str) -> None:
    duty.begin("op-7")
    with pytest.raises(InvalidRecord, match="never by a name") as caught:
        duty.begin(text)
    assert "Wang" not in str(caught.value)
    assert duty.now == "op-7"


def test_nothing_of_a_code_lies_open_on_the_disk(duty: Duty, tmp_path: Path) -> None:
    duty.begin("op-4711")
    assert b"op-4711" not in b"".join(each.read_bytes() for each in tmp_path.glob("gateway.sqlite*"))
