"""Synthetic B-mode sweeps with lesions whose outlines are known.

Belongs here: the tissue, the scatterers and the sweep that are simulated. No network and no real picture.
"""

from sonovan.models.phantom.sweep import simulate_sweep

__all__ = ["simulate_sweep"]
