"""Splits, letterboxed samples and the order of an epoch."""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from sonovan.models.evaluation.index import SETS, read_rows, split_of
from training.augment import augment
from training.batches import Chances, batches, order
from training.paste import paste
from training.samples import Sample, load, simulated

pytestmark = pytest.mark.training


def make_set(folder: Path, name: str, groups: int) -> None:
    (folder / name).mkdir()
    rng = np.random.default_rng(1)
    with (folder / name / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "image", "mask", "group"])
        for group in range(groups):
            for view in "ab":
                image = rng.integers(0, 255, (60, 90), dtype=np.uint8)
                mask = np.zeros_like(image)
                mask[20:40, 30:60] = 255
                cv2.imwrite(str(folder / name / f"{group}{view}.png"), image)
                cv2.imwrite(str(folder / name / f"{group}{view}_mask.png"), mask)
                label = "normal" if group % 5 == 0 else "benign"
                writer.writerow([f"{group}{view}", label, f"{group}{view}.png", f"{group}{view}_mask.png", f"g{group}"])


def test_splits_follow_the_formula() -> None:
    names = {0: "test", 1: "validation"}
    for set_name in ("busi", "busbra", "breast", "ddti"):
        for number in range(200):
            bucket = int(hashlib.sha256(f"{set_name}/case{number}".encode()).hexdigest(), 16) % 10
            assert split_of(set_name, f"case{number}") == names.get(bucket, "train")
    assert [split_of("gland", f"block{n}") for n in (0, 1, 5, 9)] == ["train", "test", "validation", "test"]


def test_no_group_is_divided(tmp_path: Path) -> None:
    make_set(tmp_path, "busi", 40)
    groups = [{row.group for row in read_rows(tmp_path, "busi", split)} for split in ("train", "validation", "test")]
    assert sum(len(part) for part in groups) == len(set.union(*groups)) == 40
    assert len(read_rows(tmp_path, "busi")) == 80


def test_real_splits_divide_no_group(shared_data: Path) -> None:
    for name in SETS:
        parts = [
            {row.group for row in read_rows(shared_data, name, split)} for split in ("train", "validation", "test")
        ]
        assert all(parts)
        assert sum(map(len, parts)) == len(set.union(*parts))


def test_a_normal_picture_has_an_empty_mask(tmp_path: Path) -> None:
    make_set(tmp_path, "busi", 6)
    for row, sample in zip(read_rows(tmp_path, "busi"), load(read_rows(tmp_path, "busi"), 64), strict=True):
        assert sample.image.shape == sample.mask.shape == (64, 64)
        assert set(np.unique(sample.mask)) <= {0, 255}
        assert bool(sample.mask.any()) == (row.label != "normal")


def test_picture_and_mask_are_moved_together() -> None:
    image = np.full((256, 256), 20, np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    for picture, value in ((image, 200), (mask, 255)):
        cv2.rectangle(picture, (60, 70), (120, 170), value, -1)
    for seed in range(20):
        moved, truth = augment(np.random.default_rng(seed), image, mask, 224)
        bright = moved > 0.4 * np.percentile(moved, 99)
        assert 2 * (bright & (truth > 0)).sum() / (bright.sum() + truth.sum()) > 0.9


def test_an_epoch_is_a_function_of_seed_and_number() -> None:
    samples = [Sample("busi", "breast", np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8)) for _ in range(50)]
    assert order(samples, 3, 0) == order(samples, 3, 0) != order(samples, 4, 0)
    assert len(order(samples, 3, 0)) == round(1.25 * 50)


def test_a_kind_has_a_share_of_its_own_unless_its_set_is_given_one() -> None:
    empty, lesion = np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8)
    samples = [Sample("busi", "breast", empty, mask, bad) for mask, bad in ((empty, None), (lesion, True)) * 20]
    shown = order(samples, 0, 0)
    assert [sum(number % 2 == kind for number in shown) for kind in (0, 1)] == [50, 40]
    assert len(order(samples, 0, 0, {"busi": 0.5})) == 20
    shown = order(samples, 0, 0, {"busi": 0.5, "busi_empty": 1.0})
    assert [sum(number % 2 == kind for number in shown) for kind in (0, 1)] == [20, 10]


def test_what_lies_beside_the_field_is_cut_away(tmp_path: Path) -> None:
    (tmp_path / "ddti").mkdir()
    rng = np.random.default_rng(0)
    image = np.zeros((300, 400), np.uint8)
    image[40:280, 60:300] = rng.integers(30, 200, (240, 240))
    mask = np.zeros_like(image)
    mask[120:200, 140:220] = 255
    cv2.imwrite(str(tmp_path / "ddti" / "a.png"), image)
    cv2.imwrite(str(tmp_path / "ddti" / "a_mask.png"), mask)
    (tmp_path / "ddti" / "index.csv").write_text("id,label,image,mask,group\na,,a.png,a_mask.png,g\n")
    (sample,) = load(read_rows(tmp_path, "ddti"), 240)
    assert (sample.image[:, 5:-5] > 0).mean() > 0.95
    assert (sample.mask > 0).mean() == pytest.approx(80 * 80 / 240**2, rel=0.1)


def test_batches_repeat_bit_for_bit() -> None:
    samples = simulated(0, 2, 10, 64, lambda line: None)
    chances = Chances(close=0.5, paste=1.0, levels=True)
    first, second = (list(batches(samples, list(range(8)), (0, 1), 4, chances=chances)) for _ in range(2))
    assert len(first) == 2
    for one, other in zip(first, second, strict=True):
        assert one.frames.equal(other.frames)
        assert one.masks.equal(other.masks)
        assert one.frames.shape == (4, 1, 256, 256)


def test_simulated_samples_know_both_organs() -> None:
    samples = simulated(0, 8, 2, 64, lambda line: None)
    assert {sample.organ for sample in samples} == {"breast", "thyroid"}
    assert not any(sample.mask.any() for sample in samples[-4:])


def test_other_anatomy_is_empty_for_either_organ(tmp_path: Path) -> None:
    make_set(tmp_path, "other", 1)
    text = (tmp_path / "other" / "index.csv").read_text().replace("normal", "foreign")
    (tmp_path / "other" / "index.csv").write_text(text)
    samples = load(read_rows(tmp_path, "other"), 64)
    assert [sample.organ for sample in samples] == ["breast", "thyroid"] * 2
    assert not any(sample.mask.any() for sample in samples)


def test_where_the_thyroid_is_comes_with_the_picture(tmp_path: Path) -> None:
    make_set(tmp_path, "gland", 1)
    lines = (tmp_path / "gland" / "index.csv").read_text().replace(",group", ",group,gland_mask").splitlines()
    rows = [lines[0], *(f"{line},0a_mask.png" for line in lines[1:])]
    (tmp_path / "gland" / "index.csv").write_text("\n".join(rows))
    (sample, _) = load(read_rows(tmp_path, "gland"), 90)
    assert not sample.mask.any()
    assert sample.gland is not None
    assert (sample.gland > 0).sum() == pytest.approx(20 * 30, rel=0.1)
    (batch,) = batches([sample] * 4, [0, 1, 2, 3], (0, 0), 4, 64)
    assert set(batch.gland.unique().tolist()) == {0, 1}
    assert not batch.masks.any()


def scene(lesion: bool) -> Sample:
    image = np.random.default_rng(3).integers(60, 120, (200, 200), np.uint8)
    mask = np.zeros_like(image)
    if lesion:
        cv2.ellipse(mask, (100, 100), (24, 16), 0, 0, 360, 255, -1)
        image[mask > 0] = 10
    return Sample("busi", "breast", image, mask, lesion or None)


def test_a_lesion_is_pasted_where_its_mask_says() -> None:
    host, donor = scene(False), scene(True)
    for seed in range(8):
        found = paste(np.random.default_rng(seed), host, donor)
        assert found is not None
        image, mask = found
        dark = cv2.medianBlur(image, 5) < 40
        assert 2 * (dark & (mask > 0)).sum() / (dark.sum() + (mask > 0).sum()) > 0.85
        far = cv2.dilate(mask, np.ones((61, 61), np.uint8)) == 0
        assert (image[far] == host.image[far]).all()


def test_nothing_is_pasted_onto_a_lesion_outside_the_gland_or_where_no_tissue_is() -> None:
    host, donor = scene(False), scene(True)
    everywhere, nowhere = np.full_like(host.mask, 255), np.zeros_like(host.mask)
    rng = np.random.default_rng(0)
    assert paste(rng, replace(host, gland=everywhere), donor) is not None
    assert paste(rng, replace(host, gland=nowhere), donor) is None
    assert paste(rng, replace(host, mask=everywhere), donor) is None
    assert paste(rng, replace(host, image=nowhere), donor) is None


def test_what_is_seen_from_near_is_larger() -> None:
    sample = scene(True)

    def size(close: float) -> float:
        chances = (np.random.default_rng(seed) for seed in range(30))
        seen = [augment(chance, sample.image, sample.mask, 200, close=close)[1] for chance in chances]
        return float(np.mean(seen))

    assert size(1.0) > 1.5 * size(0.0)


def test_hard_samples_are_shown_once_more() -> None:
    samples = [Sample("busi", "breast", np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8)) for _ in range(50)]
    once, more = (order(samples, 3, 0, hard=hard) for hard in ((), (7, 9)))
    assert sorted([*once, 7, 9]) == sorted(more)
