"""What tests of several rooms share: the development data, and real services."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sonovan.centre import Centre

settings.register_profile("sonovan", deadline=None)  # how fast an example runs is for benchmarks to say
settings.load_profile("sonovan")

TOOLS = ("java", "mvn", "go")

# Brokers of tests live for minutes: the thorough compiler would take a third of their CPU time and never pay.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
os.environ.setdefault("SONOVAN_VAN_PASSPHRASE", secrets.token_hex(16))  # of the vans that tests enrol by commands


def skip_unless_ci(reason: str) -> None:
    """Skip the test with `reason`; in CI, where nothing may be skipped, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}: in CI nothing may be skipped")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data set: SONOVAN_SHARED_DATA, or `../shared/data` beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SONOVAN_SHARED_DATA", beside))
    if not folder.is_dir():
        skip_unless_ci(f"no development data at {folder}; set SONOVAN_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def service_tools() -> None:
    """Skip where the tools that start real services are missing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        skip_unless_ci(f"{', '.join(missing)} missing: real services cannot be started")


@pytest.fixture(scope="session")
def postgres_host() -> Iterator[str]:
    """A running PostgreSQL: the folder of its socket."""
    from tests.storage.postgres import find_postgres, running_postgres

    binaries = find_postgres()
    if binaries is None:
        skip_unless_ci("PostgreSQL is not installed (initdb, pg_ctl)")
        return
    with running_postgres(binaries) as host:
        yield host


@pytest.fixture(scope="session")
def centre(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Centre"]:
    """A running broker and MinIO with accounts, topics, ACLs and buckets; no apps. Shared by the whole session.

    Use ids of your own (screenings, vans), and read only what carries them: others write here too.
    """
    from sonovan.centre import down, up

    state_path = tmp_path_factory.mktemp("centre") / "state"
    try:
        yield up(state_path, apps=())
    finally:
        down(state_path)
