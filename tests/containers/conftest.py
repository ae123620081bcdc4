"""One centre in containers for all tests of this folder, brought up and used by the commands of docs/operations.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.containers.engine import Project, clear_what_a_killed_run_left, why_none
from tests.containers.pages import blocks_of

BLOCKS: Final = ("start", "enrol", "send", "read", "look", "stop")
"""What the blocks of commands of the page's section on containers do."""


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips where no engine answers."""
    reason = why_none()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def typed() -> dict[str, str]:
    """What each block said that was typed so far."""
    return {}


@pytest.fixture(scope="session")
def project(engine: None, typed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A centre that runs, a van that sent one screening, and its report: the walk-through up to its last block.

    Everything that it made is removed afterwards, volumes too; the images stay.
    """
    clear_what_a_killed_run_left()
    project = Project.in_folder(tmp_path_factory.mktemp("containers"))
    page = dict(zip(BLOCKS, blocks_of("operations.md", "A centre in containers"), strict=True))
    project.type("deploy/compose/env.sh")  # which the page types too: it then leaves `.env` as it is
    with (project.folder / ".env").open("a") as settings:
        settings.writelines(f"SONOVAN_{name}={port}\n" for name, port in project.ports.items())
    try:
        for name in BLOCKS[:-1]:
            typed[name] = project.type(page[name])
        yield project
        typed["stop"] = project.type(page["stop"])
        assert project.type("docker compose ps --all --quiet").strip() == ""
    except BaseException:
        _tell_logs(project)
        raise
    finally:
        project.type("docker compose down --volumes --remove-orphans --timeout 20")
        left = f"docker volume ls --quiet --filter label=com.docker.compose.project={project.name}"
        assert project.type(left).strip() == ""


def _tell_logs(project: Project) -> None:
    said = project.type("docker compose ps --all; docker compose logs --no-color --tail 40")
    Path(project.folder / "logs").write_text(said)
    print(said)
