"""The van: sources, privacy guard, spool, upload, register.

Belongs here: whatever runs on the laptop beside the scanner. Imports contracts, transport, models and clinical.
"""
