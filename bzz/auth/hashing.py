"""Hashes of passwords: Argon2id by argon2-cffi, with the parameters that it recommends (RFC 9106), in threads.

This is the only module that imports argon2.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bzz.extras import needs

with needs("auth"):
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

__all__ = ["dummy_hash", "hash_password", "needs_rehash", "verify_password"]

T = TypeVar("T")

AT_ONCE = 4
"""How many hashes are made at the same time: each takes 64 MiB."""

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(AT_ONCE, "bzz-password")


@functools.cache
def dummy_hash() -> str:
    """Return a hash that no password has. It is verified if there is no account, so that this takes as long."""
    return _hasher.hash(secrets.token_hex())


async def hash_password(password: str) -> str:
    """Return the hash of ``password``, with its salt and parameters."""
    return await _in_thread(lambda: _hasher.hash(_normalized(password)))


async def verify_password(hashed_password: str, password: str) -> bool:
    """Return whether ``hashed_password`` is a hash of ``password``."""
    return await _in_thread(lambda: _is_of(hashed_password, _normalized(password)))


def needs_rehash(hashed_password: str) -> bool:
    """Return whether a hash was made with other parameters than the current ones."""
    return _hasher.check_needs_rehash(hashed_password)


def _is_of(hashed_password: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed_password, password)
    except (Argon2Error, InvalidHashError):
        return False


def _normalized(password: str) -> str:
    """Return ``password`` in Unicode normalization form NFKC (NIST SP 800-63B, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
