"""Mock APIs to build clients against: from a table, from an OpenAPI document, from a file."""

from __future__ import annotations

from bzz.mock.hive import MockHive

__all__ = ["MockHive"]
