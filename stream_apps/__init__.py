"""The centre: one folder per stage, `step.py` pure, `agent.py` Faust.

Belongs here: what happens to a record between two topics. faust is imported in `agent.py` files only.
"""
