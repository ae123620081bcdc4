"""Simulated sweeps of real tissue with real lesions, for the benchmark of sequences; nothing here trains a network.

Belongs here: how a still of a public set becomes a sweep whose truth is known. `training/paste.py` is deliberately not
used: a network that had learnt the seams of its own pasting would be measured on them.
"""
