"""An application with sessions on a real socket, and a real OpenID Connect server in a process of its own."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

import bzz
from bzz.auth import AuthProvider
from bzz.problem import GUARD, ProblemHandler
from tests.conftest import NO_TLS

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--window-size=900,700",
)

KEY = "0123456789abcdef0123456789abcdef"

REDIRECT = "http://app.example/callback"


class Tickets(AuthProvider):
    """A provider of the application's own: a ticket is good when it says whose it is."""

    name = "tickets"

    async def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        kind, _, owner = access_token.partition(":")
        return {"id": owner, "name": owner.title(), "shoe": 42} if kind == "ticket" else None


class Plain(RequestHandler):
    """An ordinary Tornado handler with guarded methods, one sync and one async."""

    @bzz.authenticated
    def get(self) -> None:
        self.write(self.current_user)

    @bzz.authenticated
    async def post(self) -> None:
        self.set_status(int(self.get_argument("status", "200")))
        self.write("written")

    def put(self) -> None:
        self.write("open")


class Streamed(RequestHandler):
    """One guarded method whose answer goes out in pieces, and one that raises."""

    @bzz.authenticated
    async def get(self) -> None:
        self.write("a")
        await self.flush()
        self.finish("b")

    @bzz.authenticated
    async def put(self) -> None:
        raise HTTPError(409)


class Held(RequestHandler):
    """A guarded method that takes as long as the test wants: ``held`` in the settings holds two events."""

    @bzz.authenticated
    async def get(self) -> None:
        arrived, go_on = self.settings["held"]
        arrived.set()
        await go_on.wait()
        self.write("late")


class Cached(RequestHandler):
    """A guarded method that settles itself what caches may do."""

    @bzz.authenticated
    def get(self) -> None:
        self.set_header("Cache-Control", "public, max-age=60")
        self.set_header("Vary", "Accept")
        self.write("cached")


class Guarded(ProblemHandler):
    """What every handler of bzz does: await the guard before anything else."""

    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")

    async def prepare(self) -> None:
        await self.settings[GUARD](self)

    def get(self) -> None:
        self.write({"user": self.current_user})

    post = put = patch = delete = propfind = get


class Secured(Protocol):
    """Serves an application that ``AuthHive`` configured."""

    def __call__(
        self, *providers: AuthProvider | type[AuthProvider], settings: Mapping[str, Any] = ..., **options: Any
    ) -> httpx.AsyncClient:
        """A client of ``/auth/...``, ``/plain`` and ``/guarded``; ``options`` go to ``AuthHive.configure``."""


@pytest.fixture
async def secured() -> AsyncIterator[Secured]:
    async with AsyncExitStack() as stack:

        def start(
            *providers: AuthProvider | type[AuthProvider], settings: Mapping[str, Any] = {}, **options: Any
        ) -> httpx.AsyncClient:
            routes = [("/plain", Plain), ("/guarded", Guarded), ("/streamed", Streamed), ("/held", Held)]
            routes.append(("/cached", Cached))
            app = Application([*bzz.AuthHive.routes_for(providers or [Tickets()]), *routes], **settings)
            bzz.AuthHive.configure(app, **{"secret_key": KEY, "development": True, **options})
            url = listen(stack, app)
            client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, verify=NO_TLS)
            stack.push_async_callback(client.aclose)
            return client

        yield start


def listen(stack: AsyncExitStack, app: Application) -> str:
    """Serve ``app`` until ``stack`` closes; its address."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_sockets(sockets)
    stack.push_async_callback(server.close_all_connections)
    stack.callback(server.stop)
    return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


async def sign_in(client: httpx.AsyncClient, token: str = "ticket:ada", provider: str = "tickets", **more: Any) -> Any:
    """The answer to a sign-in."""
    return await client.post("/auth/signin/", json={"access_token": token, "provider": provider, **more})


class OpenIDServer:
    """``oidc-provider-mock`` in a process of its own. Each start makes new signing keys.

    :param certificate: a PEM file with a key and its certificate, to serve HTTPS.
    :param authority: a PEM file with the certificate of who signed that one.
    """

    def __init__(self, certificate: Path | None = None, authority: Path | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.issuer = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._certificate = certificate
        self._trusted = ssl.create_default_context(cafile=authority)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, "-m", *self._module(), "--port", str(self.port), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, "the OpenID Connect server ended"
            assert time.monotonic() < deadline, "the OpenID Connect server did not start"

    def stop(self) -> None:
        """Stop; a further start on the same port is a server whose keys were rotated."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def id_token(self, user: str, client_id: str = "bzz-app", **claims: Any) -> str:
        """An ID token, got by the authorization code flow as a browser would."""
        return str(self.tokens(user, client_id, **claims)["id_token"])

    def tokens(self, user: str, client_id: str = "bzz-app", **claims: Any) -> dict[str, Any]:
        """What the token endpoint answers."""
        with httpx.Client(base_url=self.issuer, verify=self._trusted, trust_env=False) as client:
            client.put(f"/users/{user}", json=claims).raise_for_status()
            query = {"client_id": client_id, "redirect_uri": REDIRECT, "response_type": "code"}
            asked = client.post(
                "/oauth2/authorize", params={**query, "scope": "openid profile email"}, data={"sub": user}
            )
            code = parse_qs(urlsplit(asked.headers["Location"]).query)["code"][0]
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": client_id}
            found: dict[str, Any] = client.post("/oauth2/token", data={**form, "client_secret": "any"}).json()
            return found

    def _module(self) -> list[str]:
        if self._certificate is None:
            return ["oidc_provider_mock"]
        certificate = str(self._certificate)
        return ["flask", "--app", "oidc_provider_mock:app", "run", "--cert", certificate, "--key", certificate]

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.issuer}/jwks", verify=self._trusted, trust_env=False).status_code == 200
        return False


@pytest.fixture(scope="session")
def openid() -> Iterator[OpenIDServer]:
    """One OpenID Connect server for the whole run, whose keys stay the same."""
    server = OpenIDServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def restartable() -> Iterator[OpenIDServer]:
    """An OpenID Connect server of the test's own, not started yet."""
    server = OpenIDServer()
    yield server
    server.stop()


@pytest.fixture
async def fake_site() -> AsyncIterator[Callable[[Application], str]]:
    """Serve another application, in the place of a site on the internet."""
    async with AsyncExitStack() as stack:
        yield lambda app: listen(stack, app)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log of every library, at DEBUG."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A fresh Chromium; the test is skipped where there is none."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    chrome = Chrome(options, Service(str(DRIVER)))
    yield chrome
    chrome.quit()
