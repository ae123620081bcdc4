"""Training of the companion `trust`: `python -m models.training.trust train|register`."""
