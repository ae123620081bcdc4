"""Training of the companion `lesions`: `python -m models.training.lesions train|evaluate|register`."""
