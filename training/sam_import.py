"""A public checkpoint of Segment Anything as a network of the registry: encoder and decoder as ONNX, checked.

`python -m training.sam_import CHECKPOINT --out WEIGHTS_DIR`, or `sonovan models import sam` where torch is at
hand.

Kirillov et al., ICCV 2023 (arXiv 2304.02643), in the package `segment-anything` (Apache-2.0), which this room loads but
does not copy. The layout of a checkpoint tells its own sizes, so that ViT-B, -L and -H and smaller ones are read alike.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sonovan.models.errors import WrongWeights
from training.network import ORGANS

OPSET = 17
TOLERANCE = 1e-3
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)
ORGAN_TOKENS = "organ_tokens.weight"
"""What fine-tuning adds to the public layout: one prompt token per organ, by which the decoder draws unasked."""
NOTE = (
    "SAM: its mask without a prompt comes from the decoder and means nothing before it was fine-tuned; "
    "pictures lie in the top left corner, the longest side fills the square"
)
LICENCE = "Segment Anything, Apache-2.0, where the checkpoint is Meta's; else as its owner says."


@dataclass(frozen=True)
class Imported:
    """What was written, and by how much it differs from the package's own predictor."""

    model_id: str
    encoder: Path
    decoder: Path
    parameters: int
    embedding_difference: float
    mask_difference: float
    iou_difference: float


def package() -> Any:
    """The package; raises WrongWeights, with what to do, where it is not installed."""
    try:
        return importlib.import_module("segment_anything")
    except ImportError as error:
        raise WrongWeights(
            f"{error.name} is not installed: a SAM checkpoint is read in the training environment "
            "(training/requirements.lock)"
        ) from None


def read_checkpoint(path: Path) -> tuple[nn.Module, Tensor | None]:
    """The network of a checkpoint in the public layout, and the organ tokens (organs, width) of a fine-tuned one.

    Raises WrongWeights for a file that is no such checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WrongWeights(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # torch has no common class for what a wrong file may raise
        raise WrongWeights(f"{path} is no checkpoint that torch can read: {type(error).__name__}") from None
    if not isinstance(state, dict) or "image_encoder.pos_embed" not in state:
        raise WrongWeights(f"{path} has not the public layout of a SAM checkpoint: no image_encoder.pos_embed")
    tokens = state.pop(ORGAN_TOKENS, None)
    try:
        sam = blank(state)
        sam.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        first = " ".join(str(error).split())[:200]
        raise WrongWeights(f"{path} has not the public layout of a SAM checkpoint: {first}") from None
    return sam.eval(), tokens


def blank(state: dict[str, Tensor]) -> nn.Module:
    """A network of the sizes that a checkpoint's tensors have, built of the package's own classes."""
    modeling = importlib.import_module(package().__name__ + ".modeling")
    _, grid, _, wide = state["image_encoder.pos_embed"].shape
    patch = state["image_encoder.patch_embed.proj.weight"].shape[-1]
    depth = _count(state, r"image_encoder\.blocks\.(\d+)\.")
    reach = [state[f"image_encoder.blocks.{number}.attn.rel_pos_h"].shape for number in range(depth)]
    windows = {(length + 1) // 2 for length, _ in reach if length != 2 * grid - 1}
    width = state["image_encoder.neck.0.weight"].shape[0]
    layers = _count(state, r"mask_decoder\.transformer\.layers\.(\d+)\.")
    return modeling.Sam(
        image_encoder=modeling.ImageEncoderViT(
            img_size=grid * patch, patch_size=patch, embed_dim=wide, depth=depth, num_heads=wide // reach[0][1],
            mlp_ratio=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0] / wide, out_chans=width, qkv_bias=True,
            norm_layer=partial(nn.LayerNorm, eps=1e-6), use_rel_pos=True, window_size=windows.pop() if windows else 0,
            global_attn_indexes=tuple(number for number in range(depth) if reach[number][0] == 2 * grid - 1),
        ),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=width, image_embedding_size=(grid, grid), input_image_size=(grid * patch, grid * patch),
            mask_in_chans=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
        ),
        mask_decoder=modeling.MaskDecoder(
            num_multimask_outputs=state["mask_decoder.mask_tokens.weight"].shape[0] - 1, transformer_dim=width,
            transformer=modeling.TwoWayTransformer(
                depth=layers, embedding_dim=width, num_heads=8,
                mlp_dim=state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
            ),
            iou_head_depth=_count(state, r"mask_decoder\.iou_prediction_head\.layers\.(\d+)\."),
            iou_head_hidden_dim=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
        ),
        pixel_mean=list(MEAN), pixel_std=list(DEVIATION),
    )  # fmt: skip


class Encoder(nn.Module):
    """Grey 0..255 (1, 1, S, S), picture in the top left corner → masks (1, organs, S, S), embedding (1, C, G, G)."""

    def __init__(self, sam: nn.Module, tokens: Tensor | None) -> None:
        super().__init__()
        self.sam, self.side = sam, sam.image_encoder.img_size
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))
        self.register_buffer("tokens", tokens)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        deep = self.sam.image_encoder(self.prepared(frames))
        return torch.sigmoid(
            functional.interpolate(self.automatic(deep), (self.side, self.side), mode="bilinear")
        ), deep

    def prepared(self, frames: Tensor) -> Tensor:
        """Normalised as SAM does. What is black below and right of the picture is padding: 0, SAM's mean colour."""
        columns, rows = frames.amax(2, keepdim=True), frames.amax(3, keepdim=True)
        content = (columns.flip(3).cumsum(3).flip(3) > 0) & (rows.flip(2).cumsum(2).flip(2) > 0)
        return (frames.expand(-1, 3, -1, -1) - self.mean) / self.deviation * content.to(frames.dtype)

    def automatic(self, deep: Tensor) -> Tensor:
        """(1, organs, S/4, S/4) logits without a prompt: by the organ's token where there is one, else by none."""
        prompts = self.sam.prompt_encoder
        dense = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1).expand_as(deep)
        drawn = []
        for organ in range(len(ORGANS) if self.tokens is not None else 1):
            sparse = deep.new_zeros(1, 0, deep.shape[1]) if self.tokens is None else self.tokens[organ].view(1, 1, -1)
            logits, _ = self.sam.mask_decoder.predict_masks(deep, prompts.get_dense_pe(), sparse, dense)
            drawn.append(logits[:, :1])
        return torch.cat(drawn, 1).expand(-1, len(ORGANS), -1, -1)


class Decoder(nn.Module):
    """Embedding and prompts → logits (1, M, S/4, S/4) and IoU (1, M); names as docs/prompts.md has them."""

    def __init__(self, sam: nn.Module) -> None:
        super().__init__()
        self.traced = importlib.import_module(package().__name__ + ".utils.onnx").SamOnnxModel(sam, False)

    def forward(
        self, deep: Tensor, point_coords: Tensor, point_labels: Tensor, mask_input: Tensor, has_mask_input: Tensor
    ) -> tuple[Tensor, Tensor]:
        sam = self.traced.model
        sparse = self.traced._embed_points(point_coords, point_labels)
        dense = self.traced._embed_masks(mask_input, has_mask_input)
        return sam.mask_decoder.predict_masks(deep, sam.prompt_encoder.get_dense_pe(), sparse, dense)


def import_sam(checkpoint: Path, weights: Path, say: Callable[[str], None] = lambda line: None) -> Imported:
    """Writes both graphs into the weights folder, compares them with SamPredictor and registers them.

    Raises WrongWeights for a wrong checkpoint or a missing package, and where a graph differs by more than TOLERANCE.
    """
    sam, tokens = read_checkpoint(checkpoint)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    model_id = f"sam-x{digest[:8]}"
    weights.mkdir(parents=True, exist_ok=True)
    encoder, decoder = weights / f"{model_id}.onnx", weights / f"{model_id}-prompt.onnx"
    say(f"exporting {model_id}: input {sam.image_encoder.img_size}, {_parameters(sam) / 1e6:.1f} M parameters")
    with torch.no_grad():
        _export(Encoder(sam, tokens), (_example(sam),), encoder, ["frames"], ["masks", "deep"], {})
        free = {"point_coords": {1: "points"}, "point_labels": {1: "points"}}
        names = ["deep", "point_coords", "point_labels", "mask_input", "has_mask_input"]
        _export(Decoder(sam), _prompts(sam), decoder, names, ["logits", "iou"], free)
    say("comparing both files with SamPredictor")
    embedding, mask, iou = compare(sam, encoder, decoder)
    if not max(embedding, mask, iou) <= TOLERANCE:
        told = f"embedding {embedding:.1e}, masks {mask:.1e}, IoU {iou:.1e}"
        raise WrongWeights(f"the files made of {checkpoint} differ from SamPredictor by more than {TOLERANCE}: {told}")
    _register(weights, model_id, encoder, decoder, sam.image_encoder.img_size, digest)
    return Imported(model_id, encoder, decoder, _parameters(sam), embedding, mask, iou)


def compare(sam: nn.Module, encoder: Path, decoder: Path) -> tuple[float, float, float]:
    """Largest differences of embedding, mask probability and predicted IoU between the files and SamPredictor.

    An oblong picture of speckle, whose longest side needs no resizing; one point, several points, a box, a point with
    the mask before.
    """
    from sonovan.models.engine.runtimes import onnxruntime

    predictor = package().SamPredictor(sam)
    side = sam.image_encoder.img_size
    picture = np.random.default_rng(0).integers(1, 256, (3 * side // 4, side)).astype(np.uint8)
    predictor.set_image(np.repeat(picture[..., None], 3, 2))
    frame = np.zeros((1, 1, side, side), np.float32)
    frame[0, 0, : picture.shape[0]] = picture
    options = {"providers": ["CPUExecutionProvider"]}
    deep = onnxruntime().InferenceSession(str(encoder), **options).run(["deep"], {"frames": frame})[0]
    session = onnxruntime().InferenceSession(str(decoder), **options)
    embedding = _difference(deep, predictor.features.numpy())
    masks, ious = 0.0, 0.0
    before: NDArray[np.float32] | None = None
    points = np.array([[0.3, 0.4], [0.6, 0.5], [0.2, 0.7]]) * side
    for count, box in ((1, None), (3, None), (0, [0.2, 0.1, 0.7, 0.6]), (1, None)):
        corners = None if box is None else np.array(box) * side
        places = points[:count] if count else None
        said = np.arange(count) % 2 if count else None
        _, iou, low = predictor.predict(places, said, corners, before, multimask_output=True)
        _, single_iou, single = predictor.predict(places, said, corners, before, multimask_output=False)
        given = points[:count] if corners is None else corners.reshape(2, 2)
        labels = np.append(np.arange(count) % 2, -1) if corners is None else np.array((2, 3))
        placed = np.concatenate((given, np.zeros((1, 2)))) if corners is None else given
        asked = np.zeros((1, 1, side // 4, side // 4), np.float32) if before is None else before[None]
        feed = {"deep": deep, "point_coords": placed[None], "point_labels": labels[None], "mask_input": asked}
        feed["has_mask_input"] = np.array([before is not None])
        logits, worth = session.run(None, {name: np.asarray(one, np.float32) for name, one in feed.items()})
        truth = np.concatenate((single, low))
        masks = max(masks, _difference(_probability(logits[0]), _probability(truth)))
        ious = max(ious, _difference(worth[0], np.concatenate((single_iou, iou))))
        before = single
    return embedding, masks, ious


def _register(weights: Path, model_id: str, encoder: Path, decoder: Path, side: int, checkpoint: str) -> None:
    """Appends the entry, so that a folder's first network stays the one that runs when none is named."""
    path = weights / "registry.json"
    known = json.loads(path.read_text(encoding="utf-8"))["models"] if path.exists() else []
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (encoder, decoder)]
    entry: dict[str, Any] = {
        "id": model_id, "file": encoder.name, "sha256": hashes[0], "organs": ORGANS,
        "input": {"name": "frames", "rows": side, "columns": side, "corner": True},
        "output": {"name": "masks", "features": ["deep"]}, "threshold": 0.5,
        "min_area_px": round(40 * (side / 256) ** 2), "precisions": ["fp32"], "licence": LICENCE, "card": "",
        "companions": {"prompt": {"file": decoder.name, "sha256": hashes[1], "settings": {}}},
        "note": NOTE, "checkpoint_sha256": checkpoint,
    }  # fmt: skip
    models = [other for other in known if other["id"] != model_id] + [entry]
    path.write_text(json.dumps({"version": 1, "models": models}, indent=2) + "\n", encoding="utf-8")


def _export(
    graph: nn.Module, given: tuple[Tensor, ...], path: Path, names: list[str], outputs: list[str], free: dict[str, Any]
) -> None:
    torch.onnx.export(
        graph.eval(), given, str(path), input_names=names, output_names=outputs, opset_version=OPSET,
        dynamic_axes=free, dynamo=False, do_constant_folding=True,
    )  # fmt: skip
    onnx.checker.check_model(str(path), full_check=True)


def _example(sam: nn.Module) -> Tensor:
    side = sam.image_encoder.img_size
    return torch.rand((1, 1, side, side), generator=torch.Generator().manual_seed(0)) * 254 + 1


def _prompts(sam: nn.Module) -> tuple[Tensor, ...]:
    grid, side = sam.prompt_encoder.image_embedding_size[0], sam.image_encoder.img_size
    deep = torch.zeros(1, sam.prompt_encoder.embed_dim, grid, grid)
    points, labels = side * torch.rand(1, 3, 2), torch.tensor([[1.0, 0.0, -1.0]])
    return deep, points, labels, torch.zeros(1, 1, 4 * grid, 4 * grid), torch.ones(1)


def _count(state: dict[str, Tensor], pattern: str) -> int:
    return 1 + max(int(found[1]) for name in state if (found := re.match(pattern, name)))


def _parameters(sam: nn.Module) -> int:
    return sum(parameter.numel() for parameter in sam.parameters())


def _probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max())


def told(done: Imported) -> str:
    """What the command prints of it."""
    return (
        f"{done.model_id}\n  {done.encoder}\n  {done.decoder}\n"
        f"  differs from SamPredictor by: embedding {done.embedding_difference:.1e}, "
        f"masks {done.mask_difference:.1e}, IoU {done.iou_difference:.1e}"
    )


def main() -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.sam_import", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="weights folder")
    arguments = parser.parse_args()
    try:
        print(told(import_sam(arguments.checkpoint, arguments.out, lambda line: print(line, file=sys.stderr))))
    except WrongWeights as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
