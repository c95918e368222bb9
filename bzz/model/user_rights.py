"""What one user may do, by the rules of the models, whatever the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any

from bzz.calling import call
from bzz.errors import Forbidden, RequestError, Unauthorized
from bzz.model.scopes import read_scope
from bzz.providers import rules
from bzz.providers.asked import Clause
from bzz.providers.options import Purpose
from bzz.providers.rules import ANYONE, AUTHENTICATED, Action, Kept, Restrictions
from bzz.shape import Shape

__all__ = ["Needed", "UserRights"]

Needed = tuple[type, Action]
"""An action, and the model with whose documents it is done."""

_SCOPE = "scope:"


class UserRights:
    """What one user may do. Each rule is asked once.

    :param user: ``handler.current_user``; None for a stranger.
    :ivar doing: what the request does at the end of its path: subclasses may have stricter rules for it.
    """

    def __init__(self, user: Any) -> None:
        self._user = user
        self._answers: dict[Kept, bool] = {}
        self._scopes: dict[tuple[Shape, frozenset[Action]], list[Clause]] = {}
        self._found: dict[Callable[[Any], Any], Any] = {}
        self.doing: tuple[Needed, ...] = ()

    async def includes(self, who: Kept) -> bool:
        """Return whether the user is among those that a rule names."""
        if who not in self._answers:
            self._answers[who] = await self._is_among(who)
        return self._answers[who]

    async def _is_among(self, who: Kept) -> bool:
        names = [each for each in who if isinstance(each, str)]
        if ANYONE in names or (self._user is not None and AUTHENTICATED in names):
            return True
        if self._user is not None and not _names_of(self._user).isdisjoint(names):
            return True
        for each in who:
            if not isinstance(each, str) and await call(each, self._user):
                return True
        return False

    async def answers_like(self, other: UserRights) -> bool:
        """Return whether all that another one was asked has the same answer here."""
        return all([await self.includes(who) == answer for who, answer in other._answers.items()])

    async def may(self, model: type, action: Action) -> bool:
        """Return whether the user may do something with documents of a model."""
        for each in rules.of(model):
            if not await self.includes(each.actions[action]):
                return False
        return True

    async def may_all(self, needs: Iterable[Needed]) -> bool:
        """Return whether the user may do all of this."""
        for each in needs:
            if not await self.may(*each):
                return False
        return True

    async def require_all(self, needs: Iterable[Needed]) -> None:
        """Raise what :meth:`refusal` returns unless the user may do all of this."""
        if not await self.may_all(needs):
            raise self.refusal()

    async def restrictions(self, shapes: Iterable[Shape], *, creating: bool, is_refused: bool = False) -> Restrictions:
        """Return what the user may not see, and not write, of the fields of models.

        :param creating: whether fields may be written that stay as they were created.
        :param is_refused: whether the user may do nothing here: then nobody is asked.
        """
        hidden, read_only = set(), set()
        for shape in shapes:
            for each in rules.of(shape.model):
                for name, rule in each.fields.items():
                    if rule.read is not None and (is_refused or not await self.includes(rule.read)):
                        hidden.add((each.model, name))
                    elif (rule.fixed and not creating) or (
                        rule.write is not None and (is_refused or not await self.includes(rule.write))
                    ):
                        read_only.add((each.model, name))
        return Restrictions(frozenset(hidden), frozenset(read_only))

    async def scope(self, shape: Shape, purpose: Purpose) -> list[Clause]:
        """Return what documents of a model meet that are there for the user; all of it has to hold.

        Subclasses may have stricter rules: what of theirs may not be done is not there.
        """
        actions = frozenset(action for at, action in self.doing if at is shape.model)
        actions = actions | {purpose} if purpose != "path" else actions or frozenset({"get"})
        if (shape, actions) not in self._scopes:
            self._scopes[shape, actions] = [each async for each in self._clauses(shape, actions)]
        return self._scopes[shape, actions]

    async def _clauses(self, shape: Shape, actions: Iterable[Action]) -> AsyncIterator[Clause]:
        for each in rules.of(shape.model):
            if each.scope is not None:
                yield Clause(shape, read_scope(shape, await self._asked(each.scope)))
        for own in shape.subclasses.values():
            for each in rules.of(own.model):
                if issubclass(shape.model, each.model):
                    continue
                if not all([await self.includes(each.actions[action]) for action in actions]):
                    yield Clause(own, None)
                elif each.scope is not None:
                    yield Clause(own, read_scope(own, await self._asked(each.scope)))

    async def _asked(self, scope: Callable[[Any], Any]) -> Any:
        if scope not in self._found:
            self._found[scope] = await call(scope, self._user)
        return self._found[scope]

    async def defaults(self, shape: Shape) -> dict[str, Any]:
        """Return the values of a new document that come from the user, by the names of its fields."""
        found = {}
        for each in rules.of(shape.model):
            for name, rule in each.fields.items():
                value = None if rule.default is None else await call(rule.default, self._user)
                if value is not None:
                    found[name] = value
        return found

    def refusal(self) -> RequestError:
        """Return the error for what the user may not do."""
        if self._user is None:
            return Unauthorized("Sign in to do this.")
        return Forbidden("You may not do this.")


def _names_of(user: Any) -> set[str]:
    """Return the roles of a user, and its OAuth scopes as rules name them.

    Roles are ``roles`` or ``role`` of the user, scopes ``scopes`` or ``scope``: texts, or lists of them. A text of
    several scopes has spaces between them (RFC 6749, section 3.3).

    >>> sorted(_names_of({"role": "editor", "scope": "a:read a:write"}))
    ['editor', 'scope:a:read', 'scope:a:write']
    """
    roles = {each for name in ("roles", "role") for each in _texts(user, name)}
    scopes = {each for name in ("scopes", "scope") for text in _texts(user, name) for each in text.split(" ")}
    own = {each for each in roles if not each.startswith(_SCOPE)}
    return (own | {f"{_SCOPE}{each}" for each in scopes}) - {ANYONE, AUTHENTICATED}


def _texts(user: Any, name: str) -> Iterator[str]:
    found = user.get(name) if isinstance(user, Mapping) else getattr(user, name, None)
    several = (found,) if isinstance(found, str) else found if isinstance(found, list | tuple | set | frozenset) else ()
    return (each for each in several if isinstance(each, str))
