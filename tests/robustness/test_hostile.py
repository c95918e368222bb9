"""What a hostile client sends is a 4xx, or stored and shown; it is never a 500, and never logged as an error."""

from __future__ import annotations

import asyncio
import base64
import socket
import string
import struct
import time
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bzz
from bzz.providers import compare_and_set
from tests.conftest import Serve
from tests.robustness.documents import Account, Address, Cleaned, Dog, Everything, Labelled, Machine, Person, Team

pytestmark = [pytest.mark.usefixtures("quiet_log"), pytest.mark.slow]  # thousands of requests

MODELS = (Everything, Cleaned, Person, Account, Team, Labelled, Machine, Dog)
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Ask = Callable[..., Awaitable[httpx.Response]]


class Target:
    """A server, and one instance of each model on it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.urls: dict[str, str] = {}

    async def fill(self) -> Target:
        for name in ("everything", "cleaned", "person", "account", "machine", "dog"):
            self.urls[name] = (await self.client.post(f"/{name}/", json={})).headers["Location"]
        self.urls["team"] = (await self.client.post("/team/", json={"name": "Red"})).headers["Location"]
        self.urls["labelled"] = (await self.client.post("/labelled/", json={"name": "a"})).headers["Location"]
        return self

    async def ask(self, method: str, url: str, **sent: Any) -> httpx.Response:
        answer = await self.client.request(method, url, **sent)
        assert answer.status_code < 500, (method, url, sent, answer.text)
        return answer

    async def refused(self, method: str, url: str, **sent: Any) -> None:
        answer = await self.ask(method, url, **sent)
        assert answer.status_code >= 400, (method, url, sent, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"

    async def write_and_read(self, name: str, body: Any) -> None:
        """Whatever becomes of a write, what is stored can be read, alone and in a list."""
        for method in ("PUT", "PATCH"):
            await self.ask(method, self.urls[name], json=body)
        await self.ask("POST", f"/{name}/", json=body)
        await self.readable(name)

    async def readable(self, name: str) -> None:
        assert (await self.ask("GET", self.urls[name])).status_code == 200
        newest = "sort=-id&" if name != "labelled" else ""
        assert (await self.ask("GET", f"/{name}/?{newest}per_page=100")).status_code == 200


def routes(database: Any) -> Any:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in MODELS])


@pytest.fixture
async def target(database_name: str, serve: Serve) -> Target:
    return await Target(serve(routes(None))).fill()


# -- named cases

RAW_JSON = {
    "no JSON": b"{",
    "nothing": b"",
    "null": b"null",
    "a string": b'"x"',
    "an array": b"[]",
    "100,000 brackets": b"[" * 100_000,
    "100,000 braces": b'{"a":' * 100_000,
    "33 levels": b'{"dict":' + b'{"a":' * 33 + b"1" + b"}" * 34,
    "5,000 digits": b'{"integer":' + b"9" * 5000 + b"}",
    "65 bits": b'{"integer":18446744073709551616}',
    "64 bits unsigned": b'{"integer":9223372036854775808}',
    "64 bits unsigned in a dict": b'{"dict":{"a":9223372036854775808}}',
    "1e999": b'{"float":1e999}',
    "NaN": b'{"float":NaN}',
    "Infinity": b'{"dict":{"a":Infinity}}',
    "a lone surrogate": b'{"string":"\\ud800"}',
    "a lone surrogate as a key": b'{"dict":{"\\udfff":1}}',
    "no UTF-8": b'{"string":"\xff"}',
    "UTF-16": '{"string":"x"}'.encode("utf-16"),
    "NUL as a key": b'{"dict":{"a\\u0000b":1}}',
    "_cls": b'{"dict":{"_cls":"Person"}}',
    "_cls in depth": b'{"dict":{"a":[{"b":{"_cls":"Person"}}]}}',
    "_cls at the top": b'{"_cls":"Person"}',
    "_cls inside an embedded document": b'{"embedded":{"_cls":"Address"}}',
    "an operator": b'{"dict":{"$gt":1}}',
    "an operator as a value": b'{"string":{"$ne":""}}',
    "an operator as a field": b'{"$set":{"string":"x"}}',
    "a dotted key": b'{"dict":{"a.b":1}}',
    "a dotted field": b'{"embedded.city":"x"}',
    "an unknown field": b'{"unknown":1}',
    "a truth value as a number": b'{"integer":true}',
    "text as a number": b'{"integer":"12"}',
}


async def test_malformed_json_is_refused(target: Target) -> None:
    for body in RAW_JSON.values():
        await target.refused("PUT", target.urls["everything"], content=body, headers=JSON)
        await target.refused("POST", "/everything/", content=body, headers=JSON)
        await target.refused("PUT", target.urls["cleaned"], content=body.replace(b'"dict"', b'"any"'), headers=JSON)


RAW_FORMS = {
    "a broken escape": b"string=%zz",
    "no UTF-8": b"string=%ff",
    "no UTF-8, unescaped": b"string=\xff",
    "an operator": b"string[$ne]=x",
    "a name below a value": b"string=x&string.y=z",
    "33 levels": b".".join([b"a"] * 34) + b"=1",
    "an empty name": b"=1",
    "dots": b"...=1",
    "a value twice": b"string=a&string=b",
    "5,000 digits": b"integer=" + b"9" * 5000,
    "too many": b"&".join(b"a%d=1" % number for number in range(1001)),
    "_cls": b"_cls=Person",
    "brackets": b"string[][]=1",
    "text as a number": b"integer=%D9%A3",
}


async def test_malformed_forms_are_refused(target: Target) -> None:
    for body in RAW_FORMS.values():
        await target.refused("PUT", target.urls["everything"], content=body, headers=FORM)
        await target.refused("POST", "/everything/", content=body, headers=FORM)


async def test_ids_that_are_none_are_not_found(target: Target) -> None:
    for text in ("x", "%00", "%ff", "%ed%a0%80", "%", "%zz", "24", "0" * 23, "0" * 25, "$ne", "..", "a" * 60_000, "{}"):
        for name in ("person", "account", "team"):
            for method in ("GET", "PUT", "DELETE"):
                assert (await target.ask(method, f"/{name}/{text}/")).status_code == 404
    for text in ("%00", "%ff", "-1", "99999999999999999999", "1e3", "%D9%A3"):
        assert (await target.ask("GET", f"{target.urls['person']}addresses/{text}/")).status_code == 404
    for text in ("a/b", "x/y/z"):
        assert (await target.ask("GET", f"{target.urls['person']}{text}")).status_code == 404


QUERIES = (
    "age=x age=9223372036854775808 age=1e3 age__gt=NaN age[$gt]=1 age[]=x age__regex=. age__where=1 $where=1 __raw__=1 "
    "_cls=x address.city.x=1 address=1 name__icontains=%00 name=%ff name=%zz page=0 page=-1 page=x page=1e3 "
    "page=99999999999 per_page=0 per_page=x sort=nothing sort=name,name sort=friends sort=$natural sort= sort=- "
    "fields=nothing fields= after=x after=%00 after=AAAA before=x unknown=1 password__exists=2 friend=x friend__in=x,y "
    "tags__gt=1 extra=1 extra__x=1 friend.friend.name=x id=x id__gt=x name__startswith=" + "x" * 1001
).split()


async def test_queries_that_mean_nothing_are_refused(target: Target) -> None:
    for query in QUERIES:
        await target.refused("GET", f"/person/?{query}")
    many = "&".join("name=x" for _ in range(33))
    await target.refused("GET", f"/person/?{many}")
    await target.refused("GET", "/person/?" + "&".join(f"name__in={'a,' * 100}" for _ in range(2)))


def cursor(document: bytes) -> str:
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


async def test_cursors_of_ones_own_are_refused_or_harmless(target: Target) -> None:
    deep = b"\x05\x00\x00\x00\x00"
    for _ in range(3000):
        deep = struct.pack("<i", len(deep) + 8) + b"\x030\x00" + deep + b"\x00"
    for made in (
        deep,
        b"\x08\x00\x00\x00\x0a0\x00\x00",
        b"\xff" * 100,
        b"\x0f\x00\x00\x000\x00\x05\x00\x00\x00\x00\x00",
    ):
        for sort in ("", "&sort=age", "&sort=-name"):
            await target.ask("GET", f"/person/?after={cursor(made)}{sort}")
            await target.ask("GET", f"/person/?before={cursor(made)}{sort}")


async def test_pages_far_away_are_empty_and_sizes_have_a_maximum(target: Target) -> None:
    assert (await target.ask("GET", "/person/?page=999999999&per_page=999999999")).json() == []
    await asyncio.gather(*(target.client.post("/person/", json={}) for _ in range(120)))
    assert len((await target.ask("GET", "/person/?per_page=999999999")).json()) == 100


DECIMALS = (
    "1e6000",
    "-1e6144",
    "1e-6143",
    "9" * 34,
    "9" * 35,
    "0e100",
    "1e400",
    "1.5e308",
    "-0",
    "1e-40",
    "1e26",
    "NaN",
)


async def test_extreme_decimals(target: Target) -> None:
    for text in DECIMALS:
        for field in ("decimal", "decimal_text", "decimal128"):
            await target.write_and_read("everything", {field: text})
            for operator in ("", "__gt", "__in", "__ne"):
                await target.ask("GET", f"/everything/?{field}{operator}={text}")
        await target.write_and_read("cleaned", {"decimal": text})
        await target.write_and_read("everything", {"map_lists": {"a": [text]}})


DATES = [
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00.000001Z",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "0000-01-01",
    "2020-02-30",
    "2020-01-01T24:00:00",
    "2016-12-31T23:59:60Z",
    "0999-05-05T01:02:03.004",
]


async def test_dates_at_the_ends_of_the_calendar(target: Target) -> None:
    for text in DATES:
        for field in ("datetime", "complex_datetime", "date"):
            await target.write_and_read("everything", {field: text})
            for operator in ("", "__gt", "__lte", "__in"):
                await target.ask("GET", "/everything/", params={f"{field}{operator}": text})


POINTS: tuple[Any, ...] = (
    [0, 1000],
    [1000, 1000],
    [1e308, -1e308],
    [1],
    [],
    [[1, 2]],
    [[[[1]]]],
    [2**62, 1],
    ["a", "b"],
    [None, None],
)
SHAPES: tuple[Any, ...] = (
    [[[0, 0], [2, 2], [0, 2], [2, 0], [0, 0]]], [[[0, 0], [1, 1], [0, 0]]], [[[0, 0]] * 4], [[]], [],
    [[[0, 0], [1000, 0], [0, 1000], [0, 0]]], [[1]], [[[[0]]]], [[[0, 0], [1, 0], [1, 1]]], [0, 1], [[0, 0], [0, 0]],
    [[1, 2], [1000, 4]], [[1, 2, 3], [4]], [[[[0, 0], [2, 2], [0, 2], [2, 0], [0, 0]]]],
    [[[0, 0], [10, 0], [10, 10], [0, 0]], [[20, 20], [21, 20], [21, 21], [20, 20]]],
)  # fmt: skip
GEOMETRIES = {
    "polygon": "Polygon", "line": "LineString", "multi_point": "MultiPoint",
    "multi_line": "MultiLineString", "multi_polygon": "MultiPolygon",
}  # fmt: skip


async def test_geometries_that_are_none(target: Target) -> None:
    for coordinates in POINTS:
        for field in ("point", "geo_point"):
            for name in ("everything", "cleaned"):
                await target.write_and_read(name, {field: coordinates})
                await target.write_and_read(name, {field: {"type": "Point", "coordinates": coordinates}})
    for shape in SHAPES:
        for field, kind in GEOMETRIES.items():
            await target.write_and_read("everything", {field: {"type": kind, "coordinates": shape}})


ODD = [
    "\0",
    "a/b",
    "%",
    "ü" * 100,
    "\u2028",
    '"',
    " ",
    "a b",
    "?",
    "#",
    "\r\n",
    "'",
    "\\",
    "\U0010ffff",
    "_",
    "a" * 1024,
]


async def test_ids_of_odd_characters_are_found_where_their_location_says(target: Target) -> None:
    for text in ODD:
        made = await target.ask("POST", "/labelled/", json={"name": text})
        assert made.status_code == 201
        place = made.headers["Location"]
        assert (await target.ask("GET", place)).json()["name"] == text
        assert (await target.ask("POST", "/labelled/", json={"name": text})).status_code == 409
        found = (await target.ask("GET", "/labelled/", params={"name": text})).json()
        assert [each["name"] for each in found] == [text]
        assert (await target.ask("DELETE", place)).status_code == 204


async def test_ids_that_fit_in_no_url_are_refused(target: Target) -> None:
    for text in ("", ".", "..", "a" * 1025, "a" * 100_000):
        await target.refused("POST", "/labelled/", json={"name": text})


async def test_long_values_of_an_index_are_stored(target: Target) -> None:
    assert (await target.ask("POST", "/person/", json={"email": "a" * 100_000})).status_code == 201
    assert (await target.ask("POST", "/person/", json={"email": "a" * 100_000})).status_code == 409


async def test_documents_nested_as_deep_as_paths_go_are_served(target: Target) -> None:
    url = target.urls["machine"]
    for _ in range(31):
        made = await target.ask("POST", url + "parts/", json={"label": "x"})
        assert made.status_code == 201
        url = made.headers["Location"]
    deep: dict[str, Any] = {"label": "end"}
    for _ in range(14):
        deep = {"parts": [deep]}
    assert (await target.ask("PUT", url, json=deep)).status_code == 200
    await target.refused("POST", url + "parts/", json={"label": "x"})
    for path in (url, url.rsplit("/", 2)[0] + "/?label=x&sort=label", target.urls["machine"], "/machine/"):
        assert (await target.ask("GET", path)).status_code == 200
    assert (await target.ask("DELETE", url)).status_code == 204


async def test_bodies_over_a_mebibyte_are_413_declared_or_not(target: Target) -> None:
    url = target.urls["person"]
    body = b'{"name":"' + b"x" * (1024 * 1024) + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for method in ("PUT", "PATCH"):
        assert (await target.ask(method, url, content=body, headers=JSON)).status_code == 413
        assert (await target.ask(method, url, content=chunks(), headers=JSON)).status_code == 413
    exact = b'{"name":"' + b"x" * (1024 * 1024 - 11) + b'"}'
    assert (await target.ask("PUT", url, content=exact, headers=JSON)).status_code == 200


async def test_bodies_of_32_levels_are_taken(target: Target) -> None:
    body = b'{"dict":' * 1 + b'{"a":' * 30 + b"{}" + b"}" * 31
    assert (await target.ask("PUT", target.urls["everything"], content=body, headers=JSON)).status_code == 200


# -- raw sockets

RAW_REQUESTS = {
    "5,000 digits of length": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
    "a negative length": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    "a length that is none": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n{}",
    "two lengths": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "superscript length": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2\r\n\r\n{}",
    "more promised than sent": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}",
    "a broken chunk": b"PUT {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "an endless chunk": b"PUT {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n{}",
    "no last chunk": b"PUT {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "length and chunks": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "an unknown coding": b"PUT {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    "no host": b"GET {url} HTTP/1.1\r\n\r\n",
    "an unknown method": b"BREW {url} HTTP/1.1\r\nHost: x\r\n\r\n",
    "a raw path": b"GET {url}\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a raw query": b"GET /person/?name=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x00\x01\x02\r\n\r\n",
    "bare newlines": b"GET {url} HTTP/1.1\nHost: x\n\n",
    "a header with NUL": b"GET {url} HTTP/1.1\r\nHost: x\r\nIf-Match: \x00\r\n\r\n",
    "a strange entity tag": b'GET {url} HTTP/1.1\r\nHost: x\r\nIf-Match: "\r\nIf-None-Match: ,,"\xff\r\n\r\n',
    "a latin-1 type": b"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Type: \xff;=;\r\nContent-Length: 2\r\n\r\n{}",
    "a request cut short": b"GET {url} HT",
}


async def test_requests_that_are_no_http_harm_nobody(target: Target) -> None:
    for name, request in RAW_REQUESTS.items():
        raw = request.replace(b"{url}", target.urls["person"].encode())
        answer = await exchange(target.client.base_url, raw)
        assert not answer.startswith(b"HTTP/1.1 5"), name
        await target.readable("person")


async def exchange(address: httpx.URL, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(raw)
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_clients_that_leave_in_the_middle_are_no_error(target: Target) -> None:
    for name in ("person", "account"):
        await leave_often(target, name)


async def leave_often(target: Target, name: str) -> None:
    address = target.client.base_url
    assert address.port is not None
    head = f"PUT {target.urls[name]} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for raw in (
        f"GET /{name}/ HTTP/1.1\r\nHost: x\r\n\r\n",
        f'{head}Content-Length: 10\r\n\r\n{{"age": 1}}',
        f'{head}Content-Length: 999\r\n\r\n{{"age": 1}}',
    ):
        for _ in range(10):
            with socket.create_connection((address.host, address.port)) as leaving:
                leaving.sendall(raw.encode())
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await target.readable(name)
    assert (await target.ask("PUT", target.urls[name], json={"age": 2})).json()["age"] == 2  # comes after all of them
    await nobody_writes()


async def nobody_writes() -> None:
    """Wait for the writes whose clients have left: they go on."""
    deadline = time.monotonic() + 30
    while len(compare_and_set._locks):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


# -- whatever else

TEXT = st.text(max_size=8) | st.sampled_from(
    ["$gt", "_cls", "a.b", "\0", "", "id", "x" * 300, "9" * 25, "1e999", "true"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**64), 2**65) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ALMOST = st.one_of(
    VALUES,
    st.sampled_from([*DECIMALS, *DATES]),
    st.fixed_dictionaries({"type": st.sampled_from(["Point", "Polygon", "LineString"]), "coordinates": VALUES}),
    st.fixed_dictionaries({"@type": st.sampled_from(["Address", "Note", "Cog", "Person", "Team", "Dog"])},
                          optional={"id": TEXT, "city": VALUES, "text": VALUES, "part": VALUES, "parts": VALUES}),
    st.fixed_dictionaries({}, optional=dict.fromkeys(Address._fields, VALUES)),
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(Address._fields, VALUES)), max_size=2),
)  # fmt: skip
NAMES = {each.__name__.lower(): sorted(each._fields) for each in MODELS}
RESOURCES = st.sampled_from(sorted(NAMES))
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.text(string.printable.strip(), max_size=12) | st.sampled_from(good)
        for name, good in {
            "Content-Type": [
                "application/json",
                "application/x-www-form-urlencoded",
                "application/merge-patch+json",
                "application/json-patch+json",
            ],
            "If-Match": ["*", '"x"', 'W/"x"'],
            "If-None-Match": ["*", '"x"'],
            "Prefer": ["count=exact"],
            "Accept": ["*/*"],
        }.items()
    },
)
OPERATORS = ["", "__gt", "__in", "__ne", "__exists", "__contains", "__istartswith", "__regex", "[]", "[$gt]"]
SEGMENTS = st.one_of(
    st.just("{own}"), st.sampled_from(["0", "parts", "notes", "friends", "address", "members", "embeddeds", "x"]), TEXT
)


@st.composite
def urls(draw: st.DrawFn) -> str:
    name = draw(RESOURCES)
    path = "/".join(urllib.parse.quote(each, safe="{}") for each in draw(st.lists(SEGMENTS, max_size=4)))
    field = st.tuples(st.sampled_from(NAMES[name]), st.sampled_from(OPERATORS)).map("".join)
    key = field | TEXT | st.sampled_from(["page", "per_page", "sort", "fields", "after", "before"])
    value = TEXT | st.sampled_from(NAMES[name]) | SCALARS.map(str)
    query = draw(st.lists(st.tuples(key, value), max_size=3))
    text = urllib.parse.urlencode(query, errors="surrogatepass")
    return f"{name}|/{name}/{path}?{text}"


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, Any]:
    name = draw(RESOURCES)
    fields = draw(st.lists(st.sampled_from(NAMES[name]), min_size=1, max_size=3, unique=True))
    return name, {field: draw(ALMOST) for field in fields}


def run(loop: asyncio.AbstractEventLoop, work: Awaitable[Any]) -> None:
    """Hypothesis calls plain functions, here from a thread of their own."""
    asyncio.run_coroutine_threadsafe(work, loop).result(30)  # type: ignore[arg-type]  # all of these are coroutines


FUZZ = settings(
    deadline=None, max_examples=150, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)  # fmt: skip


async def test_bodies_that_are_almost_right(target: Target) -> None:
    loop = asyncio.get_running_loop()

    @FUZZ
    @given(bodies())
    def check(made: tuple[str, Any]) -> None:
        name, body = made
        if name not in target.urls or not sendable(body):
            return
        run(loop, target.write_and_read(name, body))

    await asyncio.to_thread(check)


async def test_any_request_at_all(target: Target) -> None:
    loop = asyncio.get_running_loop()

    @FUZZ
    @given(METHODS, urls(), HEADERS, st.binary(max_size=30) | VALUES)
    def check(method: str, made: str, headers: dict[str, str], body: Any) -> None:
        name, _, url = made.partition("|")
        url = url.replace("{own}", target.urls[name].split("/")[-2])
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes) or sendable(body):
            run(loop, target.ask(method, url, headers=headers, **sent))

    await asyncio.to_thread(check)


def sendable(body: Any) -> bool:
    """Whether the client's own JSON can hold it."""
    try:
        httpx.Request("PUT", "http://x/", json=body)
    except (UnicodeEncodeError, ValueError):
        return False
    return True
