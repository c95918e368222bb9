"""ID tokens of OpenID Connect (Core 1.0, section 3.1.3.7), verified by PyJWT. This module does no I/O."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bzz.extras import needs

with needs("auth"):
    import cryptography  # noqa: F401  # PyJWT finds out without it only when a token comes
    import jwt

__all__ = ["ALGORITHMS", "Keys", "SigningKey", "key_id_of", "looks_like_jwt", "read_jwks", "signer_of", "verify"]

logger = logging.getLogger("bzz.auth")

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*_RSA, "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric signatures only: if a shared secret were allowed, a public key could be used as one."""

_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]

TENANT = "{tenantid}"
"""The placeholder for the tenant in issuers of Microsoft; a token has the tenant in its claim ``tid``."""


@dataclass(frozen=True)
class SigningKey:
    """A public key of a provider.

    :param id: its ``kid``, if it has one.
    :param algorithms: those that it may verify: its ``alg``, or all of its type (RFC 7517, section 4.4).
    :param issuer: the only issuer whose tokens it signs, if the set says so, as Microsoft's does.
    """

    id: str | None
    public: Any
    algorithms: tuple[str, ...]
    issuer: str | None = None


Keys = list[SigningKey]


def looks_like_jwt(token: str) -> bool:
    """Return whether ``token`` has the form of a signed JWT, so that it is worth verifying.

    >>> looks_like_jwt("ya29.opaque"), looks_like_jwt("eyJhbGciOiJub25lIn0.e30.c2ln")
    (False, True)
    """
    return token.startswith("eyJ") and token.count(".") == 2


def key_id_of(token: str) -> str | None:
    """Return the id of the key in the header of ``token`` (``''`` if it has none), or None if it is not an ID token."""
    try:
        header = jwt.get_unverified_header(token)
    except Exception:  # PyJWT raises other errors than its own too
        return None
    if header.get("alg") not in ALGORITHMS or str(header.get("typ", "")).lower() in ("at+jwt", "application/at+jwt"):
        return None
    return str(header.get("kid", ""))


def read_jwks(document: Mapping[str, Any]) -> Keys:
    """Return the signing keys of a JWK set (RFC 7517) whose type is known."""
    keys: Keys = []
    for data in document.get("keys") or []:
        try:
            if data.get("use", "sig") == "sig" and data.get("kty") != "oct":
                keys.append(_read_key(data))
        except Exception as error:  # one strange key must not cost the others
            logger.warning("a key of the provider is not usable: %s", type(error).__name__)
    return keys


def _read_key(data: Mapping[str, Any]) -> SigningKey:
    key = jwt.PyJWK(dict(data))
    several = _RSA if data["kty"] == "RSA" and not data.get("alg") else (key.algorithm_name,)
    return SigningKey(key.key_id, key.key, tuple(each for each in several if each in ALGORITHMS), data.get("issuer"))


def signer_of(token: str, keys: Keys) -> SigningKey | None:
    """Return the one of ``keys`` that signed ``token``, whatever its claims, or None."""
    for key in keys:
        try:
            jwt.api_jws.decode(token, key.public, algorithms=key.algorithms)
        except Exception:  # PyJWT raises other errors than its own too
            continue
        return key
    return None


def verify(
    token: str, key: SigningKey, *, issuers: Sequence[str], audience: str, leeway: float
) -> dict[str, Any] | None:
    """Return the claims of ``token``, or None if it is invalid.

    :param key: the one that signed it.
    :param issuers: those whose tokens are accepted; one may hold :data:`TENANT`.
    :param leeway: seconds by which the clocks may differ.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=key.algorithms,
            audience=audience,
            leeway=leeway,
            options={"require": _REQUIRED},
        )
    except Exception as error:  # PyJWT raises others than its own too, such as a TypeError for a list as iss
        logger.info("an ID token was refused: %s", type(error).__name__)
        return None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if several and claims.get("azp") != audience:
        return None
    of_key = issuers if key.issuer is None else [key.issuer]
    return claims if _is_from(issuers, claims) and _is_from(of_key, claims) else None


def _is_from(issuers: Sequence[str], claims: Mapping[str, Any]) -> bool:
    return any(_of_tenant(issuer, claims) == claims["iss"] for issuer in issuers)


def _of_tenant(issuer: str, claims: Mapping[str, Any]) -> str:
    """Return ``issuer`` for the tenant in ``claims``.

    >>> _of_tenant("https://login.example/{tenantid}/v2.0", {"tid": "7"})
    'https://login.example/7/v2.0'
    """
    return issuer.replace(TENANT, str(claims.get("tid", TENANT)))
