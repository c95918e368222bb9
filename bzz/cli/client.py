"""The HTTP client of commands: Tornado's, with answers and failures in words.

A server that is away and an address that leads nowhere are a :class:`~bzz.cli.console.Failure` of one sentence.
What a command can do something about itself (a server that is busy) is an answer.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from bzz.cli.console import Failure
from bzz.extras import needs

with needs("cli"):
    import typer

__all__ = ["Away", "Client", "Headers", "Token", "Url", "make_client", "refusal"]

Url = Annotated[str, typer.Argument(metavar="URL", help="The address of a list, such as http://localhost:8888/user/.")]
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="A header of each request; may be repeated."),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", metavar="TOKEN", envvar="BZZ_TOKEN", help="A session token, sent as Authorization: Bearer."
    ),
]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
"""What a header may be called, and hold (RFC 9110, sections 5.1 and 5.5, but for what is not ASCII)."""

ANSWER_SECONDS = 60.0
CONNECT_SECONDS = 10.0
MOST_BYTES = 2**40
"""Of one answer: a feed has no end."""

_REMEDIES = {
    401: "sign in first: --token or --header 'Authorization: ...'",
    403: "this user may not do this",
}


class Away(Failure):
    """The server was not reached, or the connection broke before the answer was complete."""


class Client:
    """Sends requests with the headers of a command.

    :param url: the address that the command was given.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self._headers = headers
        self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=64, max_body_size=MOST_BYTES)

    async def send(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        """Return the answer to a request, whatever its status.

        :raises Away: if there is none.
        """
        return await self._fetch(
            HTTPRequest(
                url,
                method,
                headers=HTTPHeaders({**self._headers, **(headers or {})}),
                body=body,
                connect_timeout=CONNECT_SECONDS,
                request_timeout=ANSWER_SECONDS,
                allow_nonstandard_methods=True,
            )
        )

    async def stream(
        self,
        headers: Mapping[str, str],
        on_header: Callable[[str], None],
        on_chunk: Callable[[bytes], None],
    ) -> HTTPResponse:
        """Return the answer of a GET that may take for ever; header lines and chunks are handed over as they come.

        :raises Away: if there is none, or it breaks off.
        """
        return await self._fetch(
            HTTPRequest(
                self.url,
                headers=HTTPHeaders({**self._headers, **headers}),
                header_callback=on_header,
                streaming_callback=on_chunk,
                connect_timeout=CONNECT_SECONDS,
                request_timeout=0,
            )
        )

    async def _fetch(self, request: HTTPRequest) -> HTTPResponse:
        try:
            return await self._client.fetch(request, raise_error=False)
        except (OSError, HTTPClientError) as error:
            raise Away(f"{_origin(request.url)} does not answer: {_reason(error)}") from None
        except (ValueError, KeyError) as error:
            raise Failure(f"{request.url} is no address: {error}") from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def make_client(url: str, headers: Sequence[str] | None, token: str | None) -> Client:
    """Return the client for the options of a command. An address without a scheme is one of HTTP, as for curl.

    :raises Failure: for a header that is none.
    """
    found: dict[str, str] = {}
    for each in headers or ():
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise Failure(f"--header {each!r} must be 'NAME: VALUE'")
        found[name.strip()] = value.strip()
    if token is not None:
        if not _VALUE.fullmatch(token):
            raise Failure("--token cannot be sent: it may hold visible characters of ASCII")
        found["Authorization"] = f"Bearer {token}"
    for name, value in found.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Failure(f"--header {name!r} cannot be sent: names are of letters, digits and '-', values of ASCII")
    logging.getLogger("tornado.application").addHandler(logging.NullHandler())  # failures are told in our words
    full = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(full)
        is_address = bool(parts.hostname and parts.port != 0 and parts.scheme in ("http", "https"))
    except ValueError:  # of brackets, and of ports
        is_address = False
    if not is_address:
        raise Failure(f"{url!r} is no address: such as http://localhost:8888/user/")
    return Client(full, found)


def refusal(response: HTTPResponse, body: bytes | None = None) -> Failure:
    """Return what to say of an answer that is no success.

    :param body: where it was streamed.
    """
    problem = _problem(body if body is not None else response.body)
    status = f"{response.code} {problem.get('title') or response.reason}"
    detail = problem.get("detail")
    remedy = _REMEDIES.get(response.code)
    words = " ".join(each for each in (f"{status}: {detail}" if detail else status, remedy and f"({remedy})") if each)
    return Failure(f"{response.request.url} answers {words}")


def _problem(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _reason(error: Exception) -> str:
    """Return why there is no answer, in the words of the system where it has some."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(getattr(error, "message", None) or str(error) or type(error).__name__)
