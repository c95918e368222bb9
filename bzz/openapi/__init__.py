"""The OpenAPI document of an application's routes (https://spec.openapis.org/oas/v3.1.1.html).

It is made of shapes, kinds and routes; no ORM and no optional package is known here.
"""

from __future__ import annotations

from bzz.openapi.document import document

__all__ = ["document"]
