"""A request on its way from an engine to a Tornado application: within the cap, the limits and the time of its body."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPMessageDelegate

from bzz.asgi.exchange import Exchange
from bzz.errors import BadRequest, PayloadTooLarge, RequestError, RequestTimeout, Unavailable
from bzz.in_flight import REFUSAL_SECONDS

__all__ = ["serve"]

WATCH_SECONDS = 0.05
"""How long an answer may take before its client is watched: most take less, and a watch costs as much as they do."""

SHORT_LENGTH = len("99999")
"""How many digits the length of a body may have that is read although its request is refused."""

_BUSY = Unavailable("The server is busy; nothing was done.")


async def serve(exchange: Exchange) -> None:
    """Have the application answer; return when it has, or when the client has left."""
    if not exchange.engine.flight.begin():
        length = exchange.headers.get("Content-Length", "0")
        if len(length) <= SHORT_LENGTH and "Expect" not in exchange.headers:
            await _drop_body(exchange)
        exchange.refuse(_BUSY)  # of a long body nothing is read, and the engine closes the connection
        return await exchange.done
    exchange.is_counted = True
    try:
        await _pass_on(exchange, exchange.engine.application.start_request(exchange, exchange))
        await _wait_until_answered(exchange)
    finally:
        exchange.release()
        exchange.set_close_callback(None)
    return None


async def _drop_body(exchange: Exchange) -> None:
    """Wait as long as a refusal does, and read the body meanwhile: an engine keeps no connection where some is left."""
    end = asyncio.get_running_loop().time() + REFUSAL_SECONDS
    with suppress(TimeoutError, RequestError):
        async with asyncio.timeout_at(end):
            if exchange.is_unread:
                async for _ in exchange.body():
                    pass
                exchange.is_unread = False
            await asyncio.Event().wait()


async def _pass_on(exchange: Exchange, delegate: HTTPMessageDelegate) -> None:
    """Pass the request on, and say so if it ends before its end."""
    try:
        await _read(exchange, delegate)
    except BaseException as error:
        delegate.on_connection_close()
        exchange.set_close_callback(None)  # the handler knows it by the delegate
        if isinstance(error, HTTPInputError):
            exchange.refuse(BadRequest(f"The request cannot be read: {error}"))
        elif isinstance(error, RequestError):
            exchange.refuse(error)
        else:
            raise


async def _read(exchange: Exchange, delegate: HTTPMessageDelegate) -> None:
    if exchange.malformed is not None:
        raise exchange.malformed
    _check_framing(exchange.headers)
    waiting = delegate.headers_received(exchange.start_line, exchange.headers)
    if waiting is not None:
        await waiting
    if exchange.is_unread and not exchange.is_finished:
        await _read_body(exchange, delegate)
        exchange.is_unread = False
    if not exchange.is_finished:
        delegate.finish()


def _check_framing(headers: HTTPHeaders) -> None:
    """Refuse a body whose end a proxy may see elsewhere (RFC 9112, sections 6.1 and 11.2), as Tornado does."""
    encoding = headers.get("Transfer-Encoding")
    if encoding is not None and (encoding.lower() != "chunked" or "Content-Length" in headers):
        raise HTTPInputError("Transfer-Encoding must be chunked, and stand without Content-Length")


async def _read_body(exchange: Exchange, delegate: HTTPMessageDelegate) -> None:
    task = asyncio.current_task()
    assert task is not None
    expired: list[bool] = []  # asyncio.timeout() would take 2 µs more
    timer = task.get_loop().call_later(exchange.body_timeout, lambda: expired.append(task.cancel()))
    try:
        await _pass_body_on(exchange, delegate)
    except asyncio.CancelledError:
        if not expired:
            raise
        raise RequestTimeout("The body did not come in time.") from None
    finally:
        timer.cancel()


async def _pass_body_on(exchange: Exchange, delegate: HTTPMessageDelegate) -> None:
    _check_size(exchange, int(exchange.headers.get("Content-Length", "0")))
    size = 0
    async for chunk in exchange.body():
        size += len(chunk)
        _check_size(exchange, size)
        if exchange.is_finished:
            return  # answered early
        waiting = delegate.data_received(chunk)
        if waiting is not None:
            await waiting


def _check_size(exchange: Exchange, size: int) -> None:
    if size > exchange.max_body_size:
        raise PayloadTooLarge(f"The body is longer than {exchange.max_body_size} bytes.")


async def _wait_until_answered(exchange: Exchange) -> None:
    """Wait for the answer; if it takes a while, watch whether its client stays."""
    if exchange.done.done():
        return exchange.done.result()
    loop = asyncio.get_running_loop()
    watch: list[asyncio.Task[None]] = []
    timer = loop.call_later(WATCH_SECONDS, lambda: watch.append(loop.create_task(_watch(exchange))))
    try:
        await exchange.done
    finally:
        timer.cancel()
        for each in watch:
            each.cancel()
    return None


async def _watch(exchange: Exchange) -> None:
    await exchange.wait_until_left()
    exchange.lose()
