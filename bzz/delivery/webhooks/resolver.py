"""A resolver that gives a connection no address that is not public: against server-side request forgery (SSRF).

Whoever names the address of a webhook may name one inside: ``https://169.254.169.254/``, or a name that leads there.
Names are resolved once, for the connection itself; what was looked at is what is connected to. So an answer that
changes between a check and its use (DNS rebinding) is no way in.

https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tornado.netutil import Resolver

from bzz.delivery.webhooks.public import Address, Network, is_public, parse

__all__ = ["Found", "GuardedResolver", "LookUp", "RefusedAddress"]

Found = list[tuple[int, Any]]
"""A family and an address for ``socket.connect`` each, as Tornado's resolvers return them."""

LookUp = Callable[[str, int, int], Found]
"""Called in a thread with a host, a port and a family (0 for any); raises OSError if the host has no address."""


class RefusedAddress(OSError):
    """A host leads to an address that is not public, and not among those that are allowed."""


def look_up(host: str, port: int, family: int) -> Found:
    """Return the addresses of a host as the system knows them, numbers of any form (``127.1``) included.

    :raises OSError: where there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long, for the codec of names
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from None
    return [(each[0], each[4]) for each in found]


class GuardedResolver(Resolver):
    """Resolves a host if each of its addresses is public, or lies in an allowed network.

    One refused address refuses the host: a client that fails at the first address goes on to the next, so that a name
    with two would come in by the second.

    :param allow: networks of the application's own.
    :param only_allowed: whether public addresses are refused, too.
    :param look_up: finds the addresses of a host.
    """

    def initialize(  # by Configurable, with what the constructor is given
        self, allow: Sequence[Network] = (), *, only_allowed: bool = False, look_up: LookUp = look_up
    ) -> None:
        self._allow = list(allow)
        self._only_allowed = only_allowed
        self._look_up = look_up
        self._looking: dict[tuple[Any, ...], asyncio.Future[Found]] = {}

    async def resolve(self, host: str, port: int, family: int = socket.AF_UNSPEC) -> Found:
        """Return the addresses of a host.

        :raises RefusedAddress: if any of them is refused.
        :raises OSError: where there are none.
        """
        found = await self._find(host, port, family)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "it has no address")
        return [self._checked(host, *each) for each in found]

    async def _find(self, host: str, port: int, family: int) -> Found:
        """Look a host up, or wait for those who look already.

        Each has a thread of its own while it lasts, and one only: a name server that does not answer keeps neither the
        threads of the event loop nor other hosts waiting, whatever is to be sent to its host.
        """
        loop = asyncio.get_running_loop()
        key = (loop, host, port, family)
        looking = self._looking.get(key)
        if looking is None:
            executor = ThreadPoolExecutor(1, "bzz-resolver")
            looking = self._looking[key] = loop.run_in_executor(executor, self._look_up, host, port, family)
            looking.add_done_callback(partial(self._forget, key))
            executor.shutdown(wait=False)
        return await asyncio.shield(looking)  # whoever is cancelled leaves it to the others

    def _forget(self, key: tuple[Any, ...], looked: asyncio.Future[Found]) -> None:
        self._looking.pop(key, None)
        if not looked.cancelled():
            looked.exception()  # nobody may be left to hear of it

    def _checked(self, host: str, family: int, address: Any) -> tuple[int, Any]:
        """Return the address itself, made anew of what was checked."""
        text, port, *scope = address
        if any(scope) and "%" not in text:  # the flow and the zone of an IPv6 address
            text = f"{text}%{scope[-1]}"
        found = parse(text)
        if found is None or not self._lets_through(found):
            rule = "is not in an allowed network" if self._only_allowed else "is no public address"
            raise RefusedAddress(f"{host} leads to {text}, which {rule}; allow= names networks of your own")
        return family, (str(found), port, *scope)

    def _lets_through(self, address: Address) -> bool:
        if any(address in each for each in self._allow):
            return True
        return not self._only_allowed and is_public(address)
