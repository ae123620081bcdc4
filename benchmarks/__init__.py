"""The pipeline against its limit, codecs and engines against their peers.

Belongs here: programs that measure and write `results/*.json`; nothing imports this room.
"""
