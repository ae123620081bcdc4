"""The centre: one folder per stage, run by one shell.

Belongs here: what happens to a record between two topics. A stage's folder has a pure `step.py` and a `stage.py` that
says what the stage reads and what must be done after a step; `handling.py` does it for every stage. `agent.py` alone
imports faust.
"""
