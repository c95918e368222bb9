"""The guard: awaited by every handler of bzz before anything else, and by methods under :func:`authenticated`.

It is one object in ``application.settings``, not a signal receiver: nothing can disconnect it, and two applications in
one process do not share it. After it, ``handler.current_user`` is the user: a dict with ``id``, ``provider`` and the
provider's ``kept`` data, or what ``load_user`` returned. If no user is signed in, and none has to be, it is what the
handler's own ``get_current_user`` returns.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

from tornado.web import RequestHandler

from bzz.auth.session import Sessions, bearer_of
from bzz.errors import ConfigurationError, RequestError, Unauthorized
from bzz.problem import GUARD, answer

__all__ = ["Guard", "authenticated"]

HandlerMethod = TypeVar("HandlerMethod", bound=Callable[..., Any])


class Guard:
    """Decides whether a request may go on.

    :param required: by HTTP method, whether a user must be signed in; the default is that one must.
    """

    def __init__(self, sessions: Sessions, required: Mapping[str, bool]) -> None:
        self._sessions = sessions
        self._required = dict(required)

    def requires(self, method: str) -> bool:
        """Return whether a user must be signed in for an HTTP method."""
        return self._required.get(method, True)

    async def __call__(self, handler: RequestHandler) -> None:
        """Let a request to a handler of bzz go on, or raise.

        :raises bzz.errors.Unauthorized: if no user is signed in, and the method requires one.
        :raises bzz.errors.Unavailable: if the revocation store cannot be asked.
        """
        if self.requires(handler.request.method or ""):
            await self.require(handler)
        else:
            await self.recognise(handler)

    async def require(self, handler: RequestHandler) -> None:
        """Set ``handler.current_user`` and renew the session, whatever the method.

        :raises bzz.errors.Unauthorized: if no user is signed in.
        :raises bzz.errors.Unavailable: if the revocation store cannot be asked.
        """
        self._sessions.renew(handler, await self._sessions.find(handler))

    async def recognise(self, handler: RequestHandler) -> None:
        """Set ``handler.current_user`` if a user is signed in; none has to be."""
        with contextlib.suppress(RequestError):
            await self._sessions.find(handler)

    async def ask_again(self, handler: RequestHandler) -> None:
        """Look again at a request that takes long, such as a feed: raise where it would not be let in any more.

        A session that has ended in this process counts for nothing, although a copy of its token may still be good.

        :raises bzz.errors.Unauthorized: nobody is signed in any more, and the method asks for it.
        :raises bzz.errors.Unavailable: the revocation store cannot be asked.
        """
        try:
            session = await self._sessions.find(handler)
            if self._sessions.has_ended_here(session):
                raise Unauthorized("This session has ended; sign in again.")
        except Unauthorized:
            handler.current_user = handler.get_current_user()  # only now: hooks and receivers may be at work meanwhile
            if self.requires(handler.request.method or ""):
                raise

    def when_session_ends(self, listener: Callable[[str], None]) -> None:
        """Have ``listener`` called when this process has ended sessions, so that it can ask again who may stay.

        :param listener: it is given one of the :meth:`session_names` of each request that it concerns.
        """
        self._sessions.when_ended(listener)

    def session_names(self, handler: RequestHandler) -> frozenset[str]:
        """Return the names of a request's sessions, and of their users, see :meth:`when_session_ends`."""
        return self._sessions.names_of(handler)

    def have_sessions_ended(self, names: Collection[str]) -> bool:
        """Return whether any of these have ended while a request was under way."""
        return self._sessions.have_ended_lately(names)

    def has_own_credential(self, handler: RequestHandler) -> bool:
        """Return whether the request has a bearer token, which no browser adds by itself, and not only a cookie."""
        return bearer_of(handler) is not None


def authenticated(method: HandlerMethod) -> HandlerMethod:
    """Guard one method of any Tornado handler, sync or async: answer 401 if no user is signed in.

    ::

        class Reports(tornado.web.RequestHandler):
            @bzz.authenticated
            async def get(self):
                self.write({"hello": self.current_user["name"]})

    :raises bzz.errors.ConfigurationError: when a request comes and ``bzz.AuthHive.configure`` was not called for the
        application; the request fails.
    """

    @functools.wraps(method)
    async def guarded(handler: RequestHandler, *args: Any, **kwargs: Any) -> None:
        try:
            await _guard_of(handler)(handler)
        except RequestError as error:
            answer(handler, error)
            return
        result = method(handler, *args, **kwargs)
        if inspect.isawaitable(result):
            await result

    return guarded  # type: ignore[return-value]  # Tornado awaits what a method returns


def _guard_of(handler: RequestHandler) -> Callable[[RequestHandler], Awaitable[None]]:
    guard = handler.settings.get(GUARD)
    if guard is None:
        raise ConfigurationError("bzz.authenticated needs bzz.AuthHive.configure(application, ...)")
    require: Callable[[RequestHandler], Awaitable[None]] = getattr(guard, "require", guard)
    return require
