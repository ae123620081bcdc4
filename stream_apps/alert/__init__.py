"""A suspicious lesion to somebody's attention: judge each revision, keep what must be told in an outbox, deliver it.

`step.py` decides and is pure; the outbox (`sonovan.storage.outbox`) makes it durable before the offset is committed;
`sending.py` delivers, retries and withdraws; `agent.py` is the Faust shell.
"""
