"""Addresses of clients, one text for each, and whom to believe about them."""

from __future__ import annotations

import pytest

from bzz.addresses import Proxies, network_of, normalize
from bzz.errors import ConfigurationError

PROXIES = Proxies(["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48", "unix"])


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_an_address_is_written_in_one_way(written: str, normal: str) -> None:
    assert normalize(written) == normal


def test_ipv4_clients_of_an_ipv6_socket_are_not_one_network() -> None:
    assert network_of("::ffff:192.0.2.7") != network_of("::ffff:192.0.2.8")
    assert network_of("64:ff9b::192.0.2.7") != network_of("64:ff9b::192.0.2.8")


def test_an_ipv6_subscriber_is_one_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", ["203.0.113.5"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("::ffff:10.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", ["1.2.3.4", "203.0.113.5, 10.9.9.9", "192.0.2.1"], "203.0.113.5"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.5, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.5, "], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("2001:db8:1::9", ["2001:db8:2::7"], "2001:db8:2::7"),
        (None, ["203.0.113.5"], "203.0.113.5"),
        (None, [], None),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_trusted_proxy(
    peer: str | None, forwarded: list[str], client: str | None
) -> None:
    assert PROXIES.client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("network", "trusted", "other"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"),
        ("64:ff9b::a00:0/104", "10.1.2.3", "2001:db8::1"),
        ("64:ff9b::/96", "64:ff9b::a00:1", "2001:db8::1"),
        ("::/0", "::ffff:10.0.0.1", "nonsense"),
        ("2001:db8::/32", "2001:db8::1", "10.0.0.1"),
    ],
)
def test_a_network_of_ipv6_that_carries_ipv4_is_trusted_as_that(network: str, trusted: str, other: str) -> None:
    assert [Proxies([network]).trusts(each) for each in (trusted, other)] == [True, False]


def test_a_unix_socket_is_trusted_only_if_it_is_named() -> None:
    assert Proxies(["10.0.0.0/8"]).client(None, ["203.0.113.5"]) is None


@pytest.mark.parametrize("given", ["10.0.0.1/8", "nowhere", "", 7])
def test_what_is_no_network_is_an_error(given: object) -> None:
    with pytest.raises(ConfigurationError, match="trusted_proxies"):
        Proxies([given])  # type: ignore[list-item]  # what is tested


def test_a_single_text_is_one_network_and_not_its_letters() -> None:
    assert Proxies("10.0.0.0/8").trusts("10.1.2.3")
