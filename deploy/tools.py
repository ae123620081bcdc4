"""The programs that this machine must have. What is missing is named with what to install, all of it in one line."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sonovan.deploy.errors import ToolMissing

VERSION_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Tool:
    """A program, the oldest version that will do, how to ask for its version, and what to install."""

    name: str
    oldest: tuple[int, ...]
    ask: str
    pattern: str
    install: str
    home_variable: str | None = None


_JDK = "a JDK 17 or newer (apt install openjdk-17-jdk-headless)"
JAVA = Tool("java", (17,), "-version", r'version "(\d+)', _JDK, "JAVA_HOME")
MAVEN = Tool("mvn", (3, 6), "-version", r"Apache Maven (\d+)\.(\d+)", "Maven 3.6 or newer (apt install maven)")
# An older Go fetches the one that MinIO asks for, which it learned to do in 1.21.
GO = Tool("go", (1, 21), "version", r"go version go(\d+)\.(\d+)", "Go 1.21 or newer (go.dev/dl)")


def find_tools(*tools: Tool) -> dict[str, Path]:
    """Return the path of each tool by name. Raises ToolMissing: one line that names all that are missing or too old."""
    found: dict[str, Path] = {}
    troubles: list[str] = []
    for tool in tools:
        path = _locate(tool)
        if path is None:
            troubles.append(f"{tool.name} not found: install {tool.install}")
            continue
        version = _version(tool, path)
        if version is None or version < tool.oldest:
            shown = "of unknown version" if version is None else ".".join(map(str, version))
            troubles.append(f"{path} is {shown}: install {tool.install}")
        found[tool.name] = path
    if troubles:
        raise ToolMissing("; ".join(troubles))
    return found


def _locate(tool: Tool) -> Path | None:
    home = os.environ.get(tool.home_variable) if tool.home_variable else None
    if home and (path := Path(home) / "bin" / tool.name).is_file():
        return path
    found = shutil.which(tool.name)
    return Path(found) if found else None


def _version(tool: Tool, path: Path) -> tuple[int, ...] | None:
    try:
        said = subprocess.run(
            [path, tool.ask],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    matched = re.search(tool.pattern, said.stdout + said.stderr)
    return tuple(int(number) for number in matched.groups()) if matched else None
