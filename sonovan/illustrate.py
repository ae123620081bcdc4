"""`make images`: the picture of the README, drawn again by the network that is shipped now."""

import sys
from pathlib import Path
from typing import Final

from sonovan import models
from sonovan.models.overlay import outlined_frame
from sonovan.models.phantom.sweep import simulate_sweep

SEED: Final = 7
FRAMES: Final = 40
"""The sweep that `make demo` sends."""


def draw_key_frame(path: Path, frames: int = FRAMES) -> int | None:
    """Write the frame of a simulated sweep that shows a region best; its index, None where nothing was outlined.

    Best is the highest mean score times area, as for a finding's key frame. In float32 on one runtime, so that every
    machine draws the same picture. Raises models.errors.ModelError where the network may not be trusted.
    """
    segmenter = models.load(provider="openvino", precision="fp32")
    best, key = 0.0, None
    for index, grey in enumerate(simulate_sweep("breast", frames=frames, seed=SEED).frames):
        regions = segmenter.segment(grey, "breast").regions
        worth = max((region.score_mean * region.area_px for region in regions), default=0.0)
        if worth > best:
            best, key = worth, index
            title = f"simulated sweep, frame {index + 1}: outlined by the network, unsigned"
            drawn = outlined_frame(grey, [region.polygon for region in regions], title=title)
    if key is not None:
        path.write_bytes(drawn)
    return key


def main() -> int:
    """Write the picture that the command names; 1 where there is nothing to show."""
    path = Path(sys.argv[1])
    key = draw_key_frame(path)
    sys.stdout.write(f"{path}: " + ("nothing was outlined, left as it was\n" if key is None else f"frame {key + 1}\n"))
    return int(key is None)


if __name__ == "__main__":
    sys.exit(main())
