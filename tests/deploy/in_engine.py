"""What tests/deploy/test_engine_runs.py has done under deploy/compose/with-engine.sh: an image built, run, looked at.

`python -m tests.deploy.in_engine FILE` writes what it saw into the file, as JSON.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from tests.containers.layers import saved, suspicious
from tests.waiting import until

ROOT: Final = Path(__file__).resolve().parents[2]
SERVICE: Final = "database"
"""Of compose.yaml: the one whose image Debian's packages alone make, in about a minute."""
IMAGE: Final = "sonovan-test-database"
WORKERS: Final = "sonovan-test-workers"
CLIENTS: Final = ("docker", "/usr/bin/docker")
"""Of the engine: a newer one before Debian's on the path may lack BuildKit, which is a program of its own there."""
NO_ENGINE: Final = 4
"""With this with-engine.sh ends where there can be no engine."""
LOOKED: Final = 'id -u; sed -n "s/^CapEff:\\t//p; s/^NoNewPrivs:\\t//p" /proc/1/status; touch /usr/bin/x 2>&1'


AUTHORITIES: Final = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"


def docker(*words: str, code: int = 0) -> str:
    """What a command of the engine says; it must end with `code`."""
    ran = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == code, (
        f"docker {words[0]} ended with {ran.returncode}, not {code}: {ran.stdout}{ran.stderr}"
    )
    return ran.stdout.strip()


def as_composed(described: dict[str, Any], told: dict[str, str]) -> list[str]:
    """The words of `docker run` for what compose.yaml says of a service. told: the values of its variables."""
    assert described["read_only"] is True
    words = ["--read-only"]
    words += [f"--cap-drop={each}" for each in described["cap_drop"]]
    words += [f"--security-opt={each}" for each in described["security_opt"]]
    words += [f"--tmpfs={each}" for each in described["tmpfs"]]
    words += [f"--volume={each.partition(':')[2]}" for each in described["volumes"]]
    return words + [f"--env={name}={value}" for name, value in told.items()]


def builds(client: str) -> bool:
    """Whether a client of the engine has BuildKit, which keeps the secrets of a build out of its layers."""
    told = os.environ | {"DOCKER_BUILDKIT": "1"}
    try:
        ran = subprocess.run([client, "build", "--help"], capture_output=True, text=True, check=False, env=told)
    except FileNotFoundError:
        return False
    return ran.returncode == 0 and "--secret" in ran.stdout


def workers() -> dict[str, Any] | None:
    """What the image of the workers says when it runs as compose.yaml has `segment`; None where no client builds it."""
    client = next(filter(builds, CLIENTS), None)
    if client is None:
        return None
    ran = subprocess.run([ROOT / "deploy" / "compose" / "build.sh", "--workers", client, WORKERS],
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    described = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["segment"]
    once = ["run", "--rm", "--network=none", *as_composed(described, {})]
    return {
        "version": docker(*once, WORKERS, "--version"),
        "user": docker(*once, "--entrypoint=id", WORKERS, "-u"),
        "authorities": docker(*once, "--entrypoint=python", WORKERS, "-c", AUTHORITIES),
        "secrets in layers": suspicious(saved(WORKERS), ()),
    }


def main(file: Path) -> int:
    """The exit code is NO_ENGINE where the engine has no base to build from."""
    described = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"][SERVICE]
    told = {name: secrets.token_urlsafe(24) for name in described["environment"]}
    base = os.environ.get("SONOVAN_BASE", "debian:bookworm-slim")
    for words in (["image", "inspect"], ["pull", "--quiet"]):
        if subprocess.run(["docker", *words, base], capture_output=True, check=False, timeout=900).returncode == 0:
            break
    else:
        print(f"the engine of this machine has no image {base}, and no registry gives it", file=sys.stderr)
        return NO_ENGINE
    # With the machine's own network, so that it needs no more of it than this process does.
    context = str(ROOT / described["build"]["context"])
    docker("build", "--quiet", "--network=host", f"--build-arg=BASE={base}", f"--tag={IMAGE}", context)
    container = docker("run", "--detach", "--network=none", *as_composed(described, told), IMAGE)
    try:
        asked = ["docker", "exec", container, *described["healthcheck"]["test"][1:]]
        until(
            lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0,
            "the service is well",
            evidence=lambda: docker("logs", container),
        )
        seen = {
            "user, rights, and what became of a file in /usr/bin": docker(
                "exec", container, "sh", "-c", LOOKED, code=1
            ).splitlines(),
            "environment of the image": json.loads(docker("image", "inspect", IMAGE))[0]["Config"]["Env"],
            "secrets in layers": suspicious(saved(IMAGE), told.values()),
        }
    finally:
        docker("rm", "--force", "--volumes", container)
    file.write_text(json.dumps(seen | {"workers": workers()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
