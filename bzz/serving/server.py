"""``bzz.serve``: an application on a port, by Tornado's HTTP server or by granian."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from bzz.addresses import Proxies
from bzz.errors import ConfigurationError
from bzz.limits import Limits
from bzz.serving.endpoint import Endpoint
from bzz.serving.source import Source, load

__all__ = ["Limits", "Server", "load", "serve"]

Server = Literal["tornado", "granian"]


def serve(
    app: Source,
    *,
    port: int = 8888,
    address: str = "127.0.0.1",
    unix_socket: str | Path | None = None,
    server: Server = "tornado",
    processes: int = 1,
    trusted_proxies: Iterable[str] = (),
    limits: Limits = Limits(),
    on_start: Callable[[int], None] = lambda port: None,
    **options: Any,
) -> None:
    """Serve an application until SIGTERM or SIGINT; the requests that were accepted are answered first.

    Tornado's own HTTP server runs in this process, on uvloop if that is installed (``pip install 'bzz[serve]'``).
    granian (``pip install 'bzz[granian]'``) runs in processes of its own, which are started again when they die.

    :param app: the application, ``'module:name'`` of one, or a function that makes one. granian needs one of the latter
        two, for each of its processes makes its own; a function must be one that can be imported by its name where
        processes are not forked (macOS; Python 3.14).
    :param port: 0 takes a free one.
    :param unix_socket: the path of a socket to listen on, in place of a port.
    :param server: ``'tornado'`` or ``'granian'``.
    :param processes: how many processes granian starts.
    :param trusted_proxies: addresses and networks, such as ``'10.0.0.0/8'``, from which ``X-Forwarded-For`` and
        ``X-Forwarded-Proto`` are believed; ``'unix'`` for whoever comes by a Unix socket.
    :param limits: what one connection and one process may take.
    :param on_start: told the port (0 for a Unix socket) once requests are taken; by granian, on a thread of its own.
    :param options: those of :class:`tornado.httpserver.HTTPServer`, such as ``ssl_options`` or ``xheaders``, or those
        of granian's ``Server``, such as ``ssl_cert``, under their own names; they go before ``limits``.
    :raises bzz.errors.ConfigurationError: for what contradicts itself, or an engine that is not installed.
    :raises OSError: if the port or the socket is taken.
    """
    if server not in get_args(Server):
        raise ConfigurationError(f"server: {server!r} must be 'tornado' or 'granian'")
    if processes != 1 and server == "tornado":
        raise ConfigurationError("Tornado's server runs in one process; several need server='granian' (bzz[granian])")
    proxies = Proxies(trusted_proxies)
    if proxies and options.get("xheaders"):
        raise ConfigurationError("xheaders believes whoever connects: leave it out where trusted_proxies says whom")
    endpoint = Endpoint(port, address, None if unix_socket is None else Path(unix_socket))
    # Each engine is imported where it is chosen: the other may not be installed, and costs time.
    if server == "granian":
        import_module("bzz.serving.granian").run(app, endpoint, processes, proxies, limits, on_start, options)
    else:
        import_module("bzz.serving.tornado").run(app, endpoint, proxies, limits, on_start, options)
