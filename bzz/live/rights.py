"""Whether clients may still follow: asked again now and then, and at once where a session has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from tornado.web import Application, RequestHandler

from bzz.asgi.lifespan import STOPPING, is_stopping
from bzz.calling import call
from bzz.errors import Unavailable
from bzz.live.frames import ResetReason
from bzz.model.rights import renew
from bzz.problem import GUARD
from bzz.providers import rules
from bzz.providers.changes import Scope

__all__ = ["CHECK_SECONDS", "Rights", "Watched", "clients", "end_all", "forget", "recheck"]

logger = logging.getLogger("bzz.live")

CHECK_SECONDS = 30.0
"""How often each client is asked about."""

AT_A_TIME = 8

ASKING_SECONDS = 10.0
"""How long the guard, ``authorize`` and hooks may take for one client; others wait for it meanwhile."""


class Watched(Protocol):
    """A client whose rights may end."""

    @property
    def handler(self) -> RequestHandler:
        """Of its request."""

    async def check(self) -> None:
        """Raise where it may not follow any more."""

    async def scopes(self) -> list[Scope]:
        """Return what it may see, as it is now."""

    def end(self, reason: ResetReason) -> None:
        """Tell it why, and nothing more."""


class _Changed(Exception):
    """The rules let a client see more, or less, than when it began."""


class Rights:
    """What a client needs to be let in.

    :param authorize: raises where the application says no; the guard is asked before.
    """

    __slots__ = ("authorize",)

    def __init__(self, authorize: Callable[[], Awaitable[None]]) -> None:
        self.authorize = authorize

    async def check(self, handler: RequestHandler) -> None:
        """Raise where the client may not follow any more."""
        guard = handler.settings.get(GUARD)
        if guard is not None:
            await call(getattr(guard, "ask_again", guard), handler)
        is_same = not rules.DECLARED or await renew(handler)
        await self.authorize()
        if not is_same:
            raise _Changed

    def watch(self, client: Watched, keys: Sequence[str]) -> None:
        """Ask about a client from now on, until :func:`forget` is called.

        :param keys: of the scopes that it was let in with.
        """
        at_stop = client.handler.application.settings.setdefault(STOPPING, [])
        if end_all not in at_stop:
            at_stop.append(end_all)
        guard: Any = client.handler.settings.get(GUARD)
        names: Collection[str] = ()
        has_ended = False
        if hasattr(guard, "when_session_ends"):
            guard.when_session_ends(recheck)
            names = guard.session_names(client.handler)
            has_ended = guard.have_sessions_ended(names)  # while this one was on its way
        loop = asyncio.get_running_loop()
        watch = _watches.get(loop)
        if watch is None:
            watch = _watches[loop] = _Watch()
        watch.begin(client, keys, names)
        if has_ended:
            watch.hurry([client])


class _Watch:
    """The clients of one event loop, and a task that asks about each in its turn."""

    def __init__(self) -> None:
        self._due: dict[Watched, float] = {}
        self._keys: dict[Watched, Sequence[str]] = {}
        self._names: dict[Watched, Collection[str]] = {}
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, client: Watched, keys: Sequence[str], names: Collection[str]) -> None:
        self._due[client] = asyncio.get_running_loop().time() + CHECK_SECONDS
        self._keys[client] = keys
        if names:
            self._names[client] = names
        if is_stopping(client.handler.application):  # since this one was on its way
            client.end("shutdown")
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="live rights")

    def end(self, client: Watched) -> None:
        self._due.pop(client, None)
        self._keys.pop(client, None)
        self._names.pop(client, None)

    @property
    def clients(self) -> Iterable[Watched]:
        return self._due

    def of(self, ended: str) -> list[Watched]:
        """Return the clients who had a session by its name, or that of its user."""
        return [client for client, names in self._names.items() if ended in names]

    def hurry(self, clients: Iterable[Watched]) -> None:
        """Ask about them now."""
        self._due.update(dict.fromkeys(clients, 0.0))
        self._hurry.set()

    def end_all(self, application: Application) -> None:
        for client in list(self._due):
            if client.handler.application is application:
                client.end("shutdown")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due:
            self._hurry.clear()
            due = [client for client, at in self._due.items() if at <= loop.time()]
            for start in range(0, len(due), AT_A_TIME):
                await asyncio.gather(*(self._ask(client) for client in due[start : start + AT_A_TIME]))
            try:
                async with asyncio.timeout(min(1.0, CHECK_SECONDS / 2)):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    async def _ask(self, client: Watched) -> None:
        if client not in self._due:
            return
        self._due[client] = asyncio.get_running_loop().time() + CHECK_SECONDS
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                await client.check()
                found = [scope.key for scope in await client.scopes()]
        except (Unavailable, TimeoutError):
            client.end("unavailable")
        except _Changed:
            client.end("scope")
        except Exception as error:
            logger.info("a feed ends, for its client may not follow any more: %s", error)
            client.end("forbidden")
        else:
            if found != self._keys.get(client, found):
                client.end("scope")


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


def forget(client: Watched) -> None:
    """Ask about a client no more."""
    watch = _watches.get(asyncio.get_running_loop())
    if watch is not None:
        watch.end(client)


def recheck(ended: str | None = None) -> None:
    """Ask now about clients of the running event loop, for their session has ended.

    :param ended: the name of the session, or of the user whose sessions have ended; None for all clients.
    """
    watch = _watches.get(asyncio.get_running_loop())
    if watch is not None:
        watch.hurry(watch.clients if ended is None else watch.of(ended))


def clients() -> list[Watched]:
    """Return the clients of the running event loop."""
    watch = _watches.get(asyncio.get_running_loop())
    return [] if watch is None else list(watch.clients)


def end_all(application: Application) -> None:
    """Tell all clients of an application, on the running event loop, that the server stops."""
    watch = _watches.get(asyncio.get_running_loop())
    if watch is not None:
        watch.end_all(application)
