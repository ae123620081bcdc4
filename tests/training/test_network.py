"""The network's shape and its loss."""

# ruff: noqa: E402  (torch is asked for before anything that needs it)

import copy

import pytest

torch = pytest.importorskip("torch", reason="the training room needs torch (make test-training)")

from dataclasses import replace

from training.batches import Batch
from training.boundary import boundary_loss, distances
from training.loop import Lanes, Plan
from training.losses import gland_loss, lesion_losses, presence_loss
from training.network import LesionNet, load_imagenet, normalise

pytestmark = pytest.mark.training

PLAN = Plan(suspicion=0.0, thin=0.0)


@pytest.fixture(scope="module")
def network() -> LesionNet:
    torch.manual_seed(0)
    network = LesionNet()
    load_imagenet(network)
    return network.eval()


def make_batch(count: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand((count, 1, 64, 64), generator=generator) * 255
    masks = torch.zeros(count, 64, 64)
    masks[: count // 2, 20:40, 20:40] = 1
    nobody = torch.full((count,), -1.0)
    gland = torch.full((count, 64, 64), -1.0)
    return Batch(frames, masks, torch.arange(count) % 2, nobody, gland, torch.arange(count))


def test_one_logit_per_pixel_and_organ(network: LesionNet) -> None:
    for side in (64, 224):
        assert network(torch.zeros(2, 1, side, side)).shape == (2, 2, side, side)


def test_a_blank_picture_stays_finite(network: LesionNet) -> None:
    assert torch.isfinite(network(torch.full((1, 1, 64, 64), 9.0))).all()


def test_gain_and_offset_change_next_to_nothing() -> None:
    frames = torch.rand(1, 1, 64, 64) * 100 + 20
    assert torch.allclose(normalise(frames), normalise(2 * frames + 10), atol=0.02)


def test_only_the_organs_own_output_is_trained(network: LesionNet) -> None:
    batch = make_batch()
    logits = torch.zeros(4, 2, 64, 64, requires_grad=True)
    lesion_losses(logits, batch)[0].mean().backward()
    for number, channel in enumerate(batch.channel):
        assert logits.grad[number, channel].abs().sum() > 0
        assert logits.grad[number, 1 - channel].abs().sum() == 0


def test_a_perfect_answer_costs_nothing() -> None:
    batch = make_batch()
    logits = (batch.masks * 2 - 1)[:, None].repeat(1, 2, 1, 1) * 30
    for misses in (0.0, 1.0):
        assert lesion_losses(logits, batch, misses)[0].max() < 1e-3
        assert lesion_losses(-logits, batch, misses)[0].mean() > 10


def test_lanes_give_the_mean_gradient_of_their_parts() -> None:
    torch.manual_seed(0)
    network = LesionNet()
    batch, key = make_batch(), (0, 0)
    loss, _ = Lanes(network, 2, PLAN).backward(batch, key)
    got = network.head.weight.grad.clone()
    network.zero_grad()
    expected = [Lanes(network, 1, PLAN).backward(part, key)[0] for part in batch.split(2)][-1:]
    second = network.head.weight.grad.clone()
    network.zero_grad()
    expected.append(Lanes(network, 1, PLAN).backward(batch.split(2)[0], key)[0])
    assert loss == pytest.approx(sum(expected) / 2, rel=1e-3)
    assert torch.allclose(got, (second + network.head.weight.grad) / 2, rtol=0.02, atol=1e-4)


def test_lanes_know_what_was_left_out() -> None:
    torch.manual_seed(0)
    network = LesionNet()
    Lanes(network, 2, replace(PLAN, thin=1.0)).backward(make_batch(), (0, 1))
    left = [block for block in network.blocks if block.passed == 0]
    assert left
    assert all(block.residual or block.project[0].weight.grad is not None for block in left)
    assert network.head.weight.grad.abs().sum() > 0


def test_a_thinned_block_passes_on_what_it_got_and_use_knows_nothing_of_it() -> None:
    block = LesionNet().blocks[2]
    x = torch.rand(1, 24, 8, 8)
    assert block.residual
    whole = block.eval()(x)
    block.passed = 0.0
    assert block(x).equal(whole)
    assert block.train()(x).equal(x)


def test_distance_counts_from_the_outline_and_an_empty_mask_has_none() -> None:
    masks = torch.zeros(3, 40, 80)
    masks[0, 10:30, 20:60] = 1
    masks[2] = 1
    found = distances(masks)
    assert found[0, 20, 70] == pytest.approx(11 / 80, abs=0.01)
    assert found[0, 20, 40] == pytest.approx(-10 / 80, abs=0.01)
    assert not found[1:].any()


def test_the_boundary_loss_pulls_probability_to_the_lesion_the_more_the_farther_it_is() -> None:
    masks = torch.zeros(1, 40, 80)
    masks[0, 10:30, 20:40] = 1
    logits = torch.zeros(1, 40, 80, requires_grad=True)
    boundary_loss(logits, masks).backward()
    down = logits.grad[0, 20]
    assert down[30] < 0 < down[45] < down[70]
    near, far = (torch.roll(masks, shift, 2) * 20 - 10 for shift in (5, 30))
    assert boundary_loss(masks * 20 - 10, masks) < boundary_loss(near, masks) < boundary_loss(far, masks)


def test_a_lesion_missed_as_a_whole_weighs_more_than_one_nearly_met_where_misses_count() -> None:
    batch = make_batch()
    nearly = (batch.masks * 2 - 1) * 30
    nearly[:, 20:24] = -30  # a fifth of each lesion
    missed = torch.full_like(nearly, -30)

    def more(mask: torch.Tensor) -> float:
        logits = mask[:, None].repeat(1, 2, 1, 1)
        some, none = (lesion_losses(logits, batch, misses)[0][:2].mean() for misses in (1.0, 0.0))
        return float(some - none)

    assert more(missed) > 0.4
    assert more(nearly) < 0.1


def test_how_wrong_each_picture_is_is_told_one_by_one() -> None:
    batch = make_batch()
    logits = torch.full((4, 2, 64, 64), -30.0)
    _, wrong = lesion_losses(logits, batch, 1.0)
    assert wrong[:2].min() > 0.9
    assert wrong[2:].max() == pytest.approx(0, abs=1e-4)


def test_the_gland_is_learnt_only_where_somebody_outlined_it() -> None:
    gland = torch.full((2, 64, 64), -1.0)
    gland[1] = 0
    gland[1, 16:48] = 1
    logits = torch.zeros(2, 16, 16, requires_grad=True)
    gland_loss(logits, gland).backward()
    assert not logits.grad[0].any()
    assert (logits.grad[1, 4:12] < 0).all()
    assert (logits.grad[1, :4] > 0).all()


def test_presence_asks_the_organs_own_output() -> None:
    batch = make_batch()
    logits = torch.zeros(4, 2, requires_grad=True)
    presence_loss(logits, batch).backward()
    own = logits.grad[torch.arange(4), batch.channel]
    assert (own[:2] < 0).all()
    assert (own[2:] > 0).all()
    assert not logits.grad[torch.arange(4), 1 - batch.channel].any()


def test_frozen_norms_compute_what_norms_in_use_compute(network: LesionNet) -> None:
    frozen = copy.deepcopy(network)
    frozen.freeze_norms()
    frozen.train()
    frames = make_batch().frames
    assert torch.allclose(frozen(frames), network(frames), atol=1e-3)


def test_blocks_that_are_held_learn_nothing(network: LesionNet) -> None:
    held = copy.deepcopy(network)
    held.held = 4
    held(make_batch().frames).sum().backward()
    learnt = [block.project[0].weight.grad is not None for block in held.blocks]
    assert learnt == [number >= 4 for number in range(len(learnt))]
    assert held.stem[0].weight.grad is None
