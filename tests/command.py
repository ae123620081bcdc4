"""`sonovan` run within the test's own process, which saves the second that a new interpreter needs to start."""

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

from sonovan.cli import build
from sonovan.cli.failures import run


@dataclass(frozen=True)
class Told:
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def sonovan(*arguments: str, environment: Mapping[str, str] | None = None) -> Told:
    """Run a command that installs no signal handlers and starts nothing that outlives it.

    environment: the variables of sonovan that it sees; none that stand in the environment of the tests reach it.
    """
    said, complained = io.BytesIO(), io.BytesIO()
    out = io.TextIOWrapper(said, encoding="utf-8", write_through=True)
    err = io.TextIOWrapper(complained, encoding="utf-8", write_through=True)
    with _variables(environment or {}), redirect_stdout(out), redirect_stderr(err):
        code = run(build(), arguments)
    return Told(code, said.getvalue().decode(), complained.getvalue().decode())


@contextmanager
def _variables(given: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("SONOVAN_")]:
        del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
