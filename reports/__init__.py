"""Findings to paper: the report's JSON and its page.

Belongs here: what a person reads. Imports contracts and clinical.
"""
