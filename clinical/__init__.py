"""Masks to findings: measuring, tracking, completeness, adequacy, categories, alert rules.

Belongs here: pure functions over numpy arrays and records. Imports contracts alone.
"""
