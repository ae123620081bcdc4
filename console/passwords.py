"""Passwords: argon2id with the cost that RFC 9106 recommends where memory is scarce, and generated ones."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Semaphore
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
LONGEST: Final = 256
"""Signs of a password; what is longer is not even hashed."""
LEAST_DIFFERENT: Final = 5
"""So many different signs has a password."""
AT_ONCE: Final = 2
"""So many passwords are hashed at a time: each takes 64 MiB."""

GivenT = ParamSpec("GivenT")
AnswerT = TypeVar("AnswerT")

_HASHER: Final = PasswordHasher()
_ROOM: Final = Semaphore(AT_ONCE)
_SIGNS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_TURNS: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")


async def in_turn(do: Callable[GivenT, AnswerT], *given: GivenT.args, **named: GivenT.kwargs) -> AnswerT:
    """Do something that hashes passwords, in threads of its own: however many people log in, pages are answered."""
    return await asyncio.get_running_loop().run_in_executor(_TURNS, lambda: do(*given, **named))


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _ROOM:
        return _HASHER.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed. Without an account it takes as long, and is never right."""
    if len(password) > LONGEST:
        return False
    with _ROOM:
        try:
            return _HASHER.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    """The hash that a password is compared with where there is no account."""
    return _HASHER.hash(secrets.token_hex(16))


def is_cheap(kept: str) -> bool:
    """Whether a password was hashed with less cost than today's."""
    return _HASHER.check_needs_rehash(kept)


def is_easy(password: str, code: str) -> bool:
    """Whether a password is too short or too long, has few different signs, or holds the code of its account."""
    few = len(set(password)) < LEAST_DIFFERENT or code.lower() in password.lower()
    return few or not SHORTEST <= len(password) <= LONGEST


def generated() -> str:
    """A password of 79 bits that can be read out: four groups of four signs."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(4))
