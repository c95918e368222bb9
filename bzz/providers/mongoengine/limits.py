"""What MongoDB can hold of the values that JSON can write."""

from __future__ import annotations

from bzz.shape import Limits

__all__ = ["LIMITS"]


def _allows_key(key: str) -> bool:
    """Return whether an object with free keys may have a key.

    ``_cls`` makes MongoEngine build a class at the next read; ``$``, dots and NUL cannot be addressed in an update.
    """
    return key != "_cls" and key[0] != "$" and "." not in key and "\0" not in key


LIMITS = Limits(
    depth=32,  # well under the 100 levels at which MongoDB stops
    decimal_digits=34,  # as decimal128 has them (IEEE 754)
    decimal_exponents=(-6143, 6144),
    allows_key=_allows_key,
    key_pattern=r"^(?!_cls$)(?!\$)[^.\u0000]+$",
)
