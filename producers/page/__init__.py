"""The operator's page of `sonovan van serve`: register, tray, held frames, live view, lights, amendments.

Belongs here: what the operator sees and presses. What it does is done by the spool and the gateway; what it says comes
from whoever starts it (`Speaks`), since words live in `sonovan.reports`.
"""
