"""`bzz.serve`: on both engines, with their options, several processes, and the stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import trustme
from tornado.web import Application

import bzz
from bzz.errors import ConfigurationError
from bzz.in_flight import REFUSAL_SECONDS
from bzz.serving.endpoint import Endpoint
from bzz.serving.source import load
from tests.serving import application
from tests.serving.raw import answer_on, converse, request, wait_until_read
from tests.serving.served import Served, Serving, serving


async def test_an_accepted_request_is_answered_although_the_server_is_told_to_stop(serving: Serving) -> None:
    with serving() as served:
        async with served.client() as client:
            before = int((await client.get("/begun")).text)
            slow = [asyncio.ensure_future(client.get("/", params={"seconds": 1})) for _ in range(20)]
            await until_begun(client, before + 20)
            served.process.send_signal(signal.SIGTERM)
            assert {answer.status_code for answer in await asyncio.gather(*slow)} == {200}
        assert served.process.wait(timeout=60) == 0


async def until_begun(client: httpx.AsyncClient, requests: int) -> None:
    """Wait until a handler has so many requests."""
    deadline = time.monotonic() + 60
    while int((await client.get("/begun")).text) < requests:
        assert time.monotonic() < deadline, "the requests did not arrive"
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("path", ["/large", "/heaped"])
def test_an_answer_that_is_being_sent_is_sent_whole_although_the_server_is_told_to_stop(
    serving: Serving, path: str
) -> None:
    with serving() as served, served.connect() as connection:
        connection.sendall(request(f"GET {path}", "Connection: close"))
        said = connection.makefile("rb")
        said.read(1000)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert 20_000_000 < 1000 + len(said.read()) < 20_010_000
        assert served.process.wait(timeout=10) == 0


async def test_under_load_a_stop_drops_no_request() -> None:
    with serving("tornado") as served:
        outcomes = asyncio.gather(*(ask_until_refused(served) for _ in range(8)))
        await asyncio.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        answered = await outcomes
        assert served.process.wait(timeout=60) == 0
    assert sum(answered) > 8


async def ask_until_refused(served: Served) -> int:
    """Ask on new connections until none is taken any more; a request that got through must be answered."""
    answered = 0
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        except (ConnectionRefusedError, ConnectionResetError):  # reset: while it stood in the queue of the kernel
            return answered
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        except ConnectionResetError:
            return answered  # the kernel took the connection, the server never saw it
        finally:
            writer.close()
        answered += 1


async def test_under_load_a_stop_of_granian_drops_no_request_that_a_handler_has() -> None:
    """Its stop ends the connections that wait to be accepted, or to be read; what a handler has is answered."""
    with serving("granian", in_flight=1000, header_seconds=30) as served:  # 200 clients may take a while to ask
        async with served.client() as client:
            before = int((await client.get("/begun")).text)
            slow = [asyncio.ensure_future(client.get("/", params={"seconds": 2})) for _ in range(200)]
            await until_begun(client, before + 200)
            served.process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*slow)
        assert served.process.wait(timeout=60) == 0
    assert [answer.status_code for answer in answers] == [200] * 200


def test_a_stop_begins_with_what_would_not_end_by_itself(serving: Serving) -> None:
    with (
        serving(grace_seconds=30) as served,
        httpx.stream("GET", f"{served.url}/feed", trust_env=False, timeout=15) as answer,
    ):
        pieces = answer.iter_raw()
        assert next(pieces) == b"first"
        served.process.send_signal(signal.SIGTERM)
        assert b"".join(pieces) == b"last"
        assert served.process.wait(timeout=15) == 0


def test_a_stop_is_not_held_up_by_streams_whose_clients_leave_just_then(serving: Serving) -> None:
    with serving(grace_seconds=30) as served:
        followers = [served.connect() for _ in range(8)]
        for each in followers:
            each.sendall(b"GET /feed HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while b"first" not in received:
                received += each.recv(1000)
        served.process.send_signal(signal.SIGTERM)
        for each in followers:
            each.close()
        assert served.process.wait(timeout=15) == 0


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_of_granian_that_still_loads_the_application_is_stopped_at_once(
    told: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", str(tmp_path / "first"))
    with serving("granian", processes=2, make="make_once", grace_seconds=30) as served:
        served.process.send_signal(told)
        assert served.process.wait(timeout=5) == 0


SIGNALLED_TWICE = """
import asyncio, os, signal, bzz
from tornado.web import Application

class Signalled:
    async def __aenter__(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        await asyncio.sleep(0.1)
        os.kill(os.getppid(), signal.SIGTERM)
        print("entered", flush=True)

    async def __aexit__(self, *error):
        print("left", flush=True)

bzz.serve(lambda: Application(bzz_contexts=[Signalled()]), port=0, server="granian")
"""


def test_a_worker_of_granian_that_is_told_twice_while_it_starts_stops_once_it_has_started() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED_TWICE], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout.split() == ["entered", "left"]


def test_beyond_the_cap_a_request_is_refused_at_once_and_says_when_to_come_back(serving: Serving) -> None:
    with serving(in_flight=2, grace_seconds=1) as served, served.connect() as first, served.connect() as second:
        for within in (first, second):
            within.sendall(request("GET /?seconds=1000"))
            wait_until_read(served.port, within)
        for _ in range(2):
            refused = served.get("/")  # and so long before those within are answered
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "1"
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.json()["status"] == 503


def test_a_refusal_waits_a_moment_so_that_those_within_stay_fast(serving: Serving) -> None:
    with serving(in_flight=1, grace_seconds=1) as served, served.connect() as within, served.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(served.port, within)
        time.sleep(0.1)
        start = time.monotonic()
        for _ in range(10):
            beyond.sendall(request("GET /"))
            assert answer_on(beyond).startswith(b"HTTP/1.1 503 ")
        assert time.monotonic() - start > 10 * REFUSAL_SECONDS


@pytest.mark.parametrize("body", [b"", b"x" * 100], ids=["empty", "small"])
def test_a_refused_request_with_a_body_keeps_its_connection(serving: Serving, body: bytes) -> None:
    with serving(in_flight=1, grace_seconds=1) as served, served.connect() as within, served.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(served.port, within)
        time.sleep(0.1)
        for _ in range(3):
            beyond.sendall(request("POST /", f"Content-Length: {len(body)}", body=body))
            assert answer_on(beyond).startswith(b"HTTP/1.1 503 ")


def test_a_refused_client_that_sends_all_of_a_long_body_first_reads_why() -> None:
    with (
        serving("tornado", in_flight=1, grace_seconds=1, body_bytes=10_000_000) as served,
        served.connect() as within,
    ):
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(served.port, within)
        time.sleep(0.1)
        for _ in range(3):
            with served.connect() as beyond:
                beyond.sendall(request("POST /", "Content-Length: 5000000", body=bytes(5_000_000)))
                assert answer_on(beyond).startswith(b"HTTP/1.1 503 ")


def test_a_refused_client_that_asks_first_is_told_to_send_nothing(serving: Serving) -> None:
    with serving(in_flight=1, grace_seconds=1) as served, served.connect() as within, served.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(served.port, within)
        time.sleep(0.1)
        beyond.sendall(request("POST /", "Content-Length: 100", "Expect: 100-continue"))
        assert answer_on(beyond).startswith(b"HTTP/1.1 503 ")


def test_a_client_that_leaves_while_its_refusal_waits_harms_nobody(serving: Serving) -> None:
    with serving(in_flight=1, grace_seconds=1) as served, served.connect() as within:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(served.port, within)
        for _ in range(20):
            with served.connect() as beyond:
                beyond.sendall(request("GET /"))
        assert served.get("/").status_code == 503


def test_within_the_cap_every_request_is_answered(serving: Serving) -> None:
    with serving(in_flight=2) as served, served.connect() as first, served.connect() as second:
        for within in (first, second):
            within.sendall(request("GET /?seconds=0.1"))
        for within in (first, second):
            assert within.recv(65536).startswith(b"HTTP/1.1 200")
        assert served.get("/").status_code == 200


def test_a_client_that_leaves_frees_its_place(serving: Serving) -> None:
    with serving(in_flight=1) as served:
        with served.connect() as connection:
            connection.sendall(request("GET /?seconds=1000"))
            wait_until_read(served.port, connection)
            time.sleep(0.1)
            assert served.get("/").status_code == 503
        deadline = time.monotonic() + 10
        while served.get("/").status_code == 503:
            assert time.monotonic() < deadline


def pids(served: Served, number: int = 2) -> set[int]:
    deadline = time.monotonic() + 20
    seen: set[int] = set()
    while len(seen) < number:
        assert time.monotonic() < deadline
        seen.add(int(served.get("/").text))
    return seen


def wait_until_gone(processes: set[int], port: int | None) -> None:
    """Wait until the processes have ended; raise OSError if somebody has the port then."""
    deadline = time.monotonic() + 10
    while any(map(_is_running, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if port is not None:
        socket.create_server(("127.0.0.1", port)).close()


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_several_processes_stop_together() -> None:
    with serving("granian", processes=2) as served:
        workers = pids(served)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(timeout=60) == 0
        wait_until_gone(workers, served.port)


@pytest.mark.parametrize("how", ["kill -9", "of itself"])
def test_a_process_that_dies_is_replaced(how: str) -> None:
    with serving("granian", processes=2) as served:
        before = pids(served)
        if how == "kill -9":
            os.kill(min(before), signal.SIGKILL)
        else:
            with pytest.raises(httpx.TransportError):
                served.get("/crash")
        deadline = time.monotonic() + 20
        while not newer(served, before):
            assert time.monotonic() < deadline
        assert served.process.poll() is None


def newer(served: Served, before: set[int]) -> set[int]:
    """The processes that answer and were not there before; none where one is asked that has just died."""
    try:
        return pids(served) - before
    except httpx.TransportError:  # it had this connection
        return set()


def test_a_process_that_is_killed_while_it_streams_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving("granian") as served:
        worker = pids(served, 1)
        with httpx.stream("GET", f"{served.url}/steps", trust_env=False) as answer:
            assert next(answer.iter_raw()) == b"first"
            os.kill(min(worker), signal.SIGKILL)
            wait_until_gone(worker, None)
        assert list(tmp_path.iterdir()) == []


def test_a_process_may_be_killed_again_and_again() -> None:
    with serving("granian") as served:
        for _ in range(4):
            before = pids(served, 1)
            os.kill(min(before), signal.SIGKILL)
            served.wait_until_up()
            assert not pids(served, 1) & before


def test_processes_that_can_only_die_end_the_server() -> None:
    script = (
        "import os, bzz; from tornado.web import Application\n"
        "class Dying:\n"
        "    async def __aenter__(self): os._exit(1)\n"
        "bzz.serve(lambda: Application(bzz_contexts=[Dying()]), port=0, server='granian')"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=50, check=False).returncode == 1


def test_a_supervisor_that_is_killed_leaves_no_process_on_the_port() -> None:
    with serving("granian", processes=2) as served:
        workers = pids(served)
        served.process.kill()
        wait_until_gone(workers, served.port)


def test_a_port_in_use_is_an_error(serving: Serving) -> None:
    with serving() as served, pytest.raises(OSError, match="ddress already in use"):
        bzz.serve("tests.serving.application:make", port=served.port, server=served.engine)  # type: ignore[arg-type]


def test_a_unix_socket_is_served_and_taken_away_at_the_end(serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with serving(unix_socket=str(path), wait=False) as served:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://x") as client:
            assert client.get("/echo").json()[3:5] == ["0.0.0.0", "http"]
        with pytest.raises(OSError, match="ddress already in use"):
            bzz.serve("tests.serving.application:make", unix_socket=path, server=served.engine)  # type: ignore[arg-type]
    assert not path.exists()


def test_a_server_that_ends_leaves_the_unix_socket_of_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    first = Endpoint(0, "", path)
    sockets = first.bind()
    for each in sockets:  # it takes no more, and has requests to answer still
        each.close()
    second = Endpoint(0, "", path)
    bound = second.bind()
    first.release(sockets)
    assert second.is_reached()
    second.release(bound)
    assert not path.exists()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files of a certificate for this machine, its key and its authority."""
    directory, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    paths = {name: str(directory / name) for name in ("cert", "key", "authority")}
    made.cert_chain_pems[0].write_to_path(paths["cert"])
    made.private_key_pem.write_to_path(paths["key"])
    authority.cert_pem.write_to_path(paths["authority"])
    return paths


@pytest.mark.parametrize("engine", ["tornado", "granian"])
def test_tls_is_an_option_of_each_engine(engine: str, certificate: dict[str, str]) -> None:
    files = {"certfile": certificate["cert"], "keyfile": certificate["key"]}
    options = (
        {"ssl_options": files} if engine == "tornado" else {"ssl_cert": files["certfile"], "ssl_key": files["keyfile"]}
    )
    with serving(engine, wait=False, **options) as served:
        trust = ssl.create_default_context(cafile=certificate["authority"])
        answer = httpx.get(f"https://127.0.0.1:{served.port}/echo", verify=trust, trust_env=False)
        assert answer.json()[4] == "https"


def test_granian_speaks_http_2(certificate: dict[str, str]) -> None:
    files = {"ssl_cert": certificate["cert"], "ssl_key": certificate["key"]}
    with serving("granian", wait=False, **files) as served:
        trust = ssl.create_default_context(cafile=certificate["authority"])
        with httpx.Client(http2=True, verify=trust, trust_env=False) as client:
            answer = client.put(f"https://127.0.0.1:{served.port}/echo?a=1", content=b"abc")
            assert answer.http_version == "HTTP/2"
            assert answer.json()[:3] == ["PUT", "/echo?a=1", "HTTP/2"]
            assert answer.json()[5] == f"127.0.0.1:{served.port}"
            assert answer.json()[-1] == "abc"
            unsized = client.put(f"https://127.0.0.1:{served.port}/echo", content=iter([b"a", b"b"]))
            assert unsized.status_code == 411


def test_granian_serves_an_rsgi_application_by_its_own_command_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--factory", "--port", port]
    with subprocess.Popen([*command, "tests.serving.application:make_rsgi"]) as process:
        try:
            served = Served("granian", process, int(port))  # type: ignore[arg-type]  # nobody reads what it says
            served.wait_until_up()
            assert served.get("/pieces").text == "onetwothree"
        finally:
            process.terminate()


def test_a_client_of_http_2_leaves_when_its_connection_ends(certificate: dict[str, str]) -> None:
    files = {"ssl_cert": certificate["cert"], "ssl_key": certificate["key"]}
    trust = ssl.create_default_context(cafile=certificate["authority"])
    with serving("granian", wait=False, **files) as served:
        url = f"https://127.0.0.1:{served.port}"
        with httpx.Client(http2=True, verify=trust, trust_env=False) as client:
            assert client.get(f"{url}/begun").text == "0"
            with pytest.raises(httpx.ReadTimeout):
                client.get(f"{url}/?seconds=1000", timeout=0.5)
        deadline = time.monotonic() + 10
        while httpx.get(f"{url}/left", verify=trust, trust_env=False).json()["left"] != ["/"]:
            assert time.monotonic() < deadline


def test_an_option_of_the_engine_goes_before_a_limit() -> None:
    with serving("tornado", max_body_size=5) as served:
        # In one packet: what arrives after the server has closed would take the answer away from its client.
        sent = request("POST /echo", "Content-Length: 6", body=b"123456")
        assert converse(served.port, [sent]).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("engine", ["tornado", "granian"])
@pytest.mark.parametrize("hidden", [[], ["uvloop"]], ids=["uvloop", "asyncio"])
def test_the_loop_is_uvloop_if_it_is_installed(engine: str, hidden: list[str]) -> None:
    with serving(engine, hidden=hidden) as served:
        assert ("uvloop" in served.get("/loop").text) is not bool(hidden)


WRONG = [
    ({"processes": 2}, r"several need server='granian' \(bzz\[granian\]\)"),
    ({"server": "gunicorn"}, "must be 'tornado' or 'granian'"),
    ({"xheaders": True, "trusted_proxies": ["10.0.0.0/8"]}, "xheaders believes whoever connects"),
    ({"trusted_proxies": ["10.0.0.1/8"]}, "'10.0.0.1/8' is neither an address nor a network"),
    ({"max_body": 1}, "there is no option 'max_body'; this server takes .*max_body_size"),
    ({"server": "granian", "workers": 2}, "there is no option 'workers'"),
    ({"server": "granian", "loop": "fast"}, "'fast' is not a valid Loops: .*uvloop"),
    ({"server": "granian", "interface": "wsgi"}, "by 'rsgi' or 'asgi'"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_what_contradicts_itself_is_an_error(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.serve("tests.serving.application:make", port=0, **given)  # type: ignore[arg-type]  # what is tested


def test_granian_needs_an_application_for_each_process() -> None:
    with pytest.raises(ConfigurationError, match="each process makes its own"):
        bzz.serve(application.make(), port=0, server="granian")


def test_an_engine_that_is_not_installed_is_named_with_its_extra() -> None:
    script = "import sys; sys.modules['granian'] = None; import bzz; bzz.serve('a:b', port=0, server='granian')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert "server='granian' needs the package granian: pip install 'bzz[granian]'" in done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tests.serving.application", "must be 'module:name'"),
        ("./application.py:make", "must be 'module:name', such as 'shop.main:app', and no path"),
        (".application:make", "and no path"),
        ("no_such_module:app", "no module 'no_such_module'"),
        ("tests.serving.application:nothing", "has no 'nothing'"),
        ("tests.serving.application:os", "gives module"),
    ],
)
def test_a_name_that_leads_to_no_application_says_why(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(name)


def test_an_application_is_found_by_name_or_made() -> None:
    assert isinstance(load("tests.serving.application:make"), Application)
