"""A centre on more than one machine, on one machine: losses, rolls, a cut network, and how `segment` scales.

`make bench-scale` writes `benchmarks/results/scale.json`; docs/scale.md reads it. Each host is a network namespace
(`network.py`), so this runs on Linux as root, with nft and PostgreSQL installed.
"""
