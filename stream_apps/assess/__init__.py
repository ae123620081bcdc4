"""Frames to findings: link regions over each sweep, account for every frame, publish revisions of a screening.

`received.py` reads and verifies a message, `known.py` loads the rows of its screening and says which to write, and in
between `step.py` decides, by `intake.py` and `revise.py`; all of them are pure. `report.py` renders and stores,
`takeover.py` catches up after a crash, `stage.py` brings it all to the shell.
"""
