"""What the pages of one application know of each other: its resources, and where the explorer's own files are."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bzz.model.authorize import may
from bzz.model.representations import HTML
from bzz.model.resource import Resource, resources_of
from bzz.routing import rules_of

__all__ = ["PREFIX", "Site", "listable", "site_of"]

logger = logging.getLogger("bzz.explorer")

SETTING = "bzz_explorer_site"

PREFIX = "/explorer"
"""Where the start page and the explorer's own files are."""


@dataclass(frozen=True, eq=False)
class Site:
    """The resources of an application that have pages, by the URL of their list."""

    resources: Mapping[str, Resource]

    def of_model(self, model: type) -> Resource | None:
        """Return the resource that lists the documents of a model, or None if no list may be read."""
        return next((each for each in self.resources.values() if each.provider.shape.model is model), None)


def site_of(application: Any) -> Site:
    """Return the site of an application: looked for at the first page, and kept in its settings."""
    found: Site | None = application.settings.get(SETTING)
    if found is None:
        shown = (each for each in resources_of(rules_of(application.default_router)) if HTML in each.served)
        found = Site({each.url: each for each in shown if "GET" in each.methods})
        application.settings[SETTING] = found
    return found


async def listable(site: Site, handler: Any) -> list[Resource]:
    """Return the resources whose lists who sent a request may read, as far as their ``authorize`` says.

    One whose ``authorize`` fails is left out, for that is no fault of the page that was asked for.
    """
    found = []
    for each in site.resources.values():
        try:
            model = each.provider.shape.model
            if await may(each, "GET", model, None, handler, [(model, "list")]):
                found.append(each)
        except Exception:
            logger.exception("authorize of %s failed", each.url)
    return found
