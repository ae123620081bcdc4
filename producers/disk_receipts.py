"""Take the centre's receipts from a disk that came back: what was imported there can be purged without a link."""

from dataclasses import dataclass
from pathlib import Path

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.depot import MAX_RECEIPTS_BYTES, RECEIPTS
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.limits import MAX_VALUE_BYTES
from sonovan.producers.spool import Spool


@dataclass(frozen=True, slots=True)
class TakenReceipts:
    """taken: receipts for items of this spool. doubted: signed by no key of the centre that this van knows. unreadable:
    lines that are no receipts.
    """

    taken: int
    doubted: int
    unreadable: int

    def __add__(self, other: "TakenReceipts") -> "TakenReceipts":
        return TakenReceipts(self.taken + other.taken, self.doubted + other.doubted, self.unreadable + other.unreadable)


def take_receipts(spool: Spool, folder: Path) -> TakenReceipts:
    """Act on each receipt in an export's folder as if it came by the link, but only where the centre signed it.

    Raises InvalidRecord `export_invalid` where there are none or the file is larger than any can be, Transient where
    the disk does not answer; what was taken until then stays.
    """
    path = folder / RECEIPTS
    taken = unreadable = 0
    doubts = spool.answers.doubts
    try:
        if path.stat().st_size > MAX_RECEIPTS_BYTES:
            raise InvalidRecord("export_invalid", f"{path} is larger than receipts can be")
        with path.open("rb") as stream:
            while line := stream.readline(MAX_VALUE_BYTES):
                try:
                    answer = VanAnswered.decode(line)
                except InvalidRecord:
                    unreadable += 1
                    continue
                taken += answer.kind != "report" and spool.answers.take(answer, None)
    except FileNotFoundError:
        detail = "it was not imported at the centre yet, or no stage answered meanwhile"
        raise InvalidRecord("export_invalid", f"there is no {RECEIPTS} in {folder}: {detail}") from None
    except OSError as error:
        raise Transient(f"{path} cannot be read ({error.strerror}); try again") from error
    return TakenReceipts(taken, spool.answers.doubts - doubts, unreadable)
