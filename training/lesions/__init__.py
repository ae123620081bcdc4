"""Training of the companion `lesions`: `python -m training.lesions train|evaluate|register`."""
