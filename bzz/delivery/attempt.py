"""One attempt: a body is posted, once, and what comes back is read no further than it is needed.

The status decides. A receiver that has answered 2xx has the event, whatever becomes of the rest of its answer, so that
a long, slow or broken rest does not make it get the event twice.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache

from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError, SimpleAsyncHTTPClient

from bzz.delivery.answer import SHOWN_CHARACTERS, Answer, Undelivered
from bzz.delivery.resolver import GuardedResolver, RefusedAddress

__all__ = ["TIMEOUT_SECONDS", "post"]

TIMEOUT_SECONDS = 15.0
"""For everything: the name, the connection, TLS, the request, the answer. What Svix gives a receiver, too."""

MAX_HEADER_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_BUFFER_BYTES = 128 * 1024
"""Of an answer. Where there is more, the connection is closed."""


async def post(
    url: str,
    host: str,
    headers: Mapping[str, str],
    body: bytes,
    resolver: GuardedResolver,
    *,
    seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """Post a body, and return the answer.

    The client is made anew each time: it keeps no connections that could be shared, and a queue, in which requests
    wait for those to slower servers, is none where there is one request. Neither the environment nor
    ``AsyncHTTPClient.configure`` can lead it through a proxy.

    :param host: for the messages.
    :param seconds: the time for all of it.
    :raises Undelivered: if no status came.
    """
    reading = _Reading()
    client = SimpleAsyncHTTPClient(
        force_instance=True,
        resolver=resolver,
        max_clients=1,
        max_header_size=MAX_HEADER_BYTES,
        max_body_size=MAX_BODY_BYTES,
        max_buffer_size=MAX_BUFFER_BYTES,
    )
    request = HTTPRequest(
        url,
        "POST",
        headers=dict(headers),
        body=body,
        connect_timeout=seconds,
        request_timeout=seconds,
        follow_redirects=False,
        decompress_response=False,  # a few bytes could stand for very many
        user_agent="bzz",
        ssl_options=trust() if url.startswith("https:") else None,
        header_callback=reading.header,
        streaming_callback=reading.piece,
    )
    try:
        await client.fetch(request, raise_error=False)
    except Exception as error:  # sockets, TLS, names, timeouts, malformed answers: each raises its own
        if reading.answer is None:
            raise Undelivered(f"{host} {_words(error, seconds)}") from error
    finally:
        client.close()
    if reading.answer is None:
        raise Undelivered(f"{host} did not answer")
    return reading.answer


@lru_cache(1)
def trust() -> ssl.SSLContext:
    """Return the authorities that the system trusts; ``SSL_CERT_FILE`` names others, as for any use of OpenSSL."""
    return ssl.create_default_context()


class _Reading:
    """The answer as far as it has come."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._is_complete = True
        self._body = b""

    @property
    def answer(self) -> Answer | None:
        """The answer; None before its headers are complete."""
        if not self._is_complete or self._status < 200:  # 1xx announce another one
            return None
        return Answer(self._status, self._headers, self._body)

    def header(self, line: str) -> None:
        """Called with the status line, each header, and the empty line behind them."""
        text = line.rstrip("\r\n")
        if self._is_complete:
            self._status, self._headers, self._is_complete = int(text.split(" ", 2)[1]), {}, False
        elif text:
            name, _, value = text.partition(":")
            self._headers.setdefault(name.lower(), value.strip())
        else:
            self._is_complete = True

    def piece(self, data: bytes) -> None:
        """Called with each part of the body; what no error would show is dropped."""
        self._body += data[: 4 * SHOWN_CHARACTERS - len(self._body)]


def _words(error: Exception, seconds: float) -> str:
    """Say in words what failed. Nothing but what is known to hold no part of the URL is taken over."""
    match error:
        case RefusedAddress():
            return f"was not asked: {error}"
        case HTTPTimeoutError():
            return f"did not answer within {seconds:.0f} seconds"
        case HTTPStreamClosedError():
            return "closed the connection before it had answered, or answered what is no HTTP"
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
