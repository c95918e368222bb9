"""Addresses of clients: one text for each, and which proxies are trusted to name them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from tornado.httputil import HTTPHeaders

from bzz.errors import ConfigurationError

__all__ = ["UNIX", "Client", "Proxies", "client_of", "network_of", "normalize"]

UNIX = "unix"
"""Stands for a peer on a Unix socket, which has no address, among trusted proxies."""

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # RFC 4291, section 2.5.5.2
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1
_IPV4_BITS = 0xFFFFFFFF

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _parse(text: str) -> Address | None:
    """Return the address in ``text``, IPv4 if IPv6 only carries it; None if it is not an address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])  # a zone (RFC 4007) means something on one host only
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:  # RFC 4291, section 2.5.5.2
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    return address


@lru_cache(maxsize=1024)
def normalize(text: str) -> str:
    """Return the one way to write an address; a text that is not an address is returned as it is.

    An IPv4 client of an IPv6 socket, or behind NAT64, keeps its own address.

    >>> normalize("::ffff:192.0.2.7"), normalize("64:ff9b::c000:207"), normalize("2001:DB8:0::7"), normalize("?")
    ('192.0.2.7', '192.0.2.7', '2001:db8::7', '?')
    """
    address = _parse(text)
    return text if address is None else str(address)


def network_of(text: str) -> str:
    """Return what counts as one client: an IPv4 address itself; for IPv6 its /64, which is what one subscriber gets.

    >>> network_of("192.0.2.7"), network_of("::ffff:192.0.2.7"), network_of("2001:db8::7"), network_of("")
    ('192.0.2.7', '192.0.2.7', '2001:db8::/64', '')
    """
    address = _parse(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return text if address is None else str(address)


class Proxies:
    """The proxies that are trusted to name their clients.

    :param networks: addresses and networks, such as ``'10.0.0.0/8'``; ``'unix'`` for whoever comes by a Unix socket.
    :raises bzz.errors.ConfigurationError: for anything else.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        texts = [networks] if isinstance(networks, str) else list(networks)
        self._unix = UNIX in texts
        self._networks = [each for text in texts if text != UNIX for each in _networks(text)]

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def trusts(self, text: str | None) -> bool:
        """Return whether an address is a proxy's; None stands for a peer on a Unix socket."""
        if text is None:
            return self._unix
        address = _parse(text)
        return address is not None and any(address in network for network in self._networks)

    def client(self, peer: str | None, forwarded: Sequence[str]) -> str | None:
        """Return the address of the client at the far end of ``X-Forwarded-For``.

        The chain is read from its end, where the nearest proxy wrote: the first address that is not a
        trusted proxy's is the client's, whatever stands before it. Reading ends at what is not an address.

        >>> Proxies(["10.0.0.0/8"]).client("10.0.0.1", ["spoofed, 192.0.2.7, 10.0.0.2"])
        '192.0.2.7'
        >>> Proxies(["10.0.0.0/8"]).client("192.0.2.9", ["192.0.2.7"])
        '192.0.2.9'

        :param peer: whoever connected; None on a Unix socket.
        :param forwarded: the values of each ``X-Forwarded-For``.
        """
        client = peer
        for hop in reversed(",".join(forwarded).split(",")):
            if not self.trusts(client) or (address := _parse(_without_port(hop.strip()))) is None:
                break
            client = str(address)
        return client


class Client(NamedTuple):
    """What Tornado takes from ``connection.context``.

    :param remote_ip: the address of the client.
    :param protocol: ``'http'`` or ``'https'``.
    """

    remote_ip: str
    protocol: str

    def __str__(self) -> str:
        return self.remote_ip


def client_of(proxies: Proxies, peer: str | None, protocol: str, headers: HTTPHeaders) -> Client:
    """Return who asks, and by which protocol: the peer itself, or whom a trusted proxy names.

    :param peer: the address of who connected; None on a Unix socket, where Tornado says ``0.0.0.0``.
    """
    if proxies and proxies.trusts(peer):
        peer = proxies.client(peer, headers.get_list("X-Forwarded-For"))
        said = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        protocol = said if said in ("http", "https") else protocol
    return Client("0.0.0.0" if peer is None else normalize(peer), protocol)


def _networks(text: str) -> list[Network]:
    """Return the network in ``text``, and the IPv4 addresses that it carries: clients are compared by these."""
    try:
        network = ipaddress.ip_network(str(text))  # a number would be taken for an address, too
    except ValueError as error:
        raise ConfigurationError(
            f"trusted_proxies: {text!r} is neither an address nor a network such as '10.0.0.0/8' nor 'unix' ({error})"
        ) from None
    if isinstance(network, ipaddress.IPv4Network):
        return [network]
    first, bits = int(network.network_address) & _IPV4_BITS, max(network.prefixlen - _NAT64.prefixlen, 0)
    carried = [ipaddress.IPv4Network((first, bits)) for each in (_MAPPED, _NAT64) if network.overlaps(each)]
    return [network, *carried]


def _without_port(text: str) -> str:
    """Return an address of which some proxies write the port too, ``192.0.2.7:80`` or ``[2001:db8::7]:80``."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
