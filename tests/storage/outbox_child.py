"""Another worker on the same outbox: `python -m tests.storage.outbox_child VERB URL`; waits for a line to begin."""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sonovan.contracts.errors import Transient
from sonovan.storage.outbox import Decide, Message, Outbox
from tests.storage.scene import NOON, RECIPIENTS, deciding, version_of

SOURCES = 10
VERSIONS = 4
SHARED = "shared"


def take_all(outbox: Outbox) -> int:
    """Every version of every source in order, beside another worker; how often it had to try again."""
    refused = 0
    for source in range(SOURCES):
        for number in range(1, VERSIONS + 1):
            decide = deciding(source, "raised" if number % 2 else "withdrawn")
            refused += _take(outbox, source, number, decide)
    return refused


def raise_shared(outbox: Outbox, sources: Sequence[int]) -> int:
    """One version of each source, all of which raise the thread-of-one scope that they share."""
    return sum(_take(outbox, source, 1, deciding(source, "raised", SHARED), SHARED) for source in sources)


def _take(outbox: Outbox, source: int, number: int, decide: Decide, *scopes: str) -> int:
    refused = 0
    while True:
        try:
            outbox.take(version_of(source, number, *scopes), decide, NOON)
            return refused
        except Transient:
            refused += 1


def claim_all(outbox: Outbox) -> list[str]:
    """The keys of everything that could be claimed and was delivered."""
    keys: list[str] = []
    misses = 0
    while misses < 20:
        try:
            batch = outbox.claim(RECIPIENTS[0], NOON, timedelta(minutes=1), limit=2)
        except Transient:
            continue
        misses = 0 if batch else misses + 1
        for each in batch:
            outbox.delivered(each.key, NOON)
        keys += [each.key for each in batch]
    return keys


def main(verb: str, url: str) -> None:
    """take: all versions; shared: the sources' shared thread; claim: everything due. Others wait to be killed: while
    they decide, after a take (taken), after a claim (hold), after a note of a delivery (noted) or a postponement.
    """

    def hold() -> None:
        print("holding", flush=True)
        sys.stdin.readline()

    outbox = Outbox(url)
    print("ready", flush=True)
    sys.stdin.readline()
    version, decide = version_of(0, 1), deciding(0, "raised")
    if verb == "take":
        take_all(outbox)
    elif verb == "shared":
        raise_shared(outbox, range(SOURCES, 2 * SOURCES))
    elif verb == "claim":
        print("\n".join(claim_all(outbox)), flush=True)
    elif verb == "decide":

        def decide_slowly(known: Mapping[str, bytes]) -> Sequence[Message]:
            hold()
            return decide(known)

        outbox.take(version, decide_slowly, NOON)
    else:
        outbox.take(version, decide, NOON)
        if verb != "taken":
            (claimed,) = outbox.claim(RECIPIENTS[0], NOON, timedelta(minutes=1))
            if verb == "noted":
                outbox.delivered(claimed.key, NOON)
            elif verb == "postponed":
                outbox.postpone(claimed.key, NOON + timedelta(seconds=5))
        hold()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
