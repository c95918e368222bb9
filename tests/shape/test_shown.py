"""Fields that clients are shown, by dotted path, are told by one walk."""

from __future__ import annotations

from bzz.shape import Field, Shape
from bzz.shape.containers import ListKind
from bzz.shape.documents import EmbeddedKind, ReferenceKind
from bzz.shape.scalars import StringKind
from bzz.shape.shown import paths_shown

TEXT = StringKind()


def room() -> Shape:
    return Shape("Room", object, {"name": Field("name", TEXT)}, embedded=True)


def house() -> Shape:
    fields = {
        "id": Field("id", TEXT),
        "hall": Field("hall", EmbeddedKind(room)),
        "rooms": Field("rooms", ListKind(Field("", EmbeddedKind(room)))),
        "next": Field("next", ReferenceKind(house)),
        "key": Field("key", TEXT, hidden=True),
        "code": Field("code", TEXT, write_only=True),
    }
    return Shape("House", object, fields, pk=fields["id"])


def paths(depth: int, *, lists: bool = True) -> list[str]:
    return [path for path, _ in paths_shown(house(), depth, lists=lists)]


def test_embedded_documents_are_gone_into_and_references_are_not() -> None:
    assert paths(1) == ["id", "hall", "hall.name", "rooms", "rooms.name", "next"]


def test_lists_are_left_at_their_own_name_where_that_is_asked_for() -> None:
    assert paths(1, lists=False) == ["id", "hall", "hall.name", "rooms", "next"]


def test_it_ends_at_a_depth() -> None:
    assert paths(0) == ["id", "hall", "rooms", "next"]
