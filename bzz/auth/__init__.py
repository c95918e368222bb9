"""Authentication: sign-in by providers, sessions in signed tokens, and the guard that every handler awaits first."""

from __future__ import annotations

from bzz.auth.base import AuthProvider
from bzz.auth.github import GitHubProvider
from bzz.auth.google import GoogleProvider
from bzz.auth.guard import Guard, authenticated
from bzz.auth.hive import AuthHive
from bzz.auth.limiter import FailureStore, Limiter, MemoryFailures, MongoFailures
from bzz.auth.openid import OpenIDProvider
from bzz.auth.password import PasswordProvider
from bzz.auth.password_store import MemoryPasswords, MongoPasswords, PasswordStore
from bzz.auth.revocation import MemoryRevocation, MongoRevocation, RevocationStore

__all__ = [
    "AuthHive",
    "AuthProvider",
    "FailureStore",
    "GitHubProvider",
    "GoogleProvider",
    "Guard",
    "Limiter",
    "MemoryFailures",
    "MemoryPasswords",
    "MemoryRevocation",
    "MongoFailures",
    "MongoPasswords",
    "MongoRevocation",
    "OpenIDProvider",
    "PasswordProvider",
    "PasswordStore",
    "RevocationStore",
    "authenticated",
]
