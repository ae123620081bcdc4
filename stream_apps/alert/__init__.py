"""A suspicious lesion to somebody's attention: judge each revision, keep what must be told in an outbox, deliver it.

`step.py` decides and is pure; the outbox (`sonovan.storage.outbox`) makes it durable before the offset is committed;
`sending.py` delivers, retries and withdraws; `stage.py` brings it all to the shell.
"""
