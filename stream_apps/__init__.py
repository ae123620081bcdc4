"""The centre: one folder per stage, one shell for all of them.

Belongs here: what happens to a record between two topics. A stage's `stage.py` opens it, its `step.py` is pure;
`handling.py` takes a message of any stage from bytes to an acknowledgement; `agent.py` and `feeding.py` alone import
faust.
"""
