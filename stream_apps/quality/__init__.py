"""Watches whether networks and scanners are still right: results, revisions and blind reviews to figures and faults.

`watching.py` sums up each screening where its frames are; `windows.py` holds screenings of one network against each
other, in the one partition that the network's fingerprint has.
"""
