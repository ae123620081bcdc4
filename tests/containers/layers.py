"""What the layers of an image hold, as the engine saves them: also what a later layer deleted."""

import io
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from typing import IO, Final

_PRIVATE: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{100,}")
_NAMES: Final = re.compile(
    r"(^|/)(\.env|\.netrc|\.pypirc|pip\.conf|settings\.xml|id_(rsa|ed25519|ecdsa)|authority\.pem)$"
)
_PUBLISHED: Final = re.compile(r"site-packages/(Crypto/SelfTest|pynetdicom/tests)/")
"""Where two packages publish keys, for their own tests."""
_LARGEST: Final = 1024 * 1024
"""Of the files whose bytes are looked at: what somebody wrote is smaller, libraries and networks are larger."""


def saved(image: str) -> Iterator[tuple[str, bytes]]:
    """Each file of each layer of an image: its path and its bytes, and the image's description as `manifest`."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        yield from files_of(saving.stdout)
    assert saving.returncode == 0


def files_of(archive: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """The files of an image's archive, layer by layer."""
    with tarfile.open(fileobj=archive, mode="r|") as outer:
        for part in outer:
            data = outer.extractfile(part)
            if data is None:
                continue
            if not part.name.endswith("layer.tar"):
                yield f"manifest/{part.name}", data.read()
                continue
            with tarfile.open(fileobj=data, mode="r|") as layer:
                for member in layer:
                    content = layer.extractfile(member) if member.isfile() and member.size <= _LARGEST else None
                    yield member.name, b"" if content is None else content.read()


def suspicious(files: Iterable[tuple[str, bytes]], secrets: Iterable[str]) -> list[str]:
    """The files that hold a private key or one of these secrets, are a mounted secret of a build, or are called as
    files with secrets are."""
    told = [secret.encode() for secret in secrets]
    found = []
    for path, data in files:
        if _PUBLISHED.search(path):
            continue
        named = _NAMES.search(path) is not None or (path.startswith("run/secrets/") and bool(data))
        if named or _PRIVATE.search(data) or any(secret in data for secret in told):
            found.append(path)
    return found


def archive_of(files: dict[str, bytes]) -> io.BytesIO:
    """An archive of an image with one layer of these files, for the tests of this module."""
    layer, archive = io.BytesIO(), io.BytesIO()
    for target, content in ((layer, files), (archive, None)):
        with tarfile.open(fileobj=target, mode="w") as writing:
            for name, data in (content or {"0/layer.tar": layer.getvalue()}).items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                writing.addfile(info, io.BytesIO(data))
    archive.seek(0)
    return archive
