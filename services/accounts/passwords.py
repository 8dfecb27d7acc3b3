"""Passwords: argon2id hashes, and checks that take as long for an account that there is not.

Parameters by the OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane); few at a time, as each takes memory.
Length by NIST SP 800-63B: it is what counts; no rules about kinds of characters.
"""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN, LENGTH_MAX = 12, 256
AT_ONCE = 2
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_PLACES = threading.BoundedSemaphore(AT_ONCE)


def check_password(password: str, name: str) -> str:
    """Why the password cannot be one, '' where it can."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        return f"{len(password)} characters: give {LENGTH_MIN} to {LENGTH_MAX}"
    if len(set(password)) < 4:
        return "it is nearly one character over and over: give another"
    if name.casefold() in password.casefold():
        return "it holds the account's name: give another"
    return ""


def hash_password(password: str) -> str:
    """Its hash with salt and parameters, as the PHC string format has it."""
    with _PLACES:
        return _HASHER.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether the password is the one; `stored` is '' where there is no account, which takes as long."""
    with _PLACES:
        try:
            return _HASHER.verify(stored or _of_nobody(), password[: LENGTH_MAX + 1]) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _of_nobody() -> str:
    return _HASHER.hash("a password that opens nothing")
