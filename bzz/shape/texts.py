"""Text, and what is written as text but is something else."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from bzz.shape.base import JsonSchema, Refer
from bzz.shape.operators import COMPARABLE, ORDERED, PATTERNS, Operator
from bzz.shape.scalar import Textual, refuse

__all__ = ["BinaryKind", "StringKind", "UUIDKind"]


class StringKind(Textual):
    """Text of valid Unicode."""

    name = "string"
    expected = "Must be a string of valid Unicode."

    def from_form(self, text: str) -> Any:
        return text

    @property
    def operators(self) -> frozenset[Operator]:
        return ORDERED | PATTERNS

    def parse(self, text: str) -> str:
        return str(text)  # a receiver may have left a subclass

    def accept(self, value: Any) -> Any:
        if type(value) is not str:
            return super().accept(value)
        value.encode()
        return value

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string"}


class BinaryKind(Textual):
    """Bytes, written in base64 (RFC 4648, section 4)."""

    name = "binary"
    expected = "Must be base64."

    @property
    def operators(self) -> frozenset[Operator]:
        return COMPARABLE

    def parse(self, text: str) -> bytes:
        return base64.b64decode(text, validate=True)

    def to_text(self, value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")

    def accept_typed(self, value: Any) -> bytes:
        return value if isinstance(value, bytes) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "contentEncoding": "base64"}


class UUIDKind(Textual):
    """A UUID in its one canonical form (RFC 9562, section 4)."""

    name = "uuid"
    expected = "Must be a UUID."

    def parse(self, text: str) -> uuid.UUID:
        value = uuid.UUID(text)  # takes braces and "urn:" too, so that one id would have many URLs
        return value if str(value) == text.lower() else refuse()

    def accept_typed(self, value: Any) -> uuid.UUID:
        return value if isinstance(value, uuid.UUID) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "format": "uuid"}
