"""The head that refuses foreign pictures: what it learns from, what it is measured on, what is shipped."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from sonovan.models.evaluation.index import split_of
from sonovan.models.heads.trust import Trust
from sonovan.models.registry import read_companion, read_registry
from tests.models.tiny_onnx import MODEL_ID, write_weights
from training.heads import export_head, register, seeded
from training.trust.figures import BOUNDS, figures, passed, thresholds
from training.trust.gather import Evidence
from training.trust.gather import load as load_evidence
from training.trust.learn import Plan, learn, probabilities, weights_of
from training.trust.odd import KINDS
from training.trust.sources import FAMILIES, UNSEEN, family_of, other, part_of
from training.trust.vary import vary

torch.set_num_threads(1)  # matrices this small are slower on two

WIDTH = 60
PLAN = Plan(axes=6, members=2, steps=150)


def made_up(each: int = 60) -> Evidence:
    """Breasts, thyroids and foreign pictures as three clouds, in 12 groups each; the last third is not learnt from."""
    chance = np.random.default_rng(0)
    values, truth, part, family, kind = [], [], [], [], []
    for number, organ in enumerate(("breast", "thyroid", "foreign")):
        for index in range(each):
            row = chance.normal(0, 1, WIDTH)
            row[number * 3 : number * 3 + 3] += 5
            values.append(row)
            truth.append(organ)
            family.append(f"{organ}-{index % 12}")
            kind.append({"breast": "busi", "thyroid": "ddti"}.get(organ, "made: noise" if index % 2 else "heart"))
            last = "held" if organ == "foreign" else "validation"
            part.append("train" if index < 2 * each // 3 else last)
    text = {"name": np.array(family), "family": np.array(family), "kind": np.array(kind)}
    text |= {"truth": np.array(truth), "part": np.array(part)}
    return Evidence(np.array(values, np.float32), **text, seen=np.ones(3 * each, np.bool_))


def test_files_that_show_the_same_stand_on_one_side() -> None:
    pairs = [("pydicom-data__US1_J2KI.dcm__000000_0.png", "pydicom__examples_rgb_color.dcm__000000_0.png")]
    pairs.append(("pydicom-data__OBXXXX1A_rle.dcm__000000_0.png", "pydicom__examples_palette.dcm__000000_0.png"))
    for one, same in pairs:
        assert family_of(one) == family_of(same)


def test_kinds_that_are_never_learnt_are_held_whole_and_the_others_stand_on_both_sides() -> None:
    parts: dict[str, set[str]] = {}
    for _, family, kind in FAMILIES:
        parts.setdefault(kind, set()).add(part_of(family or "any", kind))
    assert all(parts[kind] == {"held"} for kind in UNSEEN)
    for kind in ("heart", "lung", "Doppler", "phantom"):
        assert parts[kind] == {"train", "held"}
    assert part_of(*family_of("examples_ybr_color.dcm__000000_0.png")) == "held"


def test_other_anatomy_is_split_as_every_set_and_its_variations_are_only_learnt_from(tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.random.default_rng(0).integers(0, 255, (80, 90, 3), np.uint8))
    rows = [f"n{number},foreign,a.png,g{number},nerves" for number in range(30)]
    (folder / "index.csv").write_text("\n".join(["id,label,image,group,anatomy", *rows]))
    shown = list(other(tmp_path, 1))
    parts = {one.family.partition("/")[2]: one.part for one in shown}
    assert parts == {f"g{n}": part for n in range(30) if (part := split_of("other", f"g{n}")) != "test"}
    assert {one.part for one in shown if "#" in one.name} == {"train"}
    assert {(one.truth, one.kind, one.seen) for one in shown} == {("foreign", "nerves", True)}


def test_figures_of_foreign_pictures_hold_those_of_validation() -> None:
    evidence = made_up()
    sure = np.eye(3, dtype=np.float32)[[("breast", "thyroid", "foreign").index(one) for one in evidence.truth]]
    moved = replace(evidence, part=np.where(evidence.part == "held", "validation", evidence.part))
    before, after = (figures(one, sure, thresholds(one, sure))["foreign"] for one in (evidence, moved))
    assert before == after
    assert after["breast"]["all"]["n"] == 20


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_procedural_picture_is_a_picture_and_its_name_makes_it(kind: str) -> None:
    one, again = (KINDS[kind](seeded(f"made/{kind}-1")) for _ in range(2))
    assert (one.dtype, one.ndim, one.shape[2]) == (np.uint8, 3, 3)
    assert np.array_equal(one, again)
    varied = vary(seeded("x"), one, doppler=True)
    assert (varied.dtype, varied.ndim) == (np.uint8, 3)
    assert min(varied.shape[:2]) >= 32


def test_classes_weigh_alike() -> None:
    evidence = made_up()
    weights = weights_of(evidence)
    for truth in ("breast", "thyroid", "foreign"):
        assert weights[evidence.truth == truth].sum() == pytest.approx(1 / 3, abs=1e-5)


def test_other_anatomy_weighs_more_than_other_foreign_pictures() -> None:
    evidence = made_up()
    family = np.where(evidence.family == "foreign-0", "other/nerve0", evidence.family)
    weights = weights_of(replace(evidence, family=family))
    real = evidence.kind == "heart"
    near, far = (weights[real & (family == name)].sum() for name in ("other/nerve0", "foreign-2"))
    assert near == pytest.approx(3 * far, rel=1e-4)


def test_a_head_learns_is_measured_and_runs_as_it_was_trained(tmp_path: Path) -> None:
    evidence = made_up()
    head = learn(evidence.where(evidence.part == "train"), PLAN)
    shares = probabilities(head, evidence.values)
    least = thresholds(evidence, shares)
    assert all(BOUNDS[0] <= value <= BOUNDS[1] for value in least.values())
    found = figures(evidence, shares, least)
    assert found["foreign"]["breast"]["all"]["refused"] >= 0.95
    assert found["good"]["busi"]["refused"] <= 0.1
    assert found["other_organ"]["thyroid"]["refused"] >= 0.95
    assert set(passed(evidence, shares, least)) == {"breast", "thyroid"}
    path = tmp_path / "trust.onnx"
    export_head(head, WIDTH, path, "evidence", ["classes"])
    Trust(path.read_bytes(), least)


def test_the_same_evidence_gives_the_same_head() -> None:
    evidence = made_up(24)
    one, other = (probabilities(learn(evidence, PLAN), evidence.values) for _ in range(2))
    assert np.array_equal(one, other)


def test_evidence_comes_back_from_its_file(tmp_path: Path) -> None:
    evidence = made_up(6)
    evidence.save(tmp_path / "evidence.npz")
    again = load_evidence(tmp_path / "evidence.npz")
    assert np.allclose(again.values, evidence.values, atol=5e-3)
    assert (again.family == evidence.family).all()


def test_a_registered_head_is_a_companion_of_its_network(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "weights")
    graph = tmp_path / "trust.onnx"
    graph.write_bytes(b"a graph")
    for settings in ({"least_breast": 0.4}, {"least_breast": 0.5}):
        register(graph, "trust", settings, MODEL_ID, weights)
    entry = read_registry(weights).entry(MODEL_ID)
    assert read_companion(entry, "trust", weights) == b"a graph"
    assert entry.companions["trust"].settings == {"least_breast": 0.5}
    with pytest.raises(ValueError, match="no model 'other'"):
        register(graph, "trust", {}, "other", weights)
