"""What ``bzz check`` finds in the storage of models: filters without an index, and what the server cannot do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bzz.cli.application import Mounted
from bzz.cli.findings import Finding
from bzz.errors import BzzError
from bzz.model.representations import EVENT_STREAM
from bzz.model.resource import Resource
from bzz.providers.diagnosis import Diagnosed
from bzz.shape import Shape
from bzz.shape.operators import EXISTS
from bzz.shape.shown import paths_shown

__all__ = ["MANY", "findings_of_storage"]

MANY = 10_000
"""From how many documents on a filter without an index needs attention: it reads them all."""

MAX_DEPTH = 2  # of embedded documents whose fields are looked at


async def findings_of_storage(routes: Sequence[Mounted]) -> list[Finding]:
    """Return what is found; what several models share is told once, and as attention where one of them needs it."""
    found: dict[Finding, None] = {}
    for route in routes:
        if route.resource is not None and isinstance(route.resource.provider, Diagnosed):
            found.update(dict.fromkeys(await _look(route.resource, route.resource.provider)))
    told = [each for each in found if each.level == "attention" or replace(each, level="attention") not in found]
    return sorted(told, key=lambda each: each.about)


async def _look(resource: Resource, provider: Diagnosed) -> list[Finding]:
    try:
        found = await provider.diagnose(_filterable(resource.provider.shape))
    except BzzError as error:
        return [Finding("attention", "server", "", f"The database was not looked at: {error}")]
    is_live = EVENT_STREAM in resource.served
    told = [Finding("attention" if is_live else "note", "server", "", f"{each}.") for each in found.cannot]
    if found.unindexed:
        names = ", ".join(found.unindexed)
        message = f"No index begins with {names}: filters by these read all {found.documents:,} documents."
        told.append(Finding("attention" if found.documents >= MANY else "note", "index", resource.url, message))
    return told


def _filterable(shape: Shape) -> list[str]:
    """Return the dotted names of the fields by which clients may filter, those of embedded documents too."""
    paths = paths_shown(shape, MAX_DEPTH)
    return [path for path, field in paths if field.item.kind.operators - EXISTS and not field.kind.is_free]
