"""Eve, as its quickstart has it, for gunicorn. Its PATCH is what elsewhere is PUT; ``If-Match`` is not asked for."""

from __future__ import annotations

from eve import Eve

from bench.data import COLLECTION, PER_PAGE
from bench.servers.setting import DATABASE, URI

_SCHEMA = {
    "name": {"type": "string", "required": True, "maxlength": 100},
    "email": {"type": "string", "required": True, "maxlength": 200},
    "age": {"type": "integer", "min": 0, "max": 150},
    "city": {"type": "string", "maxlength": 60},
    "active": {"type": "boolean", "default": True},
    "score": {"type": "float"},
    "joined": {"type": "datetime"},
    "tags": {"type": "list", "schema": {"type": "string", "maxlength": 30}},
    "address": {
        "type": "dict",
        "schema": {
            "street": {"type": "string", "maxlength": 200},
            "zip": {"type": "string", "maxlength": 20},
            "country": {"type": "string", "maxlength": 60},
        },
    },
}

app = Eve(
    settings={
        "MONGO_URI": URI.replace("/?", f"/{DATABASE}?"),
        "DOMAIN": {"user": {"schema": _SCHEMA, "datasource": {"source": COLLECTION}}},
        "RESOURCE_METHODS": ["GET", "POST"],
        "ITEM_METHODS": ["GET", "PATCH", "DELETE"],
        "DATE_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
        "PAGINATION_DEFAULT": PER_PAGE,
        "IF_MATCH": False,
    }
)
