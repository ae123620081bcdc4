"""Claims: one reader holds a screening, whoever asks at the same time; a lease ends what nobody renews."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from sonovan.contracts.ids import mint_id
from sonovan.storage.console.claims import LEASE_MS, Claim, Claims
from sonovan.storage.console.database import ConsoleDatabase

HERS = mint_id(1, bytes)
ROUNDS = 12


class Clock:
    """A time that tests move, ms since 1970."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def claims(console_database: ConsoleDatabase, clock: Clock) -> Claims:
    return Claims(console_database, clock)


@pytest.fixture
def others(console_url: str, console_database: ConsoleDatabase, clock: Clock) -> Iterator[Claims]:
    """Another console on the same database, with connections of its own."""
    second = ConsoleDatabase(console_url)
    yield Claims(second, clock)
    second.close()


def test_who_asks_second_is_told_who_holds_it(claims: Claims, others: Claims) -> None:
    mine = claims.take(HERS, "dr-1")
    assert others.take(HERS, "dr-2") == mine
    assert (mine.account, others.holds(HERS, "dr-2"), others.holds(HERS, "dr-1")) == ("dr-1", None, mine)
    assert (claims.mine("dr-1"), claims.mine("dr-2")) == ([HERS], [])


def test_of_two_who_claim_in_the_same_moment_one_gets_it(claims: Claims, others: Claims) -> None:
    barrier = Barrier(2)

    def ask(mine: Claims, account: str, her: str) -> Claim:
        barrier.wait()
        return mine.take(her, account)

    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            her = mint_id(number)
            one, other = pool.submit(ask, claims, "dr-1", her), pool.submit(ask, others, "dr-2", her)
            assert one.result(30) == other.result(30)


def test_a_claim_that_is_renewed_holds_and_one_that_is_not_ends(claims: Claims, others: Claims, clock: Clock) -> None:
    mine = claims.take(HERS, "dr-1")
    clock.now += LEASE_MS - 1
    assert claims.renew(mine)
    clock.now += LEASE_MS - 1
    assert others.take(HERS, "dr-2").account == "dr-1"
    clock.now += 1
    assert not claims.renew(mine), "a claim that has ended is not brought back: somebody may have read meanwhile"
    theirs = others.take(HERS, "dr-2")
    assert (theirs.account, theirs.claim_id != mine.claim_id, theirs.taken_from) == ("dr-2", True, None)
    assert not claims.renew(mine)


def test_a_reader_who_comes_back_keeps_the_claim(claims: Claims, clock: Clock) -> None:
    mine = claims.take(HERS, "dr-1")
    clock.now += 1000
    again = claims.take(HERS, "dr-1")
    assert (again.claim_id, again.since, again.until) == (mine.claim_id, mine.since, mine.until + 1000)


def test_what_is_given_back_or_signed_is_free_for_others(claims: Claims, others: Claims) -> None:
    claims.take(HERS, "dr-1")
    assert not others.end(HERS, "dr-2"), "nobody ends the claim of another"
    assert claims.end(HERS, "dr-1")
    assert not claims.end(HERS, "dr-1")
    assert others.take(HERS, "dr-2").account == "dr-2"


def test_a_lead_takes_over_and_whoever_held_it_no_longer_does(claims: Claims, others: Claims) -> None:
    mine = claims.take(HERS, "dr-1")
    taken = others.take_over(HERS, "lead-1")
    assert (taken.account, taken.taken_from) == ("lead-1", "dr-1")
    assert not claims.renew(mine)
    assert claims.holds(HERS, "dr-1") is None
    assert others.take(HERS, "lead-1") == taken


def test_claims_are_told_by_screening_and_ended_ones_are_not(claims: Claims, clock: Clock) -> None:
    another = mint_id(2)
    claims.take(HERS, "dr-1")
    clock.now += LEASE_MS // 2
    claims.take(another, "dr-2")
    assert set(claims.of([HERS, another, mint_id(3)])) == set(claims.all()) == {HERS, another}
    clock.now += LEASE_MS // 2
    assert set(claims.all()) == {another}
