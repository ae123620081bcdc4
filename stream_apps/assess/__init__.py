"""Frames to findings: link regions over each sweep, account for every frame, publish revisions of a screening.

`intake.py` turns one message into rows, `revise.py` turns rows into a revision, `step.py` joins both; they are pure.
`report.py` renders and stores, `takeover.py` catches up after a crash, `stage.py` tells the shell what to do in which
order.
"""
