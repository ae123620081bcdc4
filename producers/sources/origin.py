"""Where frames come from: a path, a capture device or an address, each of a type of its own.

`Path` takes one of the two slashes of `rtsp://` away, and a device is no file that could be sniffed.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Device:
    """A video device of this machine, such as `/dev/video0`."""

    path: str


@dataclass(frozen=True, slots=True)
class Address:
    """A stream, such as `rtsp://192.168.7.30/screen`. It may hold a password, so that only `shown` is printed."""

    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The address without account, password and what stands behind a question mark."""
        parts = urlsplit(self.url)
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


Origin: TypeAlias = Path | Device | Address


def name_of(origin: Origin) -> str:
    """A text that names this origin and no other, without where the command was typed; not for printing."""
    if isinstance(origin, Path):
        return os.path.abspath(origin)
    return origin.path if isinstance(origin, Device) else origin.url
