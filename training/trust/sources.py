"""Which pictures the trust head learns from, which it is measured on, and what each of them is.

Foreign pictures are split by family (files that show the same thing), never by frame, so that no figure rests on a
sweep that was learnt. Some kinds are never learnt at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import FOREIGN, SETS, read_rows, spread
from sonovan.models.evaluation.pictures import read_picture
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.prepare import to_grey
from training.heads import seeded
from training.trust.odd import KINDS, Colour
from training.trust.vary import vary

Part = Literal["train", "validation", "held"]

FAMILIES: tuple[tuple[str, str, str], ...] = (
    ("examples_ybr_color", "heart-1", "heart"),
    ("DIRW0007", "heart-2", "heart"),
    ("Issue16", "heart-3", "heart"),
    ("Issue19", "heart-4", "heart"),
    ("orthanc__1.2.840.10008.1.2.4.50", "heart-4", "heart"),
    ("sonoque", "phantom-sonoque", "phantom"),
    ("butterfly-ocular-phantom", "phantom-eye", "phantom"),
    ("jp2k91YBR", "air", "no contact"),
    ("clarius-ocular", "eye-1", "eye"),
    ("sonosite-anon-eye", "eye-2", "eye"),
    ("convex__Cov", "lung-1", "lung"),
    ("convex__Reg_Image", "lung-2", "lung"),
    ("convex__Reg_pat1", "lung-3", "lung"),
    ("convex__Reg_recommendations", "lung-4", "lung"),
    ("linear__Reg_Image", "lung-linear", "lung"),
    ("Implicit-vr-us-palette", "pelvis", "abdomen"),
    ("ALOKA", "bladder", "abdomen"),
    ("OBXXXX1A", "obstetric", "abdomen"),
    ("examples_palette", "obstetric", "abdomen"),
    ("US1_", "lymph-node", "Doppler"),
    ("examples_rgb_color", "lymph-node", "Doppler"),
    ("color-p", "vessel", "Doppler"),
    ("orthanc__1.2.840.10008.1.2.2", "leg", "Doppler"),
    ("ExplVR_BigEnd", "patch", "Doppler"),
    ("other-", "", "other modality"),
    ("photograph-", "", "photograph"),
    ("screen-", "", "screen"),
)
"""Part of a file's name → its family and kind; a family of its own where none is named."""
UNSEEN = frozenset({"eye", "abdomen", "other modality", "photograph", "screen"})
"""Kinds of foreign pictures that are kept for the figure, all of them."""
MADE_UNSEEN = frozenset({"window", "pattern"})
SALT = "foreign-3"
"""The first with which every kind that is not unseen stands on both sides, and the demo's heart among the held."""
PICTURES_PER_FAMILY = 24
MOST_OF_A_SET = 600
SIMULATED = {"train": 100_000, "validation": 50_000, "held": 1_000}
"""First seeds of simulated sweeps, as in the other trainings."""


@dataclass(frozen=True)
class Exhibit:
    """One picture. pixels: (rows, columns, 3) uint8. kind: set or kind of foreign picture. family: never split.

    truth: `breast`, `thyroid` or `foreign`. seen: whether training saw this kind at all.
    """

    name: str
    family: str
    kind: str
    truth: str
    part: Part
    seen: bool
    pixels: Colour


def family_of(name: str) -> tuple[str, str]:
    """Family and kind of a file by its name."""
    stem = name.split("__0")[0]
    for part, family, kind in FAMILIES:
        if part in name:
            return family or stem, kind
    return stem, "other"


def part_of(family: str, kind: str) -> Part:
    """Two thirds of the families are learnt from; those of unseen kinds never are."""
    if kind in UNSEEN:
        return "held"
    return "train" if int(hashlib.sha256(f"{SALT}/{family}".encode()).hexdigest(), 16) % 3 else "held"


def good(data: Path) -> Iterator[Exhibit]:
    """Pictures of the public sets' training and validation splits; every second one of the former is varied.

    At most MOST_OF_A_SET of a set's training pictures, evenly spaced: more of one scanner teach nothing here.
    """
    for name, organ in SETS.items():
        for number, row in enumerate(spread(read_rows(data, name, "train"), MOST_OF_A_SET)):
            key, pixels = f"{name}/{row.id}", colour_of(row.image)
            if number % 2:
                key, pixels = f"{key}#", vary(seeded(key), pixels, doppler=True)
            yield Exhibit(key, f"{name}/{row.group}", name, organ, "train", True, pixels)
        for row in read_rows(data, name, "validation"):
            pixels = colour_of(row.image)
            yield Exhibit(f"{name}/{row.id}", f"{name}/{row.group}", name, organ, "validation", True, pixels)


def other(data: Path, copies: int) -> Iterator[Exhibit]:
    """Other anatomy under the same probe: the sets' own training and validation splits, as `good` has them.

    To each training picture come variations, `#` in their names: never part of a figure.
    """
    parts: tuple[Literal["train", "validation"], ...] = ("train", "validation")
    for part in parts:
        for row in read_rows(data, FOREIGN, part):
            family, kind, pixels = f"{FOREIGN}/{row.group}", row.about["anatomy"], colour_of(row.image)
            name = f"{FOREIGN}/{row.id}"
            yield Exhibit(name, family, kind, "foreign", part, True, pixels)
            for copy in range(copies if part == "train" else 0):
                key = f"{name}#{copy}"
                yield Exhibit(key, family, kind, "foreign", part, True, vary(seeded(key), pixels, doppler=False))


def cines(data: Path) -> Iterator[Exhibit]:
    """Every frame of the real breast sweeps, which nothing was trained with."""
    for path in sorted((data / "cine").glob("*/*.jpg")):
        sweep = path.parent.name
        yield Exhibit(f"cine/{sweep}/{path.stem}", sweep, "cine", "breast", "held", True, colour_of(path))


def simulated(sweeps: dict[Part, int], each: int) -> Iterator[Exhibit]:
    """Frames of phantoms of both organs, varied in half of the training frames."""
    for part, count in sweeps.items():
        for number in range(count):
            for organ in ("breast", "thyroid"):
                seed = SIMULATED[part] + number
                sweep = simulate_sweep("breast" if organ == "breast" else "thyroid", each, seed)
                for index, frame in enumerate(sweep.frames):
                    name = f"simulated/{organ}-{seed}-{index}"
                    pixels = np.repeat(frame[..., None], 3, 2)
                    if part == "train" and index % 2:
                        pixels = vary(seeded(name), pixels, doppler=True)
                    yield Exhibit(name, f"simulated/{organ}-{seed}", "simulated", organ, part, True, pixels)


def foreign(folder: Path, copies: int) -> Iterator[Exhibit]:
    """Pictures of a folder, as `sonovan.stills` writes them; at most PICTURES_PER_FAMILY of a family.

    To families of kinds that may be learnt come variations, `#` in their names: never part of a figure.
    """
    families: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.glob("*.png")):
        families.setdefault(family_of(path.name), []).append(path)
    for (family, kind), paths in sorted(families.items()):
        part, seen = part_of(family, kind), kind not in UNSEEN
        chosen = [paths[number * len(paths) // PICTURES_PER_FAMILY] for number in range(PICTURES_PER_FAMILY)]
        kept = chosen if len(paths) > PICTURES_PER_FAMILY else paths
        for path in kept:
            yield Exhibit(path.stem, family, kind, "foreign", part, seen, colour_of(path))
        for copy in range(copies if seen else 0):
            name = f"{family}#{copy}"
            pixels = vary(seeded(name), colour_of(kept[copy % len(kept)]), doppler=False)
            yield Exhibit(name, family, kind, "foreign", part, seen, pixels)


def made(each: int) -> Iterator[Exhibit]:
    """Procedural pictures: of most kinds half to learn from, half held back; of MADE_UNSEEN all held back."""
    for kind, make in KINDS.items():
        for number in range(each):
            part: Part = "held" if kind in MADE_UNSEEN or number % 3 == 0 else "train"
            name = f"made/{kind}-{number}"
            yield Exhibit(name, name, f"made: {kind}", "foreign", part, kind not in MADE_UNSEEN, make(seeded(name)))


def colour_of(path: Path) -> Colour:
    """(rows, columns, 3) uint8 of a picture's file. Raises UnusableData."""
    pixels = read_picture(path)
    if pixels.dtype != np.uint8 or pixels.ndim == 2:
        grey = to_grey(pixels)
        return np.repeat(grey[..., None], 3, 2)
    return np.asarray(pixels, np.uint8)


def grey_of(pixels: Colour) -> NDArray[np.uint8]:
    """Luma, as `segment` sees a colour picture."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
