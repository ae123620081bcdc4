"""Despeckling inside graphs (`layers`), the learned despeckler's training, and the report on every method."""
