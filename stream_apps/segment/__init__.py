"""Frames to regions: verify, decode, segment, measure, store. `step.py` is pure, `stage.py` tells the shell what to
do.
"""
