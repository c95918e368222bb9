"""The parts of a listener's work: which one a document belongs to."""

from __future__ import annotations

import hashlib
from typing import Any

__all__ = ["PARTITIONS", "document_key", "partition_of"]

PARTITIONS = 16
"""How many parts the work of a listener has: so many processes can share it. Stored progress depends on it."""


def document_key(collection: str, key: Any) -> str:
    """Return the name of a document among all that a listener is told of."""
    return f"{collection}/{key!r}"


def partition_of(key: str) -> int:
    """Return the partition of a document, the same in every process.

    By a cryptographic digest: checksums put twice as many ids that count up into one partition as into another.
    """
    encoded = key.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, digest_size=1, usedforsecurity=False).digest()[0] % PARTITIONS
