"""What live models ask of their database is looked at when an application starts, not at the first request."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bzz.errors import Unavailable
from bzz.model.representations import EVENT_STREAM
from bzz.model.resource import resources_of
from bzz.providers.changes import Changes, LiveProvider
from bzz.routing import rules_of

__all__ = ["prepare"]

logger = logging.getLogger("bzz.live")


async def prepare(application: Any) -> None:
    """Have the databases of an application's live models tell their changes. Called before the first request.

    A database that is away is asked again by the first feed.

    :raises bzz.errors.ConfigurationError: with the remedy, where a database cannot tell its changes.
    """
    collections: defaultdict[Changes, set[str]] = defaultdict(set)
    for provider in live_providers(application):
        collections[provider.changes()].add(provider.collection)
    for changes, names in collections.items():
        try:
            await changes.prepare(names)
        except Unavailable as error:
            logger.warning("live models could not be prepared: %s", error)


def live_providers(application: Any) -> Iterator[LiveProvider]:
    """Yield the providers of the live models among the routes of an application."""
    for resource in resources_of(rules_of(getattr(application, "default_router", None))):
        if EVENT_STREAM in resource.served:
            assert isinstance(resource.provider, LiveProvider)
            yield resource.provider
