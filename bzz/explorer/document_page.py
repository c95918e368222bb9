"""The page of one document: a form by its shape, the lists inside it, and what listens to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bzz.codec import loads
from bzz.explorer.addresses import below
from bzz.explorer.cells import Cell, cell, text_of
from bzz.explorer.columns import Column, columns_of, display_field
from bzz.explorer.history_section import history_of
from bzz.explorer.inputs import Input, has_lines, inputs_of
from bzz.explorer.insight import may_look_inside
from bzz.explorer.listening import listening_to
from bzz.explorer.page import Page
from bzz.explorer.references import names_of
from bzz.explorer.rendering import finish_page, render
from bzz.explorer.snippets import snippets_of
from bzz.explorer.submitted import new_key
from bzz.explorer.wording import label
from bzz.model.idempotency import keeps_answers
from bzz.model.representations import has_feed
from bzz.shape import Field, Shape

__all__ = ["finish_document", "finish_new", "form_html"]

MAX_CHILDREN = 50


@dataclass(frozen=True)
class Children:
    """A list inside the document, whose items have URLs of their own.

    :param more: how many items are not shown.
    """

    label: str
    href: str
    labels: list[str]
    rows: list[tuple[str, list[Cell]]]
    more: int
    may_add: bool


async def finish_document(page: Page) -> None:
    """Answer with the page of a document. It reads what its JSON twin reads, and what its references are called."""
    handler = page.handler
    shape: Shape = handler.path.last.shape
    body = await handler.read()
    if handler._finished:
        return
    found = loads(body, shape.limits.depth + 3)
    values = found if isinstance(found, dict) else {}  # to_dict() of the model may return anything
    etag, handler._etag = handler._etag, None  # the tag of the JSON is not the tag of the page
    columns = [*_columns(shape), *(inner for _, field in _lists(shape) for inner in _inner_columns(field))]
    names = await names_of(handler, page.site, columns, [values, *_items(shape, values)])
    inside = may_look_inside(handler)
    finish_page(
        handler,
        "document.html",
        page=page,
        heading=_name(shape, values) or page.title,
        inputs=inputs_of(shape, values, names, page.site),
        form=form_html,
        etag=etag or "",
        editable="PUT" in page.methods,
        unset=_unset,
        children=[_children(page, name, field, values.get(name), names) for name, field in _lists(shape)],
        history=await history_of(page, found),
        live=page.url if has_feed(page.resource, handler.path) else None,
        inside=inside,
        listening=listening_to(shape.model) if inside else [],
        snippets=snippets_of(page.absolute_url(), bool(page.user)),
    )


async def finish_new(page: Page) -> None:
    """Answer with an empty form, to create a document or to link one."""
    step = page.handler.path.last
    shape = _linking(step.field) if step.is_reference else step.shape
    finish_page(
        page.handler,
        "new.html",
        page=page,
        inputs=inputs_of(shape, {}, {}, page.site, is_new=True),
        form=form_html,
        unset=_unset,
        key=new_key() if keeps_answers(page.resource.provider) else "",
        is_link=step.is_reference,
        inside=may_look_inside(page.handler),
    )


def form_html(inputs: list[Input], editable: bool = True) -> bytes:
    """Return the inputs of a form; called by templates, and for the groups within."""
    return render("inputs.html", inputs=inputs, form=form_html, editable=editable, has_lines=has_lines)


def _unset(inputs: Iterable[Input]) -> Iterator[str]:
    """Yield the names of the inputs that are empty because nothing is set: a form that leaves them so sets nothing."""
    for each in inputs:
        if each.control == "group":
            yield from _unset(each.inputs)
        elif each.is_null and not each.read_only:
            yield each.name


def _linking(field: Field) -> Shape:
    """Return the shape of the body that links a document: one field."""
    return Shape("Link", object, {field.name: Field(field.name, field.kind, required=True)})


def _name(shape: Shape, values: Mapping[str, Any]) -> str:
    display = display_field(shape)
    return text_of(values.get(display.name)) if display is not None else ""


def _columns(shape: Shape, prefix: str = "", depth: int = 3) -> Iterator[Column]:
    """Yield a column for each field of a document, and of those embedded in it."""
    for name, field in shape.visible.items():
        yield Column(prefix + name, field)
        link = field.link
        if link is not None and not link.is_reference and not field.is_list and depth:
            yield from _columns(link.shape, f"{prefix}{name}.", depth - 1)


def _lists(shape: Shape) -> list[tuple[str, Field]]:
    return [(name, each) for name, each in shape.visible.items() if each.is_list and each.link is not None]


def _inner_columns(field: Field) -> Sequence[Column]:
    link = field.link
    return () if link is None or link.is_reference else columns_of(link.shape)


def _items(shape: Shape, values: Mapping[str, Any]) -> list[Any]:
    """Return the embedded documents in the lists of a document."""
    found = (
        values.get(name) for name, field in _lists(shape) if field.link is not None and not field.link.is_reference
    )
    return [item for each in found if isinstance(each, list) for item in each[:MAX_CHILDREN] if isinstance(item, dict)]


def _children(page: Page, name: str, field: Field, value: Any, names: Any) -> Children:
    link = field.link
    assert link is not None
    href, items = below(page.url, name), value if isinstance(value, list) else []
    may_add = bool(page.methods) and not field.read_only and "POST" in page.resource.methods
    rows: list[tuple[str, list[Cell]]] = []
    if link.is_reference:
        for each in items[:MAX_CHILDREN]:
            key = str(each.get(_id_of(link.shape)) if isinstance(each, dict) else each)
            known, target = names.get((link.shape.model, key), (key, below(href, key)))
            rows.append((below(href, key), [Cell(known, target, "key"), Cell(key if known != key else "")]))
        return Children(label(name), href, [link.shape.name, "ID"], rows, len(items) - len(rows), may_add)
    columns = _inner_columns(field)
    own = _id_of(link.shape)
    for place, each in enumerate(items[:MAX_CHILDREN]):
        if isinstance(each, dict):
            target = below(href, str(place) if own is None else text_of(each.get(own)))
            first, *others = [cell(column, each, names) for column in columns] or [Cell("")]
            rows.append((target, [Cell(first.text or "Open", target, "key"), *others]))
    labels = [label(column.name) for column in columns] or [""]
    return Children(label(name), href, labels, rows, len(items) - len(rows), may_add)


def _id_of(shape: Shape) -> str | None:
    return None if shape.url_id is None else shape.url_id.name
