"""Which addresses are public, and which URLs a webhook takes: as words, before anything is connected to."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.delivery.webhooks.endpoint import Endpoint, read_endpoint
from bzz.delivery.webhooks.public import is_public, networks
from bzz.errors import ConfigurationError
from tests.delivery.webhooks.tricks import INSIDE, TWISTED


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1", "2a00:1450::5e"]
)
def test_an_address_of_somebody_else_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4), st.integers(0, 2**16 - 1))
def test_no_ipv6_address_that_only_carries_an_ipv4_address_is_public(inner: ipaddress.IPv4Address, rest: int) -> None:
    number = int(inner)
    carriers = [
        number,  # IPv4-compatible
        0xFFFF << 32 | number,  # mapped
        0xFFFF << 48 | number,  # translated
        0x64FF9B << 96 | number,  # NAT64
        0x64FF9B0001 << 80 | rest << 64 | number,
        0x2002 << 112 | number << 80 | rest,  # 6to4
        0x20010000 << 96 | rest << 64 | number,  # Teredo
        0x260647000000 << 80 | rest << 64 | 0x5EFE << 32 | number,  # ISATAP
        0x260647000000 << 80 | rest << 64 | 0x02005EFE << 32 | number,
    ]
    assert not any(is_public(ipaddress.IPv6Address(each)) for each in carriers)


@given(st.ip_addresses())
def test_what_python_does_not_call_global_is_not_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert address.is_global or not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org:8443/a/b?c=d&e=%23",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1]:8443/",
        "https://my_service.example.org./",
    ],
)
def test_a_url_of_somebody_else_is_taken(url: str) -> None:
    assert urlsplit(url).hostname == read_endpoint(url, []).host


def test_a_url_is_taken_apart() -> None:
    assert read_endpoint("https://example.org?a=%20b", []) == Endpoint(
        "example.org", 443, True, "example.org", "/?a=%20b"
    )
    secure = read_endpoint("https://[2606:4700::1]:8443/a/b", [])
    assert secure == Endpoint("2606:4700::1", 8443, True, "[2606:4700::1]:8443", "/a/b")
    assert read_endpoint("http://10.0.0.1/a", networks(["10.0.0.0/8"])).port == 80


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("https://10.0.0.5/", ["10.0.0.0/8"]),
        ("http://10.0.0.5/", ["10.0.0.0/8"]),
        ("http://[fd00::5]/", ["fd00::/8"]),
        ("http://inside.example/", ["10.0.0.0/8"]),  # where it leads is asked when it is sent
        ("https://8.8.8.8/", ["10.0.0.0/8"]),
    ],
)
def test_networks_of_ones_own_are_taken_where_they_are_named(url: str, allow: list[str]) -> None:
    assert urlsplit(url).hostname == read_endpoint(url, networks(allow)).host


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/", "sent in the clear"),
        ("http://127.0.0.1/", "sent in the clear"),
        ("ftp://example.org/", "begins neither"),
        ("file:///etc/passwd", "begins neither"),
        ("gopher://example.org/", "begins neither"),
        ("example.org/hook", "begins neither"),
        ("//example.org/hook", "begins neither"),
        ("", "plain ASCII"),
        (None, "plain ASCII"),
        (b"https://example.org/", "plain ASCII"),
        ("https://", "its host is neither a name nor an address"),
        ("https:///hook", "its host is neither a name nor an address"),
        ("https://user:key@example.org/", "a user and a password"),
        ("https://example.org/#a", "what follows #"),
        ("https://example.org:0/", "its port is none"),
        ("https://example.org:/", "its port is none"),
        ("https://example.org:65536/", "cannot be read"),
        ("https://example.org:a/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://[example.org]/", "cannot be read|no IPv6 address"),
        ("https://[fe80::1%25eth0]/", "no IPv6 address"),
        ("https://a..b/", "its host is neither a name nor an address"),
        (f"https://{'a' * 64}.example/", "its host is neither a name nor an address"),
        ("https://bücher.example/", "plain ASCII"),
        ("https://example.org/a b", "plain ASCII"),
        ("https://exam\tple.org/", "plain ASCII"),
        ("https://example.org/\r\nX-Evil: 1", "plain ASCII"),
        ("https://example.org\\@127.0.0.1/", "plain ASCII"),
        ("https://%31%32%37.0.0.1/", "its host is neither a name nor an address"),
        ("https://2130706433/", "a number, but no IPv4 address"),
        ("https://10.0.0.5/", "no public address"),
    ],
)
def test_a_mistake_in_a_url_is_told_in_words(url: Any, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read_endpoint(url, [])


@given(st.text(), st.sampled_from(["https://", "https://[", "http://", ""]))
def test_any_text_is_an_endpoint_or_a_mistake(text: str, before: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert read_endpoint(before + text, []).is_secure


def test_what_a_url_holds_beside_its_host_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_endpoint("https://user:key@example.org/secret-path", [])
    assert "key" not in str(caught.value)
    assert "secret-path" not in repr(read_endpoint("https://example.org/secret-path", []))


def test_in_the_clear_an_address_has_to_lie_in_a_network_of_ones_own() -> None:
    with pytest.raises(ConfigurationError, match=r"8\.8\.8\.8 lies in no network of allow="):
        read_endpoint("http://8.8.8.8/", networks(["10.0.0.0/8"]))


@pytest.mark.parametrize("url", TWISTED)
def test_a_twisted_url_is_not_taken(url: str) -> None:
    with pytest.raises(ConfigurationError):
        read_endpoint(url.replace("http:", "https:").format(port=8443), [])


@pytest.mark.parametrize("allow", [["10.0.0.1/8"], ["example.org"], [10], [None], "localhost"])
def test_what_is_no_network_is_a_mistake(allow: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"allow: .* is neither an address nor a network"):
        networks(allow)
