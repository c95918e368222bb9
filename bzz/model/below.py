"""The paths that routes of a model answer at: its list, its documents, and what is nested in them."""

from __future__ import annotations

from collections.abc import Iterator

from bzz.model.resource import Resource
from bzz.providers.base import Path, Step
from bzz.shape.shown import fields_shown

__all__ = ["ANY", "paths_below"]

MAX_LINKS = 3
"""How many links are followed; paths may go on."""

ANY = object()
"""The key of a step that stands for any item."""


def paths_below(resource: Resource, *, over_references: bool) -> Iterator[Path]:
    """Yield the paths of a resource: a list before its items, each item as :data:`ANY`.

    :param over_references: whether to go on behind references. No path follows one back to a model that it has passed.
    """
    root = Step(None, resource.provider.shape, None, resource.name)
    yield Path((root,))
    if root.shape.url_id is not None:
        yield from _from_item((root._replace(key=ANY),), over_references)


def _from_item(steps: tuple[Step, ...], over_references: bool) -> Iterator[Path]:
    yield Path(steps)
    last = steps[-1]
    if len(steps) > MAX_LINKS or (last.is_reference and not over_references):
        return
    for name, field in fields_shown(last.shape).items():
        if field.link is None:
            continue
        step = Step(field, field.link.shape, None, name)
        if step.is_reference and over_references and step.shape.model in {each.shape.model for each in steps}:
            continue
        if not field.is_list:
            yield from _from_item((*steps, step), over_references)
            continue
        yield Path((*steps, step))
        yield from _from_item((*steps, step._replace(key=ANY)), over_references)
