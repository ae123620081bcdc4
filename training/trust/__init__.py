"""Training of the companion `trust`: `python -m training.trust train|register`."""
