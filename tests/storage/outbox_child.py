"""Another worker on the same outbox: `python -m tests.storage.outbox_child VERB URL`; waits for a line to begin."""

import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sonovan.contracts.errors import Transient
from sonovan.contracts.results import LesionAlerted
from sonovan.storage.outbox import Outbox
from tests.storage.scene import NOON, RECIPIENTS, judged, revision_of

SCREENINGS = 10
REVISIONS = 4


def take_all(outbox: Outbox) -> int:
    """Every revision of every screening in order, beside another worker; how often it had to try again."""
    refused = 0
    for screening in range(SCREENINGS):
        for number in range(1, REVISIONS + 1):
            heard = revision_of(screening, number, "suspicious" if number % 2 else "gone")
            while True:
                try:
                    outbox.take(heard, judged(heard), RECIPIENTS, NOON)
                    break
                except Transient:
                    refused += 1
    return refused


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
    """take: all revisions; claim: everything due. Three wait to be killed: while they judge, after a
    take (taken), after a claim (hold).
    """

    def hold() -> None:
        print("holding", flush=True)
        sys.stdin.readline()

    outbox = Outbox(url)
    print("ready", flush=True)
    sys.stdin.readline()
    heard = revision_of(0, 1, "suspicious")
    if verb == "take":
        take_all(outbox)
    elif verb == "claim":
        print("\n".join(claim_all(outbox)), flush=True)
    elif verb == "hold":
        outbox.take(heard, judged(heard), RECIPIENTS, NOON)
        outbox.claim(RECIPIENTS[0], NOON, timedelta(minutes=1))
        hold()
    elif verb == "taken":
        outbox.take(heard, judged(heard), RECIPIENTS, NOON)
        hold()
    elif verb == "judge":

        def judge(known: Mapping[str, LesionAlerted]) -> Sequence[LesionAlerted]:
            hold()
            return judged(heard)(known)

        outbox.take(heard, judge, RECIPIENTS, NOON)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
