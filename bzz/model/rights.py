"""What the user of a request may do and see, by the rules of the models.

:func:`restrict` has a request see the routes as its user may, :func:`require` refuses what the user may not do. What
documents are there for the user, the provider asks by :func:`scope_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from bzz.codec import plain
from bzz.errors import ConfigurationError
from bzz.model.resource import Resource
from bzz.model.user_rights import Needed, UserRights
from bzz.model.validation import ValidatedBody
from bzz.providers import rules
from bzz.providers.asked import Clause, Path, Step
from bzz.providers.base import Provider
from bzz.providers.options import Purpose
from bzz.providers.rules import ACTIONS, UNRESTRICTED, Action
from bzz.shape import Shape
from bzz.shape.types import named_shape
from bzz.shape.walk import reachable

__all__ = [
    "check_rules",
    "completed",
    "denied_to",
    "needed",
    "renew",
    "require",
    "resource_for",
    "restrict",
    "rights_of",
    "scope_of",
]

_READING = ("GET", "HEAD", "QUERY")


def rights_of(handler: Any) -> UserRights:
    """Return the rights of who sent a request."""
    found: UserRights | None = getattr(handler, "_bzz_rights", None)
    if found is None:
        found = handler._bzz_rights = UserRights(handler.current_user)
    return found


async def renew(handler: Any) -> bool:
    """Ask the rules anew, for a request that lasts; return whether its user may still do and see the same."""
    before = rights_of(handler)
    now = handler._bzz_rights = UserRights(handler.current_user)
    now.doing = before.doing
    return await now.answers_like(before)


async def scope_of(shape: Shape, context: Any, purpose: Purpose) -> Sequence[Clause]:
    """Return what documents meet that are there for a request; asked by providers.

    :param context: the handler; None where the application itself asks.
    """
    return () if context is None else await rights_of(context).scope(shape, purpose)


@lru_cache(256)
def _ruled(shape: Shape) -> tuple[Shape, ...]:
    """Return the models with rules that routes lead to."""
    found = reachable(shape, lambda shape, error: None)
    return tuple(each for each in found if any(True for _ in rules.of(each.model)))


def check_rules(provider: Provider) -> None:
    """Check the rules of all models that routes lead to, and refuse further ones.

    :raises bzz.errors.ConfigurationError: for rules that name no field, that a document embedded in another cannot
        have, or that the provider does not keep.
    """
    for each in reachable(provider.shape, lambda shape, error: None):
        rules.seal(each.model)
        for own in rules.of(each.model):
            if not provider.keeps_rules:
                raise ConfigurationError(f"{type(provider).__name__} keeps no rules, and {each.name} has some")
            unknown = [name for name in own.fields if name not in each.fields]
            if unknown:
                raise ConfigurationError(f"rules of {own.model.__name__}: {each.name} has no field {unknown[0]!r}")
            ids = [name for name, rule in own.fields.items() if rule.read is not None and name in each.ids]
            if ids:
                raise ConfigurationError(
                    f"rules of {own.model.__name__}: {ids[0]!r} names its documents in URLs and references, so whoever"
                    " may see these sees it: it cannot have 'read'"
                )
            if each.embedded and (own.scope is not None or any(own.actions.values())):
                raise ConfigurationError(
                    f"rules of {own.model.__name__}: it is embedded, so who may do what is said by the rules of the"
                    " documents that hold it; its own are about fields"
                )


async def resource_for(
    handler: Any, resource: Resource, *, creating: bool = False, is_refused: bool = False
) -> Resource:
    """Return a resource as who sent a request may see it.

    :param creating: whether the request may make a new document.
    :param is_refused: whether the user may do nothing here.
    """
    shapes = _ruled(resource.provider.shape)
    if not shapes or resource.restricted is None:
        return resource
    found = await rights_of(handler).restrictions(shapes, creating=creating, is_refused=is_refused)
    if found == UNRESTRICTED:
        return resource
    return replace(resource, provider=resource.restricted(found), restrictions=found)


async def restrict(handler: Any, read: Callable[[], Path]) -> Path:
    """Have a request see the routes as its user may; return its path, as the user may go it.

    :param read: reads the path.
    :raises bzz.errors.NotFound: if it leads through what the user may not see.
    """
    end, method = handler.path.last, handler.request.method
    creating = not end.is_reference if method == "POST" else end.is_list and method in _READING
    needs = needed(handler.path, "GET" if method == "OPTIONS" else method)
    is_refused = not await rights_of(handler).may_all(needs)
    handler.resource = await resource_for(handler, handler.resource, creating=creating, is_refused=is_refused)
    provider = handler.resource.provider
    handler.provider = provider if handler.traced is None else handler.traced(provider)
    path = read()
    return Path((path.steps[0], *(_as_created(*each) for each in pairwise(path.steps))))


def _as_created(owner: Step, step: Step) -> Step:
    """Return a step over a field that cannot be written, if the field stays as the documents of its owner were made.

    What is made at the end of the path is made inside of a document that is there already.
    """
    if step.field is None or not rules.is_fixed(owner.shape.model, step.field.name):
        return step
    return step._replace(field=replace(step.field, read_only=True))


async def require(handler: Any) -> None:
    """Refuse a request to do what its user may not, and say whether the user may read what it writes.

    :raises bzz.errors.Unauthorized: if a stranger may not.
    :raises bzz.errors.Forbidden: if anybody else may not.
    """
    rights, method = rights_of(handler), str(handler.request.method)
    rights.doing = needed(handler.path, method)
    await rights.require_all(rights.doing)
    if method not in _READING:
        model = _document_at(handler.path)
        handler.is_shown = await rights.may(model, "get")
        if handler.is_shown and method in ("PUT", "PATCH"):  # what is written is answered, of subclasses too
            rights.doing = (*rights.doing, (model, "get"))


async def denied_to(handler: Any, resources: Iterable[Resource]) -> frozenset[Needed]:
    """Return all that who sent a request may not do in these resources."""
    rights = rights_of(handler)
    models = {each.model for resource in resources for each in _ruled(resource.provider.shape)}
    found = [(model, action) for model in models for action in ACTIONS if not await rights.may(model, action)]
    return frozenset(found)


def _document_at(path: Path) -> type:
    """Return the model of the document that holds the end of a path."""
    found: type = next(each.shape.model for each in reversed(path.steps) if each.field is None or each.is_reference)
    return found


async def completed(handler: Any, shape: Shape, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a new document with those that come from the user who makes it.

    :raises bzz.errors.Forbidden: if it is of a class of which the user may not make one.
    """
    rights = rights_of(handler)
    own = named_shape(shape, values) or shape
    if own is not shape and not own.embedded:
        await rights.require_all([(own.model, "create")])
        handler.is_shown = handler.is_shown and await rights.may(own.model, "get")
    given = {name: each for name, each in (await rights.defaults(own)).items() if name not in values}
    return {**values, **ValidatedBody(own, {}).final_values(plain(given))} if given else dict(values)


def needed(path: Path, method: str) -> tuple[Needed, ...]:
    """Return what a request does, for each model on its path: all of it has to be allowed.

    An embedded document is a part of the one that holds it. Who writes it goes through that one, and is told what is
    there.
    """
    documents = [step for number, step in enumerate(path.steps) if number == 0 or step.is_reference]
    end, reads = documents[-1], method in _READING
    passed: list[Needed] = [(each.shape.model, "get") for each in documents[:-1]]
    model = end.shape.model
    if end is not path.last:
        return (*passed, (model, "get")) if reads else (*passed, (model, "get"), (model, "update"))
    if reads:
        return (*passed, (model, "list" if end.is_list else "get"))
    if end.is_reference and method in ("POST", "DELETE"):
        return (*passed, (documents[-2].shape.model, "link"))
    if method == "POST":
        return ((model, "create"),)
    action: Action = "delete" if method == "DELETE" else "update"
    return (*passed, (model, "list"), (model, action)) if end.is_list else (*passed, (model, action))
