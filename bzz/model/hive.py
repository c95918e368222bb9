"""``ModelHive``: the routes of models. What is read in a request is in other modules."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bzz.errors import ConfigurationError
from bzz.events.bus import bus
from bzz.model.handler import ModelHandler
from bzz.model.options import (
    check_authorize,
    check_flag,
    check_handler,
    check_id,
    check_page_sizes,
    check_rate_limits,
    check_text,
    field_names,
    methods_of,
)
from bzz.model.own_parameters import QueryParameter, check_parameters
from bzz.model.path import METHODS
from bzz.model.representations import EVENT_STREAM, registered
from bzz.model.resource import Authorize, Resource
from bzz.model.rights import check_rules, scope_of
from bzz.providers import hidden as hidden_fields
from bzz.providers import rules
from bzz.providers.base import Options, Provider
from bzz.providers.rules import Restrictions
from bzz.routing import RouteList, join

__all__ = ["ModelHive", "provider_class", "provider_for"]

MOST_RESTRICTED = 64
"""How many kinds of users, by the fields that they may not see or write, a model keeps a provider for."""

_PROVIDERS = {"mongoengine": "bzz.providers.mongoengine.provider.MongoEngineProvider"}


class ModelHive:
    """Makes Tornado routes of models."""

    @classmethod
    def routes_for(
        cls,
        orm: str | type[Provider],
        model: type,
        prefix: str | None = "",
        resource_name: str | None = None,
        *,
        methods: Sequence[str] = METHODS,
        hidden: Sequence[str] = (),
        read_only: Sequence[str] = (),
        per_page: int = 20,
        max_per_page: int = 100,
        database: Any = None,
        authorize: Authorize | None = None,
        handler: type[ModelHandler] = ModelHandler,
        live: bool = False,
        rate_limits: Any = None,
        require_if_match: bool = False,
        parameters: Sequence[QueryParameter] = (),
    ) -> RouteList:
        """Return the routes of a model and everything nested in it.

        :param orm: ``'mongoengine'``, the dotted path of a :class:`~bzz.providers.base.Provider`, or such a class.
        :param model: the document class.
        :param prefix: stands before the resource name in URLs, such as ``/api/v1``; None is no prefix.
        :param resource_name: the name in URLs; the class name in snake_case unless given.
        :param methods: those of GET, HEAD, POST, PUT, PATCH and DELETE that are answered; GET brings HEAD and QUERY.
        :param hidden: dotted field names that clients never see, filter by or write.
        :param read_only: dotted field names that clients see and cannot write.
        :param per_page: the length of a page, unless the client names one.
        :param max_per_page: the length of the longest page.
        :param database: an asynchronous database object (Motor's or PyMongo's), in place of one made from the
            settings of ``mongoengine.connect()``.
        :param authorize: asked before each request with its method, the model at the end of its path, the id of the
            instance (None for a list or a single property) and the user; may be a coroutine. A falsy answer is a 403.
        :param handler: a subclass of :class:`bzz.ModelHandler` that answers in its place.
        :param live: whether GET with ``Accept: text/event-stream`` is a feed: the same list or instance, and then every
            change of it; see :mod:`bzz.live`.
        :param rate_limits: a :class:`bzz.RateLimits` for these routes, in place of the application's.
        :param require_if_match: whether PUT, PATCH and DELETE of a document, or of anything in it, are a 428 without
            ``If-Match``.
        :param parameters: what its list takes beside filters, each a :class:`bzz.QueryParameter`.
        :returns: what :class:`tornado.web.Application` and :func:`bzz.flatten` take.
        :raises bzz.errors.ConfigurationError: for a mistake in any of these, or a model that cannot be served.
        """
        check_text("prefix", prefix)
        check_text("resource_name", resource_name)
        check_page_sizes(per_page, max_per_page)
        check_authorize(authorize)
        check_handler(handler)
        check_rate_limits(rate_limits)
        check_flag("live", live)
        check_flag("require_if_match", require_if_match)
        options = Options(field_names("hidden", hidden), field_names("read_only", read_only), database, scope=scope_of)
        provider = provider_for(orm, model, options)
        served_methods = methods_of(methods)
        check_id(provider.shape)
        check_rules(provider)
        if "DELETE" in served_methods:
            rules.DELETABLE.add(model)
        provider.check_denials()
        url = join(prefix or "", resource_name or _snake_case(model.__name__))
        bus.reserve(model.__name__)
        hidden_fields.note(provider.shape)
        name = url.rpartition("/")[2]
        own = check_parameters(provider.shape, parameters)
        served = (EVENT_STREAM,) if live else ()

        @lru_cache(MOST_RESTRICTED)
        def restricted(found: Restrictions) -> Provider:
            return provider_for(orm, model, replace(options, restrictions=found))

        resource = Resource(
            provider,
            url,
            name,
            served_methods,
            per_page,
            max_per_page,
            authorize,
            served,
            restricted,
            rate_limits=rate_limits,
            require_if_match=require_if_match,
            parameters=own,
        )
        for each in served:
            registered(each).check(resource)
        return RouteList([(re.escape(url) + "(?:/.*)?", handler, {"resource": resource})])


def provider_for(orm: str | type[Provider], model: type, options: Options | None = None) -> Provider:
    """Return a provider of a model.

    :param orm: as :meth:`ModelHive.routes_for` takes it.
    :param options: None for the defaults.
    :raises bzz.errors.ConfigurationError: for an unknown ORM, or a model that cannot be served.
    """
    if not isinstance(model, type):
        raise ConfigurationError(f"a document class is expected, not {model!r}")
    return provider_class(orm)(model, options or Options())


def _snake_case(name: str) -> str:
    """
    >>> _snake_case("UserAccount"), _snake_case("HTTPServer2")
    ('user_account', 'http_server2')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def provider_class(orm: str | type[Provider]) -> type[Provider]:
    """Return the class of providers that an application named, as :meth:`ModelHive.routes_for` takes it.

    :raises bzz.errors.ConfigurationError: for an unknown one.
    """
    found = orm if isinstance(orm, type) else _import(_PROVIDERS.get(orm, orm))
    if not (isinstance(found, type) and issubclass(found, Provider)):
        known = ", ".join(repr(name) for name in sorted(_PROVIDERS))
        raise ConfigurationError(
            f"unknown ORM {orm!r}: name one of {known}, or a subclass of bzz.providers.base.Provider"
        )
    return found


def _import(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None) if module else None
    except ModuleNotFoundError as error:
        if error.name and dotted.startswith(error.name):
            return None
        raise
