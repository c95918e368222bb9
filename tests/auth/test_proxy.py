"""Providers are asked through a real proxy: it forwards where the issuer has HTTP, and opens a tunnel for HTTPS."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application

import bzz
from bzz.auth import OpenIDProvider
from bzz.errors import ConfigurationError
from tests.auth.conftest import KEY, OpenIDServer, Secured, sign_in

CLIENT = "bzz-app"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority; beside it a server's key and certificate."""
    directory, made = tmp_path_factory.mktemp("tls"), trustme.CA()
    made.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")
    made.cert_pem.write_to_path(directory / "authority.pem")
    return directory / "authority.pem"


@pytest.fixture(scope="module", params=["http", "https"])
def server(request: pytest.FixtureRequest, authority: Path) -> Iterator[OpenIDServer]:
    """An OpenID Connect server, once with HTTP and once with HTTPS."""
    tls = (authority.with_name("server.pem"), authority) if request.param == "https" else ()
    running = OpenIDServer(*tls)
    running.start()
    yield running
    running.stop()


class Proxy:
    """``proxy.py``, which asks for a password; its log tells where it led."""

    def __init__(self, directory: Path) -> None:
        self._port, self._log = directory / "port", directory / "log"
        options = ["--port", "0", "--port-file", str(self._port), "--log-file", str(self._log)]
        options += ["--num-acceptors", "1", "--num-workers", "1", "--basic-auth", "bzz:secret"]
        command = [sys.executable, "-m", "proxy", *options]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)

    def info(self, password: str = "secret") -> dict[str, Any]:
        """The ``proxy_info`` that leads through it, once it listens."""
        address = {"proxy_host": "127.0.0.1", "proxy_port": int(self._read(self._port, "\n"))}
        return {**address, "proxy_username": "bzz", "proxy_password": password}

    def led_to(self, address: str) -> bool:
        """Whether somebody came to ``address`` through it."""
        return address in self._read(self._log, address)

    def stop(self) -> None:
        """Stop it and its worker."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)

    def _read(self, file: Path, text: str) -> str:
        """A file, once it holds ``text``."""
        deadline = time.monotonic() + 30
        while not file.exists() or text not in file.read_text():
            assert self._process.poll() is None, "the proxy ended"
            assert time.monotonic() < deadline, f"{text!r} is not in {file.name}"
            time.sleep(0.02)
        return file.read_text()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    running = Proxy(tmp_path_factory.mktemp("proxy"))
    yield running
    running.stop()


@pytest.fixture
async def curl(authority: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Tornado's client on libcurl, which trusts ``authority`` and leaves out no address for its environment's sake."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    trust = {"ca_certs": str(authority)}
    AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient", defaults=trust)
    yield
    AsyncHTTPClient().close()
    AsyncHTTPClient.configure(None)


@pytest.mark.usefixtures("curl")
async def test_a_sign_in_goes_through_the_proxy(secured: Secured, server: OpenIDServer, proxy: Proxy) -> None:
    client = secured(OpenIDProvider(server.issuer, CLIENT), proxy_info=proxy.info())
    answer = await sign_in(client, server.id_token("ada"), "openid")
    assert (answer.status_code, answer.json().get("id")) == (200, "ada")
    assert proxy.led_to(f"127.0.0.1:{server.port}")


@pytest.mark.usefixtures("curl")
async def test_nothing_goes_past_a_proxy_that_refuses(secured: Secured, server: OpenIDServer, proxy: Proxy) -> None:
    client = secured(OpenIDProvider(server.issuer, CLIENT), proxy_info=proxy.info(password="wrong"))
    answer = await sign_in(client, server.id_token("ada"), "openid")
    assert answer.status_code in (502, 503)  # it answers 407 in the issuer's place, or opens no tunnel


@pytest.mark.usefixtures("curl")
async def test_nothing_goes_past_a_proxy_that_is_not_there(secured: Secured, server: OpenIDServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        info = {"proxy_host": "127.0.0.1", "proxy_port": silent.getsockname()[1]}
        client = secured(OpenIDProvider(server.issuer, CLIENT), proxy_info=info)
        answer = await sign_in(client, server.id_token("ada"), "openid")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"host": "p"}, "it takes proxy_auth_mode"),
        ({"proxy_host": "p"}, "needs proxy_host, a text, and proxy_port, a number"),
        ({"proxy_port": 3128}, "needs proxy_host, a text, and proxy_port, a number"),
        ({"proxy_host": "p", "proxy_port": "3128"}, "needs proxy_host, a text, and proxy_port, a number"),
        ({"proxy_host": "p", "proxy_port": 3128, "proxy_username": "u"}, "both proxy_username and proxy_password"),
        ({"proxy_host": "p", "proxy_port": 3128, "proxy_password": "s"}, "both proxy_username and proxy_password"),
        ({"proxy_host": "p", "proxy_port": 3128, "proxy_auth_mode": "ntlm"}, "basic or digest"),
    ],
)
async def test_a_proxy_that_tornado_would_pass_by_is_an_error_at_start_up(info: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.AuthHive.configure(Application(), KEY, proxy_info=info)


def test_a_client_that_knows_no_proxies_is_an_error_at_start_up() -> None:
    with pytest.raises(ConfigurationError, match="needs pycurl"):
        bzz.AuthHive.configure(Application(), KEY, proxy_info={"proxy_host": "p", "proxy_port": 1})
