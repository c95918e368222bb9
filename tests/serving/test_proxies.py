"""Behind proxies the client is whom a trusted one names, on every engine."""

from __future__ import annotations

import getpass
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import httpx
import pytest

from tests.serving import served
from tests.serving.served import Served, serving

FORWARDED = [
    ("X-Forwarded-For", "1.2.3.4"),
    ("X-Forwarded-For", "203.0.113.5, 127.0.0.2"),
    ("X-Forwarded-Proto", "https"),
]


def client_and_protocol(served: Served) -> list[str]:
    told: list[str] = httpx.get(f"{served.url}/echo", headers=FORWARDED, trust_env=False).json()
    return told[3:5]


@pytest.mark.parametrize("engine", served.ENGINES)
def test_a_trusted_proxy_is_believed(engine: str) -> None:
    with serving(engine, trusted_proxies=["127.0.0.0/8"]) as it:
        assert client_and_protocol(it) == ["203.0.113.5", "https"]
        with httpx.Client(base_url=it.url, trust_env=False) as client:  # on one connection
            assert client.get("/echo", headers=FORWARDED).json()[3] == "203.0.113.5"
            assert client.get("/echo").json()[3:5] == ["127.0.0.1", "http"]


@pytest.mark.parametrize("engine", served.ENGINES)
def test_whoever_else_connects_is_not(engine: str) -> None:
    with serving(engine, trusted_proxies=["10.0.0.0/8"]) as it:
        assert client_and_protocol(it) == ["127.0.0.1", "http"]


def test_nobody_is_believed_unless_it_is_said(shared: Served) -> None:
    assert client_and_protocol(shared) == ["127.0.0.1", "http"]


NGINX = """
user {user};
daemon off;
error_log {directory}/error.log;
pid {directory}/pid;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    SITE
}}
"""

SITE = """
upstream app { server {upstream}; keepalive 8; }
server {
    listen {port};
    location / {
        proxy_pass http://app;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_request_buffering off;
        proxy_buffering {buffering};
    }
}
"""


@contextmanager
def nginx(upstream: str, directory: Path, buffering: str = "off") -> Iterator[str]:
    """Debian's nginx in front of a server; gives its URL.

    :param buffering: 'off', or 'on', which is nginx's own default.
    """
    with nginx_with(SITE.replace("{upstream}", upstream).replace("{buffering}", buffering), directory) as url:
        yield url


@contextmanager
def nginx_with(site: str, directory: Path) -> Iterator[str]:
    """Debian's nginx with a site, which says ``listen {port}``; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    file = directory / "nginx.conf"
    own = NGINX.format(user=getpass.getuser(), directory=directory)
    file.write_text(own.replace("SITE", site.replace("{port}", f"127.0.0.1:{port}")))
    program = which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed")
    with subprocess.Popen([program, "-c", str(file), "-e", str(directory / "error.log")]) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        assert process.poll() is None, "nginx ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            continue
        return


@pytest.mark.slow
@pytest.mark.parametrize("engine", served.OWN)
@pytest.mark.parametrize("by", ["port", "unix socket"])
def test_nginx_stands_in_front(engine: str, by: str, tmp_path: Path) -> None:
    path = tmp_path / "app"
    place = {"unix_socket": str(path)} if by == "unix socket" else {}
    with serving(engine, trusted_proxies=["127.0.0.1", "unix"], wait=by == "port", body_bytes=10**7, **place) as it:
        upstream = f"unix:{path}" if by == "unix socket" else f"127.0.0.1:{it.port}"
        with nginx(upstream, tmp_path) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            told = client.get("/echo/a%20b?c=1", headers={"X-Forwarded-For": "203.0.113.5"}).json()
            assert told[1] == "/echo/a%20b?c=1"
            assert told[3] == "203.0.113.5"  # nginx and this client are both trusted here
            assert told[5] == url.removeprefix("http://")
            assert client.request("QUERY", "/echo", content=b"{}").json()[0] == "QUERY"
            assert client.get("/pieces").text == "onetwothree"
            assert len(client.get("/large").content) == 20_000_001
            assert client.put("/upload?limit=10000000", content=bytes(3_000_000)).text == "3000000"
            assert client.put("/upload", content=iter([b"a", b"bc"])).text == "3"
            assert client.head("/status/200").status_code == 200
            assert {client.get(f"/status/{code}").status_code for code in (204, 304, 404, 503)} == {204, 304, 404, 503}
            for _ in range(50):
                assert client.get("/echo").status_code == 200
