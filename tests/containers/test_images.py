"""What is in the images: the versions of the lock, no secret in any layer, and nothing that makes them large."""

import json
import re
import subprocess
from typing import Final

import pytest
import yaml

from tests.containers.engine import ROOT
from tests.containers.layers import archive_of, files_of, saved, suspicious

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

_SERVICES: Final = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
IMAGES: Final = sorted({described["image"] for described in _SERVICES.values()})
LARGEST_MB: Final = {"sonovan": 2000, "sonovan-broker": 550, "sonovan-database": 500, "sonovan-minio": 280}
_NORMAL: Final = re.compile(r"[-_.]+")


def run(image: str, program: str, *arguments: str) -> str:
    """What a program of an image says, without a network."""
    argv = ["docker", "run", "--rm", "--network", "none", "--entrypoint", program, image, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout


def image_of(service: str) -> str:
    return str(_SERVICES[service]["image"])


def test_python_packages_are_those_of_the_lock_and_no_others(engine: None) -> None:
    code = "import importlib.metadata as m; print(*sorted(f'{d.name}=={d.version}' for d in m.distributions()))"
    found = {
        f"{_NORMAL.sub('-', name).lower()}=={version}"
        for name, version in (each.split("==") for each in run(image_of("segment"), "python", "-c", code).split())
    }
    locked = set(re.findall(r"^([a-z0-9-]+==[^ ;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert len(locked) > 50
    assert found - {"sonovan==0.1.0"} == locked


def test_workers_know_the_public_authorities(engine: None) -> None:
    """By them an alert leaves by https, mail by TLS, and the console asks the provider of logins."""
    code = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    assert int(run(image_of("alert"), "python", "-c", code)) > 50


def test_the_broker_has_the_pinned_jars_and_no_others(engine: None) -> None:
    said = run(image_of("broker"), "sh", "-c", "cd /opt/kafka/libs && sha256sum -- *")
    assert sorted(said.splitlines()) == sorted((ROOT / "deploy" / "jars" / "sha256sums").read_text().splitlines())


@pytest.mark.parametrize("image", IMAGES)
def test_no_layer_holds_a_secret(engine: None, image: str) -> None:
    env = ROOT / ".env"  # what was there when the image was built, if anything was
    lines = env.read_text().splitlines() if env.exists() else []
    told = [line.split("=", 1)[1] for line in lines if re.match(r"\w+(PASSWORD|SECRET|_KEY)=", line)]
    assert suspicious(saved(image), told) == []


def test_a_secret_in_a_layer_is_found() -> None:
    key = b"-----BEGIN PRIVATE KEY-----\n" + b"QUJD" * 30 + b"\n-----END PRIVATE KEY-----\n"
    planted = {
        "a": key,
        "b": b"x=word-of-the-site",
        "app/.env": b"",
        "run/secrets/pip": b"[global]",
        "c": b"PRIVATE KEY",
    }
    assert suspicious(files_of(archive_of(planted)), ["word-of-the-site"]) == ["a", "b", "app/.env", "run/secrets/pip"]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_small_and_runs_as_nobody_of_importance(engine: None, image: str) -> None:
    told = subprocess.run(["docker", "image", "inspect", image], capture_output=True, text=True, check=True).stdout
    found = json.loads(told)[0]
    assert found["Config"]["User"] not in ("", "0", "root")
    assert found["Size"] / 1e6 < LARGEST_MB[image.split(":")[0]]
    assert "sonovan_" not in json.dumps(found["Config"]["Env"]).lower()
