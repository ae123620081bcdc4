"""The same step in other libraries, beside the product: `make bench-peers`.

Belongs here: one module for each peer, each a program of its own that reads `frame.captured`, calls the project's own
functions and commits an offset only after the objects are stored and the result is on the broker. Runs in an
environment of its own (`requirements.lock` beside this file), except `__main__` and `contenders`, which measure in the
project's.
"""
