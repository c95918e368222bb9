"""The inputs of a form, by the shape of the model: their names are those that bodies of forms have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from bzz.explorer.cells import Names, point_of
from bzz.explorer.columns import display_field
from bzz.explorer.site import Site
from bzz.explorer.wording import label
from bzz.shape import Field, Shape
from bzz.shape.values import find_field

__all__ = ["Choice", "Input", "Search", "has_lines", "inputs_of"]

MAX_MATCHES = 8  # documents that a search for one offers
MAX_DEPTH = 4  # of embedded documents in one form; what lies deeper is JSON

Errors = Mapping[str, Sequence[str]]

_CONTROLS = {
    "string": "text",
    "integer": "integer",
    "float": "number",
    "decimal": "number",
    "boolean": "select",
    "date": "date",
    "datetime": "datetime",
    "reference": "reference",
    "geo": "json",
    "map": "json",
    "any": "json",
    "any_embedded": "json",
    "any_reference": "json",
    "list": "json",
    "embedded": "json",
}
"""The control of each kind of field; the others are texts."""

_LONG = 60  # characters, from which on a text gets several lines


@dataclass(frozen=True)
class Choice:
    """One choice of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class Search:
    """Where the documents are searched that an input may refer to.

    :param url: of their list.
    :param key: the field whose value the input takes.
    :param display: the field by which people search; None where only the id tells.
    """

    url: str
    key: str
    display: str | None

    @property
    def asked(self) -> str:
        """The URL that searches, but for the words."""
        shown = urlencode({"per_page": MAX_MATCHES, "fields": f"{self.key},{self.display}"})
        return f"{self.url}?{shown}&{quote(f'{self.display}__icontains')}="


@dataclass
class Input:
    """One input of a form, or a group of inputs.

    :ivar name: dotted, as bodies of forms write it.
    :ivar control: which template it has.
    :ivar value: what it holds, as text; :ivar values: of a list, those of its items.
    :ivar shown: what people know a referenced document by.
    :ivar is_null: whether nothing is set, which an empty text is not.
    """

    name: str
    label: str
    control: str
    kind: str
    value: str = ""
    values: list[str] = field(default_factory=list)
    shown: str = ""
    href: str | None = None
    choices: list[Choice] = field(default_factory=list)
    search: Search | None = None
    inputs: list[Input] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    required: bool = False
    read_only: bool = False
    is_null: bool = False

    @property
    def id(self) -> str:
        """The id of the element."""
        return f"field-{self.name.replace('.', '-')}"


@dataclass(frozen=True)
class _Form:
    """What all inputs of a form are made of."""

    names: Names
    site: Site
    errors: Errors
    is_new: bool

    def inputs(self, shape: Shape, values: Any, prefix: str = "", depth: int = 0) -> Iterator[Input]:
        known = values if isinstance(values, Mapping) else {}
        fields = {name: each for name, each in shape.fields.items() if not each.hidden}
        fields.update({name: each for name, each in shape.subclass_fields.items() if name in known})
        ids = {each.name for each in (shape.pk, shape.url_id) if each is not None}
        for name, each in fields.items():
            if self.is_new and (each.read_only or (name in ids and name == "id" and not each.required)):
                continue
            if not self.is_new and each.is_list and each.link is not None and not depth:
                continue  # it has a table of its own beside the form
            made = self._input(prefix + name, name, each, known.get(name), depth)
            made.read_only = made.read_only or (not self.is_new and name in ids)
            yield made
        for name in () if self.is_new else known.keys() - shape.fields.keys() - fields.keys():
            yield self._undeclared(shape, prefix, name, known[name])

    def _undeclared(self, shape: Shape, prefix: str, name: str, value: Any) -> Input:
        """Return the input of a value that the model does not declare: of a dynamic one, or of ``to_dict()``."""
        described = shape.undeclared(name)
        made = Input(prefix + name, label(name), "json", "any", read_only=described is None, is_null=value is None)
        made.value = _indented(value)
        return made

    def _input(self, dotted: str, name: str, described: Field, value: Any, depth: int) -> Input:
        made = Input(
            dotted,
            label(name),
            _CONTROLS.get(described.kind.name, "text"),
            described.kind.name,
            required=described.required and not described.has_default,
            read_only=described.read_only,
            is_null=value is None,
            errors=[each for where, told in self.errors.items() if where == dotted for each in told],
        )
        link = described.link
        if described.write_only:
            made.control = "secret"
        elif described.is_list:
            self._fill_list(made, described, value)
        elif link is not None and not link.is_reference and depth < MAX_DEPTH:
            made.control = "group"
            made.inputs = list(self.inputs(link.shape, value, f"{dotted}.", depth + 1))
        else:
            self._fill(made, described, value)
        if made.control in ("json", "list"):
            made.errors += [f"{at}: {each}" for at, each in self._errors_inside(dotted)]
        return made

    def _fill(self, made: Input, described: Field, value: Any) -> None:
        if described.choices or described.kind.name == "boolean":
            made.control, made.choices = "select", _choices(described)
        link = described.link
        if link is not None and link.is_reference:
            made.search = self._search(link.shape)
            if isinstance(value, Mapping):
                value = value.get("id" if made.search is None else made.search.key)
            made.shown, made.href = self.names.get((link.shape.model, _text(value)), ("", None))
        if described.kind.name == "geo" and getattr(described.kind, "geometry", "") == "Point":
            made.control = "point"
            point = point_of(value)
            made.values = [] if point is None else [f"{each:g}" if each == int(each) else repr(each) for each in point]
        made.value = _indented(value) if made.control == "json" else _text(value)
        if made.control == "text" and (len(made.value) > _LONG or has_lines(made.value)):
            made.control = "textarea"
        if made.control == "datetime":
            made.value, made.control = _local(made.value)

    def _fill_list(self, made: Input, described: Field, value: Any) -> None:
        item, link = described.item, described.link
        if link is not None and link.is_reference:
            made.control, made.search = "list", self._search(link.shape)
        elif item.kind.is_scalar:
            made.control = "list"
            made.choices = _choices(described.item) if item.choices or item.kind.name == "boolean" else []
        if made.control != "list":
            made.value = _indented(value)
            return
        key = "id" if made.search is None else made.search.key
        items = value if isinstance(value, list) else []
        made.kind = item.kind.name
        made.values = [_text(each.get(key) if isinstance(each, Mapping) else each) for each in items]

    def _search(self, shape: Shape) -> Search | None:
        resource = self.site.of_model(shape.model)
        if resource is None or shape.url_id is None:
            return None
        display = display_field(shape)
        return Search(f"{resource.url}/", shape.url_id.name, None if display is None else display.name)

    def _errors_inside(self, dotted: str) -> Iterator[tuple[str, str]]:
        for where, told in self.errors.items():
            if where.startswith(f"{dotted}."):
                yield from ((where, each) for each in told)


def inputs_of(
    shape: Shape, values: Any, names: Names, site: Site, *, errors: Errors | None = None, is_new: bool = False
) -> list[Input]:
    """Return the inputs of a form for a document.

    :param values: the JSON of the document, or what was sent of it.
    :param names: those of the documents that it refers to.
    :param errors: messages by dotted name, each shown at its field.
    :param is_new: whether the document is to be created.
    """
    return list(_Form(names, site, errors or {}, is_new).inputs(shape, values))


def has_lines(text: str) -> bool:
    """Return whether a text has line breaks, which an ``<input>`` would take away."""
    return "\n" in text or "\r" in text


def unplaced(shape: Shape, errors: Errors) -> list[tuple[str, str]]:
    """Return the messages that no input shows."""
    return [
        (where, each)
        for where, told in errors.items()
        if find_field(shape, where.partition(".")[0], written=True) is None
        for each in told
    ]


def _choices(described: Field) -> list[Choice]:
    if described.choices:
        texts = [described.kind.to_text(each) for each in described.choices]
        return [Choice(each, each) for each in texts]
    return [Choice("true", "Yes"), Choice("false", "No")]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _indented(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _local(text: str) -> tuple[str, str]:
    """Return the text of an input for a moment, and its control: a text where browsers would lose digits of it.

    >>> _local("2026-01-02T03:04:05Z"), _local("2026-01-02T03:04:05.678901Z")
    (('2026-01-02T03:04:05', 'datetime'), ('2026-01-02T03:04:05.678901Z', 'text'))
    """
    naive = text.removesuffix("Z")
    return (naive, "datetime") if not text or len(naive.partition(".")[2]) in (0, 3) else (text, "text")
