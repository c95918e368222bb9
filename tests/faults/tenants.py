"""Models that two tenants share, each of whom may see their own documents only, and nobody the field ``secret``.

The tenant is who the header ``X-Tenant`` says. Everything that is stored for a tenant holds a marker of theirs.
"""

from __future__ import annotations

from typing import Any

import mongoengine as me

__all__ = ["HIDDEN", "SHARED", "TENANTS", "Folder", "Paper", "hidden_marker", "marker"]

TENANTS = ("red", "blue")


def marker(tenant: str) -> str:
    """What every visible value of a tenant holds."""
    return f"marker-of-{tenant}"


def hidden_marker(tenant: str) -> str:
    """What every hidden value holds."""
    return f"hidden-of-{tenant}"


class Compartment(me.EmbeddedDocument):
    name = me.StringField()
    secret = me.StringField()


class _Shared(me.Document):
    meta = {"abstract": True}  # noqa: RUF012  # MongoEngine's own way
    tenant = me.StringField()
    name = me.StringField(unique=True)
    secret = me.StringField(unique=True, sparse=True)
    count = me.IntField(max_value=100)
    inner = me.EmbeddedDocumentField(Compartment)
    inners = me.ListField(me.EmbeddedDocumentField(Compartment))

    @classmethod
    def get_instance_queryset(cls, model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(tenant=handler.request.headers.get("X-Tenant"))

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        return queryset.filter(tenant=handler.request.headers.get("X-Tenant"))


class Paper(_Shared):
    """Plain."""


class Folder(_Shared):
    """Refers to others, and saves itself."""

    papers = me.ListField(me.ReferenceField(Paper))
    cover = me.ReferenceField(Paper)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


SHARED = {"paper": Paper, "folder": Folder}
"""By the name that their routes have."""

HIDDEN = {"paper": ["secret", "inner.secret"], "folder": ["secret", "inner.secret", "papers.secret"]}
"""What the routes of each hide."""
