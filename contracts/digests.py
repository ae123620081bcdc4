"""Digests that make equal content equal by name: frames of a sequence, a frame's result, a revision."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sonovan.contracts.results import FrameSegmented, Region
from sonovan.contracts.van import FeaturesRecorded, ScreeningClosed, SequenceClosed

_CLOSING_OUTSIDE = {"closed_at", "van_id"}
_LATER: Mapping[str, Any] = {
    "unconfirmed": False,
    "predicted_dice": None,
    "malignant": None,
    "malignant_withheld": False,
    "descriptors": [],
}
"""Fields of a region that came after the first results were stored, and what they are where nothing is said."""


def frames_digest(hashes: Iterable[str]) -> str:
    """sha256 over the frames' `pixels_sha256` in the order of their index: what `sequence.closed` carries."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def result_digest(result: FrameSegmented) -> str:
    """What a frame's result says, without how long it took or on what it ran."""
    said = {
        "regions": [_said_of(region) for region in result.regions],
        "quality": result.quality,
        "assessable": result.assessable,
        "reason": result.not_assessable_reason,
        "pixels_sha256": result.pixels_sha256,
        "weights_sha256": result.weights_sha256,
    }
    if (
        result.fingerprint != result.weights_sha256
    ):  # earlier results were named by their weights, and keep their digest
        said["fingerprint"] = result.fingerprint
    if result.sharpness is not None:  # likewise
        said["sharpness"] = result.sharpness
    if result.refusals:  # likewise
        said["refusals"] = [refusal.model_dump(mode="json") for refusal in result.refusals]
    return _sha256_of(said)


def revision_id(
    *,
    results: Mapping[str, str],
    rejected: Mapping[str, str],
    sequence_closings: Iterable[SequenceClosed],
    screening_closings: Iterable[ScreeningClosed],
    features: FeaturesRecorded | None,
    deadline_passed: bool,
    model_id: str,
    rules_version: str,
) -> str:
    """The name of a revision: the same inputs give the same name, on the van, embedded or streamed.

    results: frame id → result digest. rejected: frame id → reason. Closings go in without their times and van;
    several of one number are a conflict, and all their contents go in. Amendments and earlier screenings join when
    they exist.
    """
    return _sha256_of(
        {
            "results": sorted(results.items()),
            "rejected": sorted(rejected.items()),
            "sequences": _contents(sequence_closings),
            "screening": _contents(screening_closings),
            "features": features and features.model_dump(mode="json", exclude={"recorded_at", "van_id"}),
            "deadline_passed": deadline_passed,
            "model_id": model_id,
            "rules_version": rules_version,
        }
    )


def _said_of(region: Region) -> dict[str, Any]:
    """A region without what no network said of it: results from before there were such networks keep their digest."""
    said = region.model_dump(mode="json")
    return {name: value for name, value in said.items() if name not in _LATER or value != _LATER[name]}


def _contents(closings: Iterable[SequenceClosed | ScreeningClosed]) -> list[str]:
    return sorted(closing.model_dump_json(exclude=_CLOSING_OUTSIDE) for closing in closings)


def _sha256_of(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
