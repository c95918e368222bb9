"""ID tokens of OpenID Connect (Core 1.0, section 3.1.3.7), verified by PyJWT. No I/O here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

__all__ = ["ALGORITHMS", "Keys", "key_id_of", "looks_like_jwt", "read_keys", "verify"]

logger = logging.getLogger("bzz.auth")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by private key only: with a shared secret among them, a public key could be used as one."""

_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]

Keys = list[jwt.PyJWK]


def looks_like_jwt(token: str) -> bool:
    """Whether ``token`` has the form of a signed JWT, so that it is worth verifying.

    >>> looks_like_jwt("ya29.opaque"), looks_like_jwt("eyJhbGciOiJub25lIn0.e30.c2ln")
    (False, True)
    """
    return token.startswith("eyJ") and token.count(".") == 2


def key_id_of(token: str) -> str | None:
    """The id of the key that signed ``token`` (``''`` where it names none); None where it is no ID token."""
    try:
        header = jwt.get_unverified_header(token)
    except Exception:  # PyJWT lets other errors than its own through
        return None
    if header.get("alg") not in ALGORITHMS or str(header.get("typ", "")).lower() in ("at+jwt", "application/at+jwt"):
        return None
    return str(header.get("kid", ""))


def read_keys(document: Mapping[str, Any]) -> Keys:
    """The signing keys of a JWK set (RFC 7517), those of an unknown kind left out."""
    keys: Keys = []
    for data in document.get("keys") or []:
        try:
            if data.get("use", "sig") == "sig" and data.get("kty") != "oct":
                keys.append(jwt.PyJWK(data))
        except Exception as error:  # one strange key must not cost the others
            logger.warning("a key of the provider is not usable: %s", type(error).__name__)
    return keys


def verify(token: str, keys: Keys, *, issuers: Sequence[str], audience: str, leeway: float) -> dict[str, Any] | None:
    """The claims of ``token``, or None where anything about it is wrong.

    :param keys: those that may have signed it.
    :param leeway: seconds by which the clocks may differ.
    """
    for key in keys:
        try:
            claims = _decode(token, key, issuers, audience, leeway)
        except Exception as error:  # PyJWT lets others than its own through, a TypeError for a list as iss for one
            logger.info("an ID token was refused: %s", type(error).__name__)
            continue
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        return None if several and claims.get("azp") != audience else claims
    return None


def _decode(token: str, key: jwt.PyJWK, issuers: Sequence[str], audience: str, leeway: float) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=list(ALGORITHMS),
        audience=audience,
        issuer=list(issuers),
        leeway=leeway,
        options={"require": _REQUIRED},
    )
