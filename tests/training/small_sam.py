"""The smallest network that Segment Anything's own classes can express, in the public layout."""

from functools import partial

import segment_anything.modeling as modeling
import torch
from torch import nn

from training.sam_import import DEVIATION, MEAN

SIDE, WIDTH = 128, 32


def small_sam() -> nn.Module:
    """SAM's own classes, few and narrow layers, one windowed and one global block, no number as it was made."""
    torch.manual_seed(0)
    grid = SIDE // 16
    sam = modeling.Sam(
        modeling.ImageEncoderViT(
            img_size=SIDE, embed_dim=48, depth=2, num_heads=3, out_chans=WIDTH, use_rel_pos=True, window_size=5,
            global_attn_indexes=(1,), norm_layer=partial(nn.LayerNorm, eps=1e-6),
        ),
        modeling.PromptEncoder(WIDTH, (grid, grid), (SIDE, SIDE), 16),
        modeling.MaskDecoder(
            transformer_dim=WIDTH, transformer=modeling.TwoWayTransformer(2, WIDTH, 8, 64), iou_head_hidden_dim=24
        ),
        list(MEAN), list(DEVIATION),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    for parameter in sam.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return sam.eval()
