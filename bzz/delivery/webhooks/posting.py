"""One attempt: a body is posted, once, and what comes back is read no further than it is needed.

The status decides. A receiver that has answered 2xx has the event, whatever becomes of the rest of its answer, so that
a long, slow or broken rest does not make it get the event twice.

This stands on Tornado's connections and not on its ``SimpleAsyncHTTPClient``. That one has requests wait in a queue for
those to slower servers, cannot be cancelled, and where a connection breaks within a body it hangs until time is up.
Nothing here follows a redirect, or asks the environment for a proxy.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError
from tornado.tcpclient import TCPClient

from bzz.delivery.webhooks.answer import SHOWN_BYTES, Answer, Undelivered
from bzz.delivery.webhooks.endpoint import Endpoint
from bzz.delivery.webhooks.resolver import GuardedResolver, RefusedAddress

__all__ = ["TIMEOUT_SECONDS", "post"]

TIMEOUT_SECONDS = 15.0
"""For everything: the name, the connection, TLS, the request, the answer. Svix gives a receiver as much."""

MAX_HEADER_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_BUFFER_BYTES = 128 * 1024
"""Of an answer. Where there is more, the connection is closed."""


async def post(
    endpoint: Endpoint,
    headers: Mapping[str, str],
    body: bytes,
    resolver: GuardedResolver,
    *,
    seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """Post a body on a connection of its own, and return the answer.

    :param resolver: finds the addresses that may be connected to.
    :param seconds: the time for all of it.
    :raises Undelivered: if no status came.
    """
    reading = _Reading()
    try:
        async with asyncio.timeout(seconds):
            stream = await TCPClient(resolver).connect(
                endpoint.host,
                endpoint.port,
                ssl_options=trust() if endpoint.is_secure else None,
                max_buffer_size=MAX_BUFFER_BYTES,
            )
            try:
                await _exchange(stream, _request_headers(endpoint, headers, body), endpoint.target, body, reading)
            finally:
                stream.close()
    except Exception as error:  # sockets, TLS, names, timeouts, malformed answers: each raises its own
        if reading.answer is None:
            cause = getattr(error, "real_error", None) or error
            raise Undelivered(f"{endpoint.host} {_words(cause, seconds)}") from cause
    if reading.answer is None:
        raise Undelivered(f"{endpoint.host} closed the connection, or answered what is no HTTP")
    return reading.answer


@lru_cache(1)
def trust() -> ssl.SSLContext:
    """Return the authorities that the system trusts; ``SSL_CERT_FILE`` names others, as for any use of OpenSSL."""
    return ssl.create_default_context()


def _request_headers(endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> HTTPHeaders:
    length = str(len(body))
    return HTTPHeaders({"Host": endpoint.authority, "Content-Length": length, "Connection": "close", **headers})


async def _exchange(stream: IOStream, headers: HTTPHeaders, target: str, body: bytes, reading: _Reading) -> None:
    limits = HTTP1ConnectionParameters(
        no_keep_alive=True, max_header_size=MAX_HEADER_BYTES, max_body_size=MAX_BODY_BYTES
    )
    connection = HTTP1Connection(stream, True, limits)
    connection.write_headers(RequestStartLine("POST", target, ""), headers, body)
    connection.finish()
    await connection.read_response(reading)


class _Reading(HTTPMessageDelegate):
    """The answer as far as it has come."""

    def __init__(self) -> None:
        self._head: tuple[int, HTTPHeaders] | None = None
        self._body = b""

    @property
    def answer(self) -> Answer | None:
        """The answer; None before its headers are complete."""
        return None if self._head is None else Answer(*self._head, self._body)

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        assert isinstance(start_line, ResponseStartLine)
        if start_line.code >= 200:  # those below announce another one
            self._head = (start_line.code, headers)

    def data_received(self, chunk: bytes) -> None:
        """Keep what an error may show, and drop the rest."""
        self._body += chunk[: SHOWN_BYTES - len(self._body)]


def _words(error: Exception, seconds: float) -> str:
    """Say in words what failed. Nothing but what is known to hold no part of the URL is taken over."""
    match error:
        case RefusedAddress():
            return f"was not asked: {error}"
        case TimeoutError():
            return f"did not answer within {seconds:g} seconds"
        case UnsatisfiableReadError():
            return f"answered headers of more than {MAX_HEADER_BYTES} bytes"
        case StreamClosedError():
            return "closed the connection before it had answered"
        case socket.gaierror():
            return f"cannot be found: {error.strerror}"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"does not speak TLS as it should: {error.reason}"
        case OSError():
            return f"cannot be reached: {error.strerror or type(error).__name__}"
        case _:
            return f"cannot be asked: {type(error).__name__}"
