"""Digests that give equal content an equal name: of a sequence's frames, of a frame's result, of a revision."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.derivation import Programme
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.van import ScreeningClosed, SequenceClosed

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
CLOSING_OUTSIDE: Final = frozenset({"closed_at", "van_id", "operator"})
"""Of a closing: when, by which van and by whom it was made, which changes nothing of what was scanned."""
_PRESENCE = {"stays", "left_at"}
"""Of a closing: they count where they are told, so that closings of before they existed keep their names."""
_SEEN = {
    "regions",
    "quality",
    "assessable",
    "not_assessable_reason",
    "refusals",
    "sharpness",
    "tissue",
    "mode",
    "nipple_distance_mm",
    "pixels_sha256",
    "weights_sha256",
    "fingerprint",
}


def frames_digest(hashes: Iterable[str]) -> str:
    """sha256 over the `pixels_sha256` of a sequence's frames in the order of their index, as `sequence.closed` has
    it.
    """
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def result_digest(result: FrameSegmented) -> str:
    """What was seen on a frame, and by which network; not how long that took, on what it ran or where it is stored."""
    return _sha256_of(result.model_dump(mode="json", include=_SEEN))


def revision_id(
    *,
    results: Mapping[str, str],
    rejected: Mapping[str, str],
    sequence_closings: Iterable[SequenceClosed],
    screening_closings: Iterable[ScreeningClosed],
    features: FeaturesRecorded | None,
    amendments: Iterable[ScreeningAmended],
    deadline_passed: bool,
    model_id: str,
    rules_version: str,
    programme: Programme,
    promoted: Sequence[str] = (),
    reviewed: Mapping[str, str] = _NONE,
) -> str:
    """The name of a revision: the same inputs give the same name, wherever it is computed.

    results: the digest of each frame's result by frame id. rejected: the reason by frame id.
    sequence_closings, screening_closings: those that count, each without its time, its van and who scanned. Several
    contents under one closing number are a conflict, and all of them go into the name. features: the clinical record,
    without time and van.
    amendments: all of them, those that were taken back too, each without when, by which van and by whom it was made.
    programme: what the site chooses of the rules. deadline_passed: whether it is one of an incomplete screening.
    promoted: the networks that took the screening over, one after another. reviewed: the review that counts by frame
    id, of frames whose outlines are a reader's; `results` then has the digest of what the network found there. Without
    any of either the name is that of a screening of which nobody ever thought so.
    """
    return _sha256_of(
        {
            **({"promoted": list(promoted)} if promoted else {}),
            **({"reviewed": sorted(reviewed.items())} if reviewed else {}),
            "results": sorted(results.items()),
            "rejected": sorted(rejected.items()),
            "sequences": _contents(sequence_closings),
            "screening": _contents(screening_closings),
            "features": features
            and features.model_dump(mode="json", exclude={"recorded_at", "van_id", "features_number"}),
            "amendments": [
                each.model_dump(mode="json", exclude={"amended_at", "van_id", "by"})
                for each in sorted(amendments, key=lambda each: each.amendment_number)
            ],
            "deadline_passed": deadline_passed,
            "model_id": model_id,
            "rules_version": rules_version,
            "programme": programme.model_dump(mode="json"),
        }
    )


def _contents(closings: Iterable[SequenceClosed | ScreeningClosed]) -> list[str]:
    return sorted(closing.model_dump_json(exclude={*CLOSING_OUTSIDE, *_untold(closing)}) for closing in closings)


def _untold(closing: SequenceClosed | ScreeningClosed) -> set[str]:
    told = isinstance(closing, ScreeningClosed) and (closing.stays or closing.left_at is not None)
    return set() if told else _PRESENCE


def _sha256_of(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
