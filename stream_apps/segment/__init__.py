"""Frames to regions: verify, decode, segment, measure, store. `step.py` pure, `agent.py` Faust."""
