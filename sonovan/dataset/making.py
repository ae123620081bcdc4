"""An export from beginning to end: who may be in it, what is said of them, and the pictures with their masks."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import imagecodecs
import numpy as np

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.frame_codec import Pixels, decode_verified
from sonovan.dataset.anonymity import Anonymous, Quasi, age_band, anonymous, site_of, time_of
from sonovan.dataset.chosen import choose
from sonovan.dataset.coco import coco
from sonovan.dataset.datasheet import datasheet
from sonovan.dataset.manifest import MANIFEST, Manifest, manifest_of
from sonovan.dataset.pseudonyms import Pseudonyms
from sonovan.dataset.tables import PictureRow, VisitRow, concluded_in_codes, write_index, write_parquet
from sonovan.dataset.truth import counting, machine_mask, truth_of
from sonovan.models.evaluation.index import split_of
from sonovan.models.evaluation.measures import overlap
from sonovan.models.masks import encode_mask
from sonovan.storage.dataset_rows import FrameRow, ReviewRow, ScreeningRow
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore, get_named

Which = Literal["all", "reviewed"]
_LAYOUTS: Final = ((1, 8), (3, 8), (1, 16), (3, 16))


@dataclass(frozen=True)
class Asked:
    """What somebody asked for.

    name: of the set, which decides on splits. until_ms: what the centre learnt later than that is not in it, save that
    consent was taken back. frames: all, or those that a reader drew on.
    """

    name: str
    until_ms: int
    k: int
    suppress_share: float
    frames: Which


@dataclass(frozen=True)
class Rows:
    """What the centre keeps. erased: screenings that were erased, whatever else still speaks of them."""

    screenings: Sequence[ScreeningRow]
    frames: Sequence[FrameRow]
    reviews: Sequence[ReviewRow]
    erased: Collection[str]


@dataclass(frozen=True)
class Exported:
    """left_out: screenings, women and pictures that are not in it, by reason. by: pictures by who drew the mask."""

    folder: Path
    pictures: int
    women: int
    visits: int
    by: dict[str, int]
    left_out: dict[str, int]
    anonymous: Anonymous
    manifest: Manifest


@dataclass(frozen=True)
class _Of:
    """A woman's part: her screenings in the order of their days, and their frames."""

    woman: str
    screenings: list[ScreeningRow]
    frames: list[FrameRow]


def export(
    rows: Rows,
    store: ObjectStore,
    names: Pseudonyms,
    asked: Asked,
    out: Path,
    step: Callable[[], None] = lambda: None,
) -> Exported:
    """Write the data set; `out` is complete or absent. step: called after each picture.

    Raises InvalidRecord `record_invalid` where `out` is there already or fewer than k women could be in it, Transient
    where the store is away, something was deleted meanwhile, or the disk is full.
    """
    if out.exists():
        raise InvalidRecord("record_invalid", f"{out} is there already; move it away, or name another --out")
    chosen = choose(rows.screenings, rows.erased)
    left_out = Counter(chosen.left_out)
    reviews = counting(rows.reviews)
    women = _women(chosen.screenings, rows.frames, reviews.keys(), store, names, asked, left_out)
    safe = anonymous([_quasi(each, names) for each in women], asked.k, asked.suppress_share)
    left_out["woman_too_rare"] += safe.suppressed
    kept = [each for each in women if each.woman in safe.kept]
    if not kept:
        told = f"{len(women)} women may be in it, and no {asked.k} of them are alike in what is said of them"
        raise InvalidRecord("record_invalid", f"nothing can be exported: {told}")
    made = out.parent / f".{out.name}.part"
    shutil.rmtree(made, ignore_errors=True)
    try:
        for folder in ("images", "masks", "machine_masks"):
            (made / folder).mkdir(parents=True)
        pictures, visits = _write(kept, reviews, store, names, asked, safe, made, step)
        left = dict(sorted((reason, count) for reason, count in left_out.items() if count))
        by = dict(sorted(Counter(each.mask_by for each in pictures).items()))
        counts = {
            "pictures": len(pictures),
            "women": len(kept),
            "visits": len(visits),
            **{f"by_{k}": v for k, v in by.items()},
        }
        sheet = datasheet(asked.name, counts, left, safe, asked.k, pictures)
        (made / "datasheet.md").write_text(sheet, encoding="utf-8")
        manifest = manifest_of(made, asked, names.check(), counts, left, safe)
        (made / MANIFEST).write_text(manifest.encoded(), encoding="utf-8")
        made.rename(out)
    except OSError as error:
        raise Transient(f"{out}: cannot be written ({error.strerror}); make room and try again") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Exported(out, len(pictures), len(kept), len(visits), by, left, safe, manifest)


def _women(
    screenings: Iterable[ScreeningRow],
    frames: Iterable[FrameRow],
    reviewed: Collection[tuple[str, int]],
    store: ObjectStore,
    names: Pseudonyms,
    asked: Asked,
    left_out: Counter[str],
) -> list[_Of]:
    """Every woman of whom there is a picture, in the order of her pseudonym."""
    of_screening: dict[str, list[FrameRow]] = defaultdict(list)
    for frame in frames:
        of_screening[frame.screening_id].append(frame)
    women: dict[str, _Of] = {}
    for screening in screenings:
        found = []
        for frame in of_screening[screening.screening_id]:
            if asked.frames == "reviewed" and (frame.sequence_id, frame.frame_index) not in reviewed:
                left_out["picture_not_reviewed"] += 1
            elif not store.exists(Bucket.FRAMES, frame.image_key):
                left_out["picture_not_stored"] += 1
            else:
                found.append(frame)
        if found:
            name = names.woman(screening.subject_key)
            woman = women.setdefault(name, _Of(name, [], []))
            woman.screenings.append(screening)
            woman.frames.extend(found)
        else:
            left_out["screening_without_pictures"] += 1
    for woman in women.values():
        woman.screenings.sort(key=lambda each: (each.examined_on, each.screening_id))
    return [women[name] for name in sorted(women)]


def _quasi(woman: _Of, names: Pseudonyms) -> Quasi:
    return Quasi(
        woman.woman,
        woman.screenings[0].age_years,
        tuple(sorted({names.site(each.site_code) for each in woman.screenings})),
        tuple(names.shifted(each.examined_on, each.subject_key) for each in woman.screenings),
        tuple(sorted({frame.organ for frame in woman.frames})),
    )


def _write(
    women: Sequence[_Of],
    reviews: dict[tuple[str, int], list[ReviewRow]],
    store: ObjectStore,
    names: Pseudonyms,
    asked: Asked,
    safe: Anonymous,
    made: Path,
    step: Callable[[], None],
) -> tuple[list[PictureRow], list[VisitRow]]:
    pictures: list[PictureRow] = []
    visits: list[VisitRow] = []
    for woman in women:
        split = split_of(asked.name, woman.woman)
        band = age_band(woman.screenings[0].age_years, safe.rungs.age)
        for number, screening in enumerate(woman.screenings, start=1):
            day = names.shifted(screening.examined_on, screening.subject_key)
            visit = VisitRow(
                names.screening(screening.screening_id),
                woman.woman,
                number,
                band,
                site_of(names.site(screening.site_code), safe.rungs.site),
                time_of(day, safe.rungs.time),
                split,
                concluded_in_codes(screening.conclusions),
                screening.outcomes,
            )
            visits.append(visit)
            own = [frame for frame in woman.frames if frame.screening_id == screening.screening_id]
            for frame in sorted(own, key=lambda each: (names.sweep(each.sequence_id), each.frame_index)):
                counted = reviews.get((frame.sequence_id, frame.frame_index), [])
                pictures.append(_picture(frame, visit, counted, store, names, made))
                step()
    pictures.sort(key=lambda each: each.id)
    visits.sort(key=lambda each: each.visit)
    write_parquet(pictures, made / "pictures.parquet")
    write_parquet(visits, made / "visits.parquet")
    write_index(pictures, made / "index.csv")
    (made / "coco.json").write_text(coco(pictures, made), encoding="utf-8")
    return pictures, visits


def _picture(
    frame: FrameRow,
    visit: VisitRow,
    reviews: Sequence[ReviewRow],
    store: ObjectStore,
    names: Pseudonyms,
    made: Path,
) -> PictureRow:
    sweep = names.sweep(frame.sequence_id)
    name = f"{sweep}-{frame.frame_index:06d}"
    try:
        pixels = stored_pixels(frame, store)
        truth = truth_of(frame, reviews, store)
        machine = machine_mask(frame, store)
    except KeyError:
        raise Transient(f"an object of {name} was deleted while it was exported; export again") from None
    (made / "images" / f"{name}.png").write_bytes(imagecodecs.png_encode(pixels, level=6))
    mask = machine_name = None
    if truth.mask.any():
        mask = f"masks/{name}.png"
        (made / mask).write_bytes(encode_mask(np.where(truth.mask, np.uint8(255), np.uint8(0))))
    if machine.any():
        machine_name = f"machine_masks/{name}.png"
        (made / machine_name).write_bytes(encode_mask(np.where(machine, np.uint8(255), np.uint8(0))))
    dice = iou = None
    if truth.by == "readers" and (machine.any() or truth.mask.any()):
        dice, iou = (round(value, 4) for value in overlap(truth.mask, machine))
    return PictureRow(
        id=name,
        woman=visit.woman,
        visit=visit.visit,
        sweep=sweep,
        frame_number=frame.frame_index,
        organ=frame.organ,
        laterality=frame.laterality,
        view=frame.view,
        mode=frame.mode,
        rows=frame.rows,
        columns=frame.columns,
        image=f"images/{name}.png",
        mask=mask,
        mask_by=truth.by,
        readers=tuple(sorted(names.reader(each) for each in truth.readers)),
        label="normal" if truth.by == "readers" and mask is None else None,
        machine_mask=machine_name,
        machine_dice=dice,
        machine_iou=iou,
        quality=frame.quality,
        assessable=frame.assessable,
        model=frame.model_id,
        age_band=visit.age_band,
        site=visit.site,
        time=visit.time,
        split=visit.split,
    )


def stored_pixels(frame: FrameRow, store: ObjectStore) -> Pixels:
    """The frame as it came. The catalogue does not say its channels and bits: the sum of its pixels decides.

    Raises KeyError where it is not stored, InvalidRecord where what is stored is not what its row names.
    """
    data = get_named(store, Bucket.FRAMES, frame.image_key, frame.image_sha256)
    for channels, bits in _LAYOUTS:
        try:
            return decode_verified(
                data,
                codec=frame.codec,
                rows=frame.rows,
                columns=frame.columns,
                channels=channels,
                bits=bits,
                sha256=frame.pixels_sha256,
            )
        except InvalidRecord:
            continue
    raise InvalidRecord("pixels_corrupt", f"{Bucket.FRAMES}/{frame.image_key} holds other pixels than its row names")
