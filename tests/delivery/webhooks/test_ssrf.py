"""No trick leads a webhook to an address inside: a listening socket counts who comes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from bzz.delivery.webhooks.answer import Answer, Undelivered
from bzz.delivery.webhooks.endpoint import Endpoint
from bzz.delivery.webhooks.posting import post
from bzz.delivery.webhooks.public import networks
from bzz.delivery.webhooks.resolver import Found, GuardedResolver, RefusedAddress
from tests.delivery.webhooks.receiver import Receiver, answering, receiving
from tests.delivery.webhooks.tricks import INSIDE, LOOPBACK, NAMES, TWISTED

ALLOWED = "127.0.0.2"
"""Stands for a public address where one has to be reached: to the guard, everything else is inside."""


class Inside:
    """This machine on one port, by IPv4 and IPv6."""

    def __init__(self, *receivers: Receiver) -> None:
        self._receivers = receivers
        self.port = receivers[0].port

    @property
    def visits(self) -> int:
        return sum(each.connections for each in self._receivers)


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    async with receiving() as four, receiving(host="::1", port=four.port) as six:
        yield Inside(four, six)


def found(*addresses: str) -> Any:
    """A look-up that finds the same addresses whatever it is asked for."""
    return lambda host, port, family: [as_found(each, port) for each in addresses]


def as_found(address: str, port: int) -> tuple[int, Any]:
    six = (socket.AF_INET6, (address, port, 0, 0))
    return six if ":" in address else (socket.AF_INET, (address, port))


async def send(url: str, resolver: GuardedResolver | None = None) -> Answer:
    """Send to what a URL says, without asking whether a webhook may have it."""
    return await post(Endpoint.of(urlsplit(url)), {"webhook-id": "1"}, b"{}", resolver or GuardedResolver())


async def refusal(url: str, resolver: GuardedResolver | None = None) -> BaseException | None:
    """Why nothing was sent."""
    try:
        await send(url, resolver)
    except Undelivered as error:
        return error.__cause__
    except ValueError as error:  # the URL cannot be read at all
        return error
    raise AssertionError("it was sent")


@pytest.mark.parametrize("host", LOOPBACK)
async def test_no_way_to_write_this_machine_leads_there(inside: Inside, host: str) -> None:
    reason = await refusal(f"http://{host}:{inside.port}/")
    assert isinstance(reason, RefusedAddress | socket.gaierror)
    assert inside.visits == 0


@pytest.mark.parametrize("url", TWISTED)
async def test_no_twisted_url_leads_there(inside: Inside, url: str) -> None:
    reason = await refusal(url.format(port=inside.port), GuardedResolver(look_up=named))
    assert isinstance(reason, RefusedAddress | socket.gaierror | ValueError)
    assert inside.visits == 0


def named(host: str, port: int, family: int) -> Found:
    """Find ``good.example`` at an address that is public, and other hosts as the system does."""
    if host == "good.example":
        raise socket.gaierror(socket.EAI_NONAME, "somebody else's")
    return [(each[0], each[4]) for each in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)]


@pytest.mark.parametrize("address", INSIDE)
async def test_nothing_is_sent_to_an_address_inside(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert isinstance(await refusal(f"http://{host}:1/"), RefusedAddress)
    assert isinstance(await refusal("https://good.example/", GuardedResolver(look_up=found(address))), RefusedAddress)


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_leads_there(inside: Inside, name: str) -> None:
    resolver = GuardedResolver(look_up=found(NAMES[name]))
    assert isinstance(await refusal(f"http://{name}:{inside.port}/", resolver), RefusedAddress)
    assert inside.visits == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "[::ffff:7f00:1]"])
async def test_the_same_tricks_lead_there_without_the_guard(inside: Inside, host: str) -> None:
    everywhere = GuardedResolver(networks(["0.0.0.0/0", "::/0"]))
    assert (await send(f"http://{host}:{inside.port}/", everywhere)).status == 200
    assert inside.visits == 1


async def test_an_answer_that_changes_after_it_was_checked_is_no_way_in(inside: Inside) -> None:
    answers: list[str] = []

    def rebinding(host: str, port: int, family: int) -> Found:
        answers.append("127.0.0.1" if len(answers) % 2 else ALLOWED)
        return [as_found(answers[-1], port)]

    async with receiving(host=ALLOWED, port=inside.port) as outside:
        resolver = GuardedResolver(networks([ALLOWED]), look_up=rebinding)
        sent = [await outcome(f"http://good.example:{inside.port}/", resolver) for _ in range(6)]
    assert sent == [200, RefusedAddress] * 3
    assert (outside.connections, inside.visits) == (3, 0)


async def outcome(url: str, resolver: GuardedResolver) -> Any:
    try:
        return (await send(url, resolver)).status
    except Undelivered as error:
        return type(error.__cause__)


@pytest.mark.parametrize(
    "addresses", [(ALLOWED, "127.0.0.1"), ("127.0.0.1", ALLOWED), (ALLOWED, "::1"), ("::1", ALLOWED)]
)
async def test_a_name_with_one_address_inside_is_refused_whole(inside: Inside, addresses: tuple[str, str]) -> None:
    resolver = GuardedResolver(networks([ALLOWED]), look_up=found(*addresses))  # nobody listens at the allowed one
    assert isinstance(await refusal(f"http://good.example:{inside.port}/", resolver), RefusedAddress)
    assert inside.visits == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 201])
async def test_no_redirect_leads_there(inside: Inside, status: int) -> None:
    to = f"http://127.0.0.1:{inside.port}/"
    headers = [
        f"Location: {to}",
        f"Refresh: 0; url={to}",
        f"Link: <{to}>; rel=canonical",
        f'Alt-Svc: h2="127.0.0.1:{inside.port}"',
    ]
    async with receiving(answering(status, *headers), ALLOWED) as outside:
        answer = await send(outside.url, GuardedResolver(networks([ALLOWED])))
    assert (answer.status, outside.connections, inside.visits) == (status, 1, 0)


@asynccontextmanager
async def configured(client: str, **defaults: Any) -> AsyncIterator[None]:
    """Let the application have chosen another client for itself."""
    before = AsyncHTTPClient._save_configuration()
    AsyncHTTPClient.configure(client, defaults=defaults)
    yield
    AsyncHTTPClient._restore_configuration(before)


@pytest.fixture(params=["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def proxy_variable(request: pytest.FixtureRequest, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(request.param, f"http://127.0.0.1:{inside.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    return str(request.param)


async def test_no_proxy_of_the_environment_leads_there(inside: Inside, proxy_variable: str) -> None:
    async with receiving(host=ALLOWED) as outside:
        assert (await send(outside.url, GuardedResolver(networks([ALLOWED])))).status == 200
    assert (outside.connections, inside.visits) == (1, 0)


async def test_no_client_that_the_application_configured_leads_there(inside: Inside) -> None:
    curl = "tornado.curl_httpclient.CurlAsyncHTTPClient"
    async with configured(curl, proxy_host="127.0.0.1", proxy_port=inside.port), receiving(host=ALLOWED) as outside:
        assert (await send(outside.url, GuardedResolver(networks([ALLOWED])))).status == 200
    assert (outside.connections, inside.visits) == (1, 0)


async def test_in_the_clear_not_even_public_addresses_are_reached() -> None:
    resolver = GuardedResolver(networks([ALLOWED]), only_allowed=True, look_up=found("8.8.8.8"))
    reason = await refusal("http://good.example/", resolver)
    assert isinstance(reason, RefusedAddress)
    assert "8.8.8.8, which is not in an allowed network" in str(reason)


async def test_what_is_refused_is_told_with_its_address_and_the_remedy() -> None:
    with pytest.raises(
        Undelivered, match=r"localhost was not asked: localhost leads to 127\.0\.0\.1, which is no public"
    ):
        await send("http://localhost/")


async def test_those_who_ask_for_the_same_host_meanwhile_share_one_look_up() -> None:
    asked: list[str] = []
    answer = threading.Event()

    def slow(host: str, port: int, family: int) -> Found:
        asked.append(host)
        answer.wait(30)
        return [as_found(ALLOWED, port)]

    resolver = GuardedResolver(networks([ALLOWED]), look_up=slow)
    given_up, one, other = (asyncio.ensure_future(resolver.resolve("good.example", 80)) for _ in range(3))
    await asyncio.sleep(0)  # all three have begun
    given_up.cancel()
    answer.set()
    assert await one == await other == [(socket.AF_INET, (ALLOWED, 80))]
    assert asked == ["good.example"]
    await resolver.resolve("good.example", 80)
    assert len(asked) == 2  # nothing is remembered
