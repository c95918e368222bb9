"""The question whether this user may do this with that model, whoever asks it: the rules, then ``authorize``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tornado.web import HTTPError

from bzz.calling import call
from bzz.errors import RequestError
from bzz.model.resource import Resource
from bzz.model.rights import rights_of
from bzz.model.user_rights import Needed
from bzz.providers import rules

__all__ = ["is_refusal", "lets", "may"]


async def lets(
    resource: Resource, method: str, model: type, key: Any, handler: Any, needs: Iterable[Needed] = ()
) -> bool:
    """Return whether the rules and ``authorize`` of a resource let who sent a request do something.

    :param model: at the end of the path.
    :param key: of the instance; None for a list or a single property.
    :param handler: of the request; its user is looked up only if there is somebody to ask.
    :param needs: what the rules are asked, as :func:`bzz.model.rights.needed` says it.
    :raises Exception: what rules and ``authorize`` raise.
    """
    if rules.DECLARED and not await rights_of(handler).may_all(needs):
        return False
    authorize = resource.authorize
    if authorize is None:
        return True
    return bool(await call(authorize, method, model, None if key is None else str(key), handler.current_user))


async def may(
    resource: Resource, method: str, model: type, key: Any, handler: Any, needs: Iterable[Needed] = ()
) -> bool:
    """Return what :func:`lets` does, and False where ``authorize`` refuses by an error: for what is only offered.

    :raises Exception: any error that is no refusal, such as one of a database that is away.
    """
    try:
        return method in resource.methods and await lets(resource, method, model, key, handler, needs)
    except (RequestError, HTTPError) as error:
        if is_refusal(error):
            return False
        raise


def is_refusal(error: RequestError | HTTPError) -> bool:
    """Return whether an error says that something may not be done, not that it cannot be found out."""
    return (error.status if isinstance(error, RequestError) else error.status_code) < 500
