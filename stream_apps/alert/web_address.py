"""Addresses to which an alert may be sent."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_web_address(value: str) -> bool:
    """Whether it is `https://host…`, or `http://` of this machine."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        return False
    private = parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(host))
    return private and host != "" and not any(letter.isspace() for letter in value)


def is_this_machine(host: str) -> bool:
    """Whether what is sent there stays on this machine; a name that begins like its address does not count."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of a web address, in small letters."""
    return (urlsplit(url).hostname or "").lower()
