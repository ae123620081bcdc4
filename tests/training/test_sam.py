"""The prompt decoder: what it may not depend on, how it is taught, and a run that is cut off."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from sonovan.models.heads.companion import Companion
from tests.models.tiny_onnx import MODEL_ID, write_weights
from training.network import LesionNet
from training.sam.features import Bank, build, rows_of
from training.sam.files import INPUTS, examples, export, load_decoder, register
from training.sam.loop import Plan, Run, shown_mask, step_loss, true_iou
from training.sam.measure import Seen, settle
from training.sam.network import MASKS, NOT_A_POINT, Graph, PromptDecoder
from training.sam.prompts import Chain, begin, centre_of, correct, stack, unprompted
from training.sam.scores import spearman
from training.samples import simulated

torch.set_num_threads(1)  # threads inside operators wait for each other on a busy machine

pytestmark = pytest.mark.training

PLAN = Plan(steps=4, batch=2, rounds=2, every=2)


@pytest.fixture(scope="module")
def bank() -> Bank:
    torch.manual_seed(0)
    return build(LesionNet(), simulated(0, 1, 4, 64, lambda line: None), 1, 0)


@pytest.fixture(scope="module")
def decoder() -> PromptDecoder:
    torch.manual_seed(0)
    return PromptDecoder().eval()


def square(left: int, top: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros((128, 128), np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def test_padding_changes_nothing(decoder: PromptDecoder) -> None:
    given = list(examples(3, seed=1))
    given[6] = torch.tensor([[1.0, 0.0, NOT_A_POINT]])
    shorter = [*given[:5], given[5][:, :2], given[6][:, :2], *given[7:]]
    with torch.inference_mode():
        for one, other in zip(Graph(decoder)(*given), Graph(decoder)(*shorter), strict=True):
            assert torch.allclose(one, other, atol=1e-5)


def test_points_organ_and_mask_each_change_the_answer(decoder: PromptDecoder) -> None:
    given = list(examples(2, seed=1))
    with torch.inference_mode():
        first = Graph(decoder)(*given)[0]
        for place, other in ((4, torch.tensor([0])), (5, given[5] * 0.5), (6, 1 - given[6]), (7, -given[7])):
            changed = [*given[:place], other, *given[place + 1 :]]
            assert not torch.allclose(first, Graph(decoder)(*changed)[0], atol=1e-4), INPUTS[place]
        unused = [*given[:7], -given[7], torch.zeros(1)]
        without = [*given[:8], torch.zeros(1)]
        assert torch.equal(Graph(decoder)(*unused)[0], Graph(decoder)(*without)[0])


def test_the_file_agrees_with_torch_and_is_registered(decoder: PromptDecoder, tmp_path: Path) -> None:
    write_weights(tmp_path, side=64, precisions=("fp32",))
    assert export(decoder, tmp_path / "p.onnx") <= 1e-3
    register(tmp_path / "p.onnx", tmp_path, MODEL_ID, {"automatic_breast": 1.0})
    entry = json.loads((tmp_path / "registry.json").read_text())["models"][0]["companions"]["prompt"]
    assert entry["settings"] == {"automatic_breast": 1.0}
    session = Companion((tmp_path / "p.onnx").read_bytes(), "prompt")
    assert tuple(session.inputs) == INPUTS
    assert session.outputs == ("logits", "iou")


def test_a_click_goes_into_the_middle_of_the_largest_error() -> None:
    wrong = square(10, 10, 9, 5) | square(60, 40, 21, 11)
    assert centre_of(wrong) in [(column, 45) for column in range(65, 76)]


def test_corrections_say_what_is_true_at_their_place() -> None:
    rng = np.random.default_rng(0)
    truth, shown = square(40, 40, 30, 30), square(60, 40, 30, 30)
    for _ in range(20):
        chain = unprompted(truth)
        correct(rng, chain, shown)
        column, row = (round((value + 0.5) / 2 - 0.5) for value in chain.points[2])
        assert (truth ^ shown)[row, column]
        assert bool(chain.labels[2]) == truth[row, column]


def test_chains_begin_in_every_way_and_ask_for_what_they_show() -> None:
    rng = np.random.default_rng(0)
    truth = square(10, 10, 20, 20) | square(80, 80, 30, 30)
    seen: set[tuple[bool, bool, bool]] = set()
    for _ in range(60):
        chain = begin(rng, truth, np.where(truth, np.float32(0.9), np.float32(0.1)))
        boxed = bool(chain.labels[0] == 2)
        seen.add((boxed, chain.clicks > 0, chain.mask is not None))
        if boxed or chain.alone:
            assert chain.target.sum() in (400, 900)
        if boxed:
            low, high = chain.points[0] / 2, chain.points[1] / 2
            assert np.abs(low - np.argwhere(chain.target)[0][::-1]).max() < 15
            assert (high > low).all()
    assert seen == {(False, False, False), (False, True, False), (True, False, False), (False, True, True),
                    (False, False, True)}  # fmt: skip


def test_an_empty_picture_is_never_prompted_as_if_it_held_a_lesion() -> None:
    rng = np.random.default_rng(0)
    nothing = np.zeros((128, 128), np.bool_)
    chains = [begin(rng, nothing, np.zeros((128, 128), np.float32)) for _ in range(40)]
    assert not any((chain.labels > 0).any() for chain in chains)


def test_the_worth_of_a_rightly_empty_mask_is_one() -> None:
    empty, full = torch.full((1, MASKS, 8, 8), -5.0), torch.full((1, MASKS, 8, 8), 5.0)
    nothing = torch.zeros(1, 1, 8, 8)
    assert true_iou(empty, nothing).eq(1).all()
    assert true_iou(full, nothing).eq(0).all()
    assert true_iou(empty, 1 - nothing).eq(0).all()


@pytest.mark.parametrize("focal", [False, True])
def test_a_better_mask_costs_less_and_a_lone_point_pays_for_its_best_alternative(focal: bool) -> None:
    target = torch.from_numpy(square(40, 40, 40, 40)).float()[None, None]
    good, bad = 10 * (target - 0.5), -10 * (target - 0.5)
    worth = torch.full((1, MASKS), 0.5)
    single, alone = torch.tensor([False]), torch.tensor([True])
    mixed = torch.cat((bad, good, bad, bad), 1)
    assert step_loss(mixed, worth, target, alone, focal) < step_loss(mixed, worth, target, single, focal)
    assert shown_mask(mixed, torch.tensor([[0.9, 0.8, 0.1, 0.1]]), alone).equal(good[:, 0])
    assert shown_mask(mixed, torch.tensor([[0.1, 0.8, 0.1, 0.1]]), single).equal(bad[:, 0])


def test_a_bank_is_the_same_when_it_is_built_again(bank: Bank) -> None:
    torch.manual_seed(0)
    again = build(LesionNet(), simulated(0, 1, 4, 64, lambda line: None), 1, 0)
    assert len(bank) == 4
    assert torch.equal(bank.fine, again.fine)
    assert torch.equal(bank.truth, again.truth)
    assert bank.prior.shape == (4, 1, 128, 128)


def test_a_resumed_run_equals_an_uninterrupted_one(bank: Bank, tmp_path: Path) -> None:
    def run(folder: str) -> Run:
        return Run(PLAN, tmp_path / folder, bank, None, {"trunk": "x"})

    whole = run("whole")
    whole.finish(lambda line: None)
    run("cut").finish(lambda line: None, until=2)
    resumed = run("cut")
    assert resumed.resume()
    assert resumed.step == 2
    resumed.finish(lambda line: None)
    for one, other in zip(whole.kept.state_dict().values(), resumed.kept.state_dict().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    assert [entry["step"] for entry in resumed.history] == [2, 4]
    with pytest.raises(ValueError, match="another plan"):
        Run(PLAN, tmp_path / "cut", bank, None, {"trunk": "y"}).resume()


def test_fine_tuning_begins_with_the_weights_that_it_is_given(bank: Bank, tmp_path: Path) -> None:
    first = Run(PLAN, tmp_path / "first", bank, None, {})
    first.finish(lambda line: None, until=2)
    second = Run(Plan(steps=2, batch=2, seed=5), tmp_path / "second", bank, None, {})
    second.start_from(tmp_path / "first" / "decoder.pt")
    stored, facts = load_decoder(tmp_path / "first" / "decoder.pt")
    assert facts["step"] == 2
    for one, other in zip(second.live.state_dict().values(), stored.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_training_lowers_the_loss(bank: Bank, tmp_path: Path) -> None:
    run = Run(Plan(steps=24, batch=4, rounds=1, every=12, rate=3e-3), tmp_path, bank, None, {})
    run.finish(lambda line: None)
    assert run.history[-1]["loss"] < 0.8 * run.history[0]["loss"]


def test_an_epoch_shows_every_picture_once(bank: Bank, tmp_path: Path) -> None:
    run = Run(PLAN, tmp_path, bank, None, {})
    assert sorted(run.chosen(0) + run.chosen(1)) == [0, 1, 2, 3]
    assert run.chosen(7) == run.chosen(7)


def test_a_public_set_named_alone_is_still_divided(tmp_path: Path) -> None:
    folder, own = tmp_path / "busi", tmp_path / "site"
    for place in (folder, own):
        place.mkdir()
        lines = [f"{number},{number}.png,{number}.png,g{number},malignant,breast" for number in range(40)]
        (place / "index.csv").write_text("id,image,mask,group,label,organ\n" + "\n".join(lines))
        for number in range(40):
            (place / f"{number}.png").write_bytes(b"")
    assert len(rows_of(own, "train")) == 40
    assert 20 < len(rows_of(folder, "train")) < 40
    (own / "index.csv").write_text("id,image,mask\n1,1.png,1.png\n")
    with pytest.raises(ValueError, match="name it with --organ"):
        rows_of(own, "train")


def one_seen(organ: str, trunk: float, automatic: float) -> Seen:
    return Seen("s", organ, "1", "g", "benign", True, trunk, automatic, True, True, 0.8, 0.9, trunk, (1, 1, 1), (1,))


def test_settings_follow_validation() -> None:
    seen = [one_seen("breast", 0.7, 0.9), one_seen("breast", 0.8, 0.8), one_seen("thyroid", 0.8, 0.7)]
    settings = settle(seen)
    assert settings["automatic_breast"] == 1
    assert settings["automatic_thyroid"] == 0


def test_ranks_share_ties() -> None:
    assert spearman([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)
    assert spearman([1, 1, 1], [1, 2, 3]) == 0


def test_prompts_are_stacked_as_the_decoder_takes_them(decoder: PromptDecoder, bank: Bank) -> None:
    part = bank.at([0, 1])
    chains: list[Chain] = [unprompted(truth.numpy() > 0) for truth in part.truth]
    with torch.inference_mode():
        scene = decoder.see(part.deep, part.fine, part.edge, part.prior, part.organ)
        logits, iou = decoder.decode(scene, *stack(chains))
    assert logits.shape == (2, MASKS, 128, 128)
    assert iou.shape == (2, MASKS)
    assert ((iou >= 0) & (iou <= 1)).all()
