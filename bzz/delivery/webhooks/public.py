"""Which addresses are public: those of other people's servers, and of nothing else. Pure.

Python's ``is_global`` is not enough: 3.11 calls addresses global that carry an IPv4 address of any kind inside
(``64:ff9b::7f00:1`` is 127.0.0.1 behind NAT64), multicast, site-local ones, and blocks that were set apart since. So an
IPv6 address has to lie in the one block of which IANA gives out global unicast addresses, too, and none may lie in a
block of the registries of special addresses:
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from bzz.errors import ConfigurationError

__all__ = ["Address", "Network", "is_public", "networks", "parse"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SPECIAL_V4 = [
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this host, this network: RFC 791
        "10.0.0.0/8",  # private: RFC 1918
        "100.64.0.0/10",  # behind a carrier's NAT: RFC 6598
        "127.0.0.0/8",  # loopback: RFC 1122
        "169.254.0.0/16",  # link-local, the metadata of clouds among them: RFC 3927
        "172.16.0.0/12",  # private: RFC 1918
        "192.0.0.0/24",  # assignments of protocols: RFC 6890
        "192.0.2.0/24",  # documentation: RFC 5737
        "192.31.196.0/24",  # AS112, answered by whoever is near: RFC 7535
        "192.52.193.0/24",  # relays of multicast: RFC 7450
        "192.88.99.0/24",  # relays of 6to4: RFC 7526
        "192.168.0.0/16",  # private: RFC 1918
        "192.175.48.0/24",  # AS112: RFC 7534
        "198.18.0.0/15",  # benchmarks: RFC 2544
        "198.51.100.0/24",  # documentation: RFC 5737
        "203.0.113.0/24",  # documentation: RFC 5737
        "224.0.0.0/4",  # multicast: RFC 5771
        "240.0.0.0/4",  # reserved, broadcast: RFC 1112, RFC 919
    )
]

_UNICAST = ipaddress.IPv6Network("2000::/3")
"""Global unicast: RFC 4291, section 2.4, https://www.iana.org/assignments/ipv6-address-space.

What it leaves out: ``::1`` and ``::``, IPv4-compatible ``::a.b.c.d`` and IPv4-mapped ``::ffff:a.b.c.d`` (RFC 4291,
section 2.5), IPv4-translated ``::ffff:0:a.b.c.d`` (RFC 2765), NAT64 ``64:ff9b::/96`` (RFC 6052) and ``64:ff9b:1::/48``
(RFC 8215), ``100::/64`` that discards (RFC 6666), segments ``5f00::/16`` (RFC 9602), unique local ``fc00::/7``
(RFC 4193), link-local ``fe80::/10``, site-local ``fec0::/10`` (RFC 3879), multicast ``ff00::/8``.
"""

_SPECIAL_V6 = [
    ipaddress.IPv6Network(each)
    for each in (
        "2001::/23",  # assignments of protocols, Teredo (RFC 4380), which carries IPv4, among them: RFC 2928
        "2001:db8::/32",  # documentation: RFC 3849
        "2002::/16",  # 6to4, which carries IPv4: RFC 3056
        "2620:4f:8000::/48",  # AS112: RFC 7534
        "3ffe::/16",  # the former 6bone: RFC 3701
        "3fff::/20",  # documentation: RFC 9637
    )
]

_ISATAP = 0x00005EFE
_ISATAP_MASK = 0xFDFFFFFF  # one bit says whether the IPv4 address behind it is thought to be unique


def is_public(address: Address) -> bool:
    """Return whether an address is public, and leads nowhere else than it says.

    >>> [is_public(ipaddress.ip_address(each)) for each in ("8.8.8.8", "100.100.100.200", "2606:4700::1", "2002:a00::")]
    [True, False, True, False]
    """
    if not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in each for each in _SPECIAL_V4)
    if address.scope_id is not None or address not in _UNICAST:  # a zone is of one link of this host: RFC 4007
        return False
    return not _is_isatap(address) and not any(address in each for each in _SPECIAL_V6)


def _is_isatap(address: ipaddress.IPv6Address) -> bool:
    """Whether the last 32 bits are an IPv4 address to which a tunnel leads: RFC 5214, section 6.1."""
    return (int(address) >> 32) & _ISATAP_MASK == _ISATAP


def parse(text: str) -> Address | None:
    """Return the address in a text, or None. IPv4 is four decimal numbers, nothing shorter."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def networks(allow: Iterable[Any]) -> list[Network]:
    """Return the networks that an application calls its own.

    :param allow: ``'10.0.0.0/8'``, ``'::1'``, or such objects of :mod:`ipaddress`.
    :raises bzz.errors.ConfigurationError: for anything else.

    >>> networks(["10.0.0.0/8", "::1"])
    [IPv4Network('10.0.0.0/8'), IPv6Network('::1/128')]
    """
    return [_network(each) for each in ([allow] if isinstance(allow, str) else allow)]


def _network(text: Any) -> Network:
    try:
        return ipaddress.ip_network(str(text))  # a number would be taken for an address, too
    except ValueError as error:
        raise ConfigurationError(
            f"allow: {text!r} is neither an address nor a network such as '10.0.0.0/8' ({error})"
        ) from None
