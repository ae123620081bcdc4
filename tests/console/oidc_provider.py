"""A real provider of logins on loopback: zitadel/oidc's server, built once from its pinned sources (`provider/`)."""

import hashlib
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sonovan.deploy.cache import cache_folder
from sonovan.deploy.files import locked
from sonovan.deploy.ports import find_free
from tests.waiting import until

SOURCES = Path(__file__).with_name("provider")
CLIENT, SECRET = "console", "a secret of both"
PASSWORD = "verysecure"


def built() -> Path:
    """The provider's program, in the cache folder; other sources are another program."""
    files = sorted(each for each in SOURCES.iterdir() if each.is_file())
    digest = hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:12]
    target = cache_folder() / f"oidc-provider-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_suffix(".lock"), waiting=lambda: None, deadline_s=600.0):
        if not target.exists():
            go = shutil.which("go")
            assert go is not None, "Go is missing: the provider cannot be built"
            beside = target.with_suffix(".new")
            command = [go, "build", "-trimpath", "-buildvcs=false", "-o", str(beside), "."]
            subprocess.run(command, cwd=SOURCES, env=os.environ | {"CGO_ENABLED": "0"}, check=True)
            beside.replace(target)
    return target


@contextmanager
def provider(folder: Path, back: str, people: dict[str, str]) -> Iterator[str]:
    """The issuer of a provider that runs until the block ends. back: where it may send browsers. people: ids by name;
    each has PASSWORD."""
    users = {
        code: {"ID": code, "Username": name, "Password": PASSWORD, "PreferredLanguage": "en", "FirstName": "",
               "LastName": "", "Email": f"{code}@example.invalid"}
        for name, code in people.items()
    }  # fmt: skip
    (folder / "users.json").write_text(json.dumps(users))
    port = find_free(avoid=frozenset())
    told = {"PORT": str(port), "USERS": str(folder / "users.json")}
    told |= {"CLIENT": CLIENT, "SECRET": SECRET, "REDIRECT": back}
    issuer = f"http://localhost:{port}/"
    with (folder / "provider.log").open("w") as log:
        process = subprocess.Popen([built()], env=os.environ | told, stdout=log, stderr=log)
        try:
            until(lambda: _answers(issuer), "the provider answers")
            yield issuer
        finally:
            process.terminate()
            process.wait()


def _answers(issuer: str) -> bool:
    try:
        with urllib.request.urlopen(f"{issuer}.well-known/openid-configuration", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False
