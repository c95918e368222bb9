"""Harnesses that break things on purpose, and look for what was lost, leaked or misreported.

Each comes in a short form, for CI, and a long one, for ``make soak``; each proves, on seeded faults, that it can fail,
those that need more than a quarter of a minute for it in the long form. What several of them need: ``application``
(what is tried), ``running`` (a process of its own for it), ``seeded`` (providers with a fault), ``writers`` and
``ledger`` (clients that write, and what the database must hold afterwards) and ``replicas`` (MongoDBs that may be
killed). Durable listeners have their own of each: ``listening``,
``seeded_delivery``, ``turns`` and ``told``.

The environment: ``SOAK`` is how many times as long as in CI they run, ``SEED`` a number that repeats random choices.
"""

from __future__ import annotations

import os

__all__ = ["SEED", "SOAK"]

SOAK = int(os.environ.get("SOAK", "1"))
"""How many times as many rounds as in CI."""

SEED = int(os.environ.get("SEED", "0"))
"""Where random choices begin: the same in CI every time; ``make soak`` chooses one and prints it."""
