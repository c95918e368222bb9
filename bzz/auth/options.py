"""The arguments of ``AuthHive.configure``, checked when it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from bzz.auth.limiter import Limiter
from bzz.auth.revocation import RevocationStore
from bzz.errors import ConfigurationError

__all__ = ["check_types", "checked_proxy", "secret_keys"]

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "expiration": ((int,), "a whole number of seconds"),
    "lifetime": ((int,), "a whole number of seconds"),
    "cookie_name": ((str,), "a text"),
    **{f"authenticated_{kind}": ((bool,), "True or False") for kind in ("get", "create", "update", "delete")},
    "samesite": ((str,), "a text"),
    "domain": ((str, NoneType), "a text"),
    "audience": ((str, NoneType), "a text"),
    "development": ((bool,), "True or False"),
    "load_user": ((Callable, NoneType), "a function of a session's user"),  # type: ignore[dict-item]  # isinstance takes it
    "revocation": ((RevocationStore, NoneType), "a bzz.auth.RevocationStore"),
    "limiter": ((Limiter, NoneType), "a bzz.auth.Limiter"),
    "proxy_info": ((Mapping, NoneType), "a dict"),
}

_PROXY = {"proxy_host", "proxy_port", "proxy_username", "proxy_password", "proxy_auth_mode"}


def check_types(options: Mapping[str, Any]) -> None:
    """Check the types of ``options``.

    :raises bzz.errors.ConfigurationError: if one has the wrong type; the message names it.
    """
    for name, (kinds, wanted) in _TYPES.items():
        value = options[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ConfigurationError(f"{name} is {wanted}, not {value!r}")


def secret_keys(secret_key: str | bytes | Sequence[str | bytes]) -> list[bytes]:
    """Return the keys in ``secret_key``: the first one signs, all are accepted.

    :raises bzz.errors.ConfigurationError: if it holds anything but strings and bytes.
    """
    keys = [secret_key] if isinstance(secret_key, (str, bytes)) else secret_key
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, (str, bytes)) for key in keys):
        raise ConfigurationError("secret_key is a text, bytes, or a list of those")
    return [key.encode() if isinstance(key, str) else key for key in keys]


def checked_proxy(proxy_info: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return ``proxy_info``, checked, or None if it is empty.

    :raises bzz.errors.ConfigurationError: if Tornado's client would not use it as it is.
    """
    if not proxy_info:
        return None
    unknown = sorted(set(proxy_info) - _PROXY)
    if unknown:
        raise ConfigurationError(f"proxy_info holds {', '.join(unknown)}; it takes {', '.join(sorted(_PROXY))}")
    _check_proxy(proxy_info)
    if issubclass(AsyncHTTPClient.configured_class(), SimpleAsyncHTTPClient):
        raise ConfigurationError(
            "proxy_info needs pycurl and AsyncHTTPClient.configure('tornado.curl_httpclient.CurlAsyncHTTPClient')"
        )
    return proxy_info


def _check_proxy(info: Mapping[str, Any]) -> None:
    """Raise if Tornado's client would ignore a part. Without a port, for example, it does not use the proxy."""
    host, port = info.get("proxy_host"), info.get("proxy_port")
    if not (isinstance(host, str) and host and isinstance(port, int) and port):
        raise ConfigurationError("proxy_info needs proxy_host, a text, and proxy_port, a number")
    if (info.get("proxy_username") is None) != (info.get("proxy_password") is None):
        raise ConfigurationError("proxy_info needs both proxy_username and proxy_password, or neither")
    if info.get("proxy_auth_mode") not in (None, "basic", "digest"):
        raise ConfigurationError("proxy_auth_mode is basic or digest")
