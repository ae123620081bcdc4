"""A public SAM checkpoint taught a site's own masks: the decoder whole, low-rank adapters in the encoder.

Adapters as in Hu et al., ICLR 2022 (arXiv 2106.09685), in the attention of every block; they are added into the
weights at the end, so that the result has the public layout again, plus one token per organ by which the decoder
draws unasked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.augment import augment
from training.loop import one_cycle
from training.network import ORGANS, SIZE
from training.sam.loop import shown_mask, step_loss
from training.sam.network import CORNER, MASK_SIDE, NOT_A_POINT
from training.sam.prompts import Chain, begin, correct, shrink
from training.sam_import import ORGAN_TOKENS, Decoder, Encoder, read_checkpoint
from training.samples import Sample


@dataclass(frozen=True)
class Tuning:
    """What a run is made of. rank: of the adapters. rounds: masks per picture, the first and after each click."""

    epochs: int = 10
    rank: int = 4
    rounds: int = 2
    batch: int = 2
    rate: float = 4e-4
    seed: int = 0


class Adapted(nn.Module):
    """A linear layer that stays as it is, plus a product of two narrow ones that starts as nothing."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + (x @ self.down.T) @ self.up.T

    def merged(self) -> nn.Linear:
        """One layer that computes the same."""
        self.linear.weight.data += self.up.data @ self.down.data
        return self.linear


def finetune(
    checkpoint: Path, samples: list[Sample], out: Path, tuning: Tuning, say: Callable[[str], None] = lambda line: None
) -> list[float]:
    """Writes the tuned checkpoint to `out`, ready to be imported; returns the mean loss of each epoch.

    samples: letterboxed pictures with masks. Raises WrongWeights for a file that is no SAM checkpoint.
    """
    torch.manual_seed(tuning.seed)
    sam, known = read_checkpoint(checkpoint)
    sam.requires_grad_(False)
    for block in sam.image_encoder.blocks:
        block.attn.qkv = Adapted(block.attn.qkv, tuning.rank)
        block.attn.proj = Adapted(block.attn.proj, tuning.rank)
    sam.mask_decoder.requires_grad_(True)
    tokens = nn.Parameter(0.02 * torch.randn(len(ORGANS), sam.prompt_encoder.embed_dim) if known is None else known)
    learning = [one for one in sam.parameters() if one.requires_grad] + [tokens]
    optimizer = torch.optim.AdamW(learning, lr=tuning.rate, weight_decay=1e-2)
    say(f"{sum(one.numel() for one in learning) / 1e6:.2f} M numbers learn from {len(samples)} masks")
    steps = tuning.epochs * -(-len(samples) // tuning.batch)
    losses: list[float] = []
    for epoch in range(tuning.epochs):
        order = np.random.default_rng((tuning.seed, epoch)).permutation(len(samples))
        each: list[float] = []
        for start in range(0, len(order), tuning.batch):
            part = [int(number) for number in order[start : start + tuning.batch]]
            for group in optimizer.param_groups:
                group["lr"] = tuning.rate * one_cycle(epoch * (steps // tuning.epochs) + start // tuning.batch, steps)
            optimizer.zero_grad(set_to_none=True)
            for number in part:
                rng = np.random.default_rng((tuning.seed, epoch, number))
                loss = loss_of(sam, tokens, samples[number], rng, tuning.rounds) / len(part)
                loss.backward()
                each.append(float(loss.detach()) * len(part))
            nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
        losses.append(float(np.mean(each)))
        say(f"epoch {epoch + 1}/{tuning.epochs} loss {losses[-1]:.4f}")
    for block in sam.image_encoder.blocks:
        block.attn.qkv, block.attn.proj = block.attn.qkv.merged(), block.attn.proj.merged()
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(sam.state_dict() | {ORGAN_TOKENS: tokens.detach()}, out)
    return losses


def loss_of(sam: nn.Module, tokens: Tensor, sample: Sample, rng: np.random.Generator, rounds: int) -> Tensor:
    """Mean loss of one picture's chain of prompts."""
    side = sam.image_encoder.img_size
    picture, mask = augment(rng, sample.image, sample.mask, side)
    encoder = Encoder(sam, tokens)
    deep = sam.image_encoder(encoder.prepared(torch.from_numpy(picture)[None, None]))
    whole = functional.adaptive_avg_pool2d(torch.from_numpy(mask)[None, None], MASK_SIDE)[0, 0].numpy() >= 0.5
    chain = begin(rng, whole, np.where(whole, np.float32(0.9), np.float32(0.1)))
    target = torch.from_numpy(chain.target).float()[None, None]
    total = torch.zeros(())
    for turn in range(rounds):
        alone = torch.tensor([chain.alone])
        logits, iou = _answer(sam, tokens[ORGANS[sample.organ]], deep, chain)
        logits = functional.interpolate(logits, (MASK_SIDE, MASK_SIDE), mode="bilinear")
        total = total + step_loss(logits, iou, target, alone, focal=False)
        if turn + 1 < rounds:
            shown = shown_mask(logits.detach(), iou.detach(), alone)[0].numpy()
            correct(rng, chain, shown > 0)
            chain.mask = shrink(shown)
    return total / rounds


def _answer(sam: nn.Module, token: Tensor, deep: Tensor, chain: Chain) -> tuple[Tensor, Tensor]:
    """All masks and what they are worth: by the organ's token where nothing was asked, else by SAM's own prompts."""
    prompts = sam.prompt_encoder
    asked = chain.labels != NOT_A_POINT
    if not asked.any() and chain.mask is None:
        dense = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1).expand_as(deep)
        return sam.mask_decoder.predict_masks(deep, prompts.get_dense_pe(), token.view(1, 1, -1), dense)
    points, labels = chain.points[asked], chain.labels[asked]
    if not (labels >= CORNER).any():
        points, labels = np.vstack((points, np.zeros((1, 2)))), np.append(labels, NOT_A_POINT)
    scale = sam.image_encoder.img_size / SIZE
    places = torch.from_numpy((points + 0.5) * scale - 0.5).float()[None]
    grid = 4 * prompts.image_embedding_size[0]
    before = torch.zeros(1, 1, grid, grid)
    if chain.mask is not None:
        before = functional.interpolate(torch.from_numpy(chain.mask)[None, None], (grid, grid), mode="bilinear")
    given = torch.tensor([float(chain.mask is not None)])
    return Decoder(sam)(deep, places, torch.from_numpy(labels).float()[None], before, given)
