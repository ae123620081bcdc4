"""Sweeps whose lesions are known, and what single frames and whole sequences find in them.

A folder of scans: one folder for each scan, its name is the scan's.

    SCAN/frames/*.png     the sweep's frames in the order of their names; any picture that `sonovan screen` reads
    SCAN/masks/*.png      for a frame that shows a lesion, a mask of the same stem and size: 0 nothing, each other value
                          one lesion, the same value on every frame of the scan; a frame without one shows no lesion
    SCAN/scan.json        may be absent: {"organ": "breast", "labels": {"1": "malignant"}, "pixel_spacing_mm": 0.1}

A scan whose folder has no masks is one without a lesion.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sonovan.analyser import Analyser
from sonovan.analysis import Analysis
from sonovan.contracts.frames import Region
from sonovan.contracts.results import Finding
from sonovan.models.evaluation.froc import Candidate, ScannedLesions, gains, sensitivities
from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.pictures import read_picture
from sonovan.stream_apps.segment.step import LoadedNetwork

FRAMES: Final = "frames"
MASKS: Final = "masks"
ABOUT: Final = "scan.json"
PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan. frames: files in order. masks: the file by its frame's place. labels: by the value in the masks."""

    name: str
    organ: str
    frames: tuple[Path, ...]
    masks: dict[int, Path]
    labels: dict[int, str]
    pixel_spacing_mm: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one scan: the lesions' values in the masks, in order, and the candidates of both ways.

    single: each finding with the score of its best frame. sequence: the same findings with their score as a track.
    hits: for each finding of the analysis, the lesions that it hits, by their places in `values`.
    """

    scan: Scan
    values: tuple[int, ...]
    single: ScannedLesions
    sequence: ScannedLesions
    hits: tuple[frozenset[int], ...]
    analysis: Analysis


def read_scans(data: Path, organ: str | None = None) -> list[Scan]:
    """The scans of a folder in the order of their names. organ: of those that do not name theirs.

    Raises UnusableData in one line where there is none, or one that cannot be used as it is.
    """
    if not data.is_dir():
        raise UnusableData(f"{data} is no folder; name one that holds a folder for each scan")
    folders = [each for each in sorted(data.iterdir()) if (each / FRAMES).is_dir()]
    if not folders:
        raise UnusableData(
            f"{data}: no folder in it has a folder `{FRAMES}`; each scan is SCAN/{FRAMES} and SCAN/{MASKS}"
        )
    return [_scan(folder, organ) for folder in folders]


def look(scan: Scan, network: LoadedNetwork) -> Found:
    """A scan through the whole path, as one sweep of one side, and which lesions its findings hit.

    Raises UnusableData for frames and masks that cannot be read, InvalidRecord for frames that cannot be segmented.
    """
    analyser = Analyser(
        organ=scan.organ,
        side="left",
        plan=("left",),
        pixel_spacing_mm=scan.pixel_spacing_mm,
        network=network,
        intended_use="decision_support",
    )
    truth: dict[int, Labels] = {}
    with analyser:
        for place, path in enumerate(scan.frames):
            pixels = read_picture(path)
            if place in scan.masks:
                truth[place] = _labels(scan.masks[place], (pixels.shape[0], pixels.shape[1]))
            analyser.push(pixels)
    return found_in(scan, truth, analyser.close())


def found_in(scan: Scan, truth: dict[int, Labels], analysis: Analysis) -> Found:
    """The candidates of an analysis. truth: the label mask by the place of the frame."""
    values = tuple(sorted({int(value) for mask in truth.values() for value in np.unique(mask) if value}))
    regions = {(frame.frame_id, region.ordinal): region for frame in analysis.frames for region in frame.regions}
    single, sequence, hits = [], [], []
    for finding in analysis.findings:
        members = [(each.frame_id, regions[each.frame_id, each.ordinal]) for each in finding.members]
        hit = frozenset(
            values.index(value) for frame_id, region in members if (value := _value_at(truth, frame_id, region))
        )
        hits.append(hit)
        single.append(Candidate(max(region.score_mean for _, region in members), hit))
        sequence.append(Candidate(track_score(finding), hit))
    return Found(
        scan,
        values,
        ScannedLesions(len(values), tuple(single)),
        ScannedLesions(len(values), tuple(sequence)),
        tuple(hits),
        analysis,
    )


def track_score(finding: Finding) -> float:
    """How sure the sweep as a whole is of a finding: the highest of its sightings."""
    return max(each.track_score for each in finding.sightings)


def look_at_all(scans: Sequence[Scan], network: LoadedNetwork, step: Callable[[], None] = lambda: None) -> list[Found]:
    """`look` for each scan; `step` is called after each."""
    found = []
    for scan in scans:
        found.append(look(scan, network))
        step()
    return found


def figures(found: Sequence[Found]) -> dict[str, Any]:
    """Sensitivity of single frames and of sequences by false positives per scan, and the paired gain, with intervals.

    Raises UnusableData where no scan shows a lesion.
    """
    single, sequence = [each.single for each in found], [each.sequence for each in found]
    lesions = sum(each.lesions for each in single)
    if not lesions:
        raise UnusableData("no scan has a mask with a lesion: there is nothing to be found")
    return {
        "single": sensitivities(single),
        "sequence": sensitivities(sequence),
        "gain": gains(single, sequence),
        "scans": len(found),
        "lesions": lesions,
    }


def _scan(folder: Path, organ: str | None) -> Scan:
    about = _about(folder / ABOUT)
    frames = tuple(sorted(each for each in (folder / FRAMES).iterdir() if each.suffix.lower() in PICTURES))
    if not frames:
        raise UnusableData(f"{folder / FRAMES} holds no picture")
    named = about.get("organ") or organ
    if named not in ("breast", "thyroid"):
        raise UnusableData(f"{folder}: no organ is known; say --organ breast or thyroid, or name it in {ABOUT}")
    places = {path.stem: place for place, path in enumerate(frames)}
    masks = {}
    for path in sorted((folder / MASKS).iterdir()) if (folder / MASKS).is_dir() else []:
        if path.stem not in places:
            raise UnusableData(f"{path} is a mask of no frame: no picture in {FRAMES} has its name")
        masks[places[path.stem]] = path
    labels = {int(value): label for value, label in (about.get("labels") or {}).items() if label}
    return Scan(folder.name, named, frames, masks, labels, about.get("pixel_spacing_mm"))


def _about(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableData(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(about, dict):
        raise UnusableData(f"{path} is no JSON object")
    return about


def _labels(path: Path, size: tuple[int, int]) -> Labels:
    mask = read_picture(path)
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.shape != size:
        raise UnusableData(f"{path} is no grey mask of 8 bits with {size[1]}×{size[0]} pixels, as its frame has")
    return np.asarray(mask, np.uint8)


def _value_at(truth: dict[int, Labels], frame_id: str, region: Region) -> int:
    """The lesion in whose true outline the region's centre lies; 0 for none."""
    mask = truth.get(int(frame_id.rsplit("/", 1)[1]))
    if mask is None:
        return 0
    column, row = round(region.centroid[0]), round(region.centroid[1])
    inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
    return int(mask[row, column]) if inside else 0
