"""Sign-in with the ID token of any OpenID Connect server (https://openid.net/specs/openid-connect-core-1_0.html)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bzz.auth.base import AuthProvider
from bzz.auth.idtoken import Keys, SigningKey, key_id_of, signer_of, verify
from bzz.auth.jwks import KeyCache
from bzz.errors import ConfigurationError, RequestError

__all__ = ["OpenIDProvider", "user_of"]

logger = logging.getLogger("bzz.auth")

LEEWAY_SECONDS = 60.0


class OpenIDProvider(AuthProvider):
    """Accepts ID tokens that ``issuer`` signed for ``client_id``.

    Keys come from the server's discovery document. Access tokens are not accepted, since they name no audience. A
    client that asked for the token with a ``nonce`` sends it too: the token must then have the same.

    :param issuer: the server's issuer, exactly as in its discovery document and its tokens. If the document has
        ``{tenantid}`` in it, as Microsoft's for ``common`` and ``organizations``, tokens of every tenant are accepted.
    :param client_id: the id that the application has at that server, the token's audience.
    :param name: what clients send as ``provider``.
    :param claims: further claims of the token that become data of the user and stay in the session, ``("roles",)``.
    :raises bzz.errors.ConfigurationError: if a claim is called ``id`` or ``provider``, which bzz sets itself.
    """

    def __init__(self, issuer: str, client_id: str, name: str = "openid", claims: Sequence[str] = ()) -> None:
        if isinstance(claims, str) or {"id", "provider"} & set(claims):
            raise ConfigurationError(f"claims is a list of names other than id and provider, not {claims!r}")
        self.name = name
        self.client_id = client_id
        self.issuers = [issuer]
        self.claims = tuple(claims)
        self.kept = (*self.kept, *(each for each in claims if each not in self.kept))
        self._keys = KeyCache(issuer)

    async def authenticate(
        self,
        access_token: str,
        proxy_info: Mapping[str, Any] | None = None,
        post_data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Return the user of the ID token ``access_token``: ``id``, ``name``, ``email`` and ``claims``, if it has them.

        :raises bzz.errors.BadGateway: if the server's answers cannot be used.
        :raises bzz.errors.Unavailable: if the server cannot be reached.
        """
        key_id = key_id_of(access_token)
        if key_id is None:
            return None
        key = await self._signer(access_token, key_id, proxy_info)
        if key is None:
            logger.info("an ID token was refused: no key of %s has signed it", self._keys.issuer)
            return None
        issuers = [self._keys.issuer, *self.issuers[1:]]  # the first as the discovery document has it
        claims = verify(access_token, key, issuers=issuers, audience=self.client_id, leeway=LEEWAY_SECONDS)
        return user_of(claims, self.claims) if claims and _has_nonce(claims, post_data or {}) else None

    async def _signer(self, token: str, key_id: str, proxy_info: Mapping[str, Any] | None) -> SigningKey | None:
        """Return the key that signed ``token``. If no known key did, fetch the keys again."""
        known = _fitting(key_id, await self._keys.current(proxy_info))
        found = signer_of(token, known)
        if found is not None:
            return found
        try:
            return signer_of(token, _fitting(key_id, await self._keys.refreshed(proxy_info)))
        except RequestError:
            if known:
                return None
            raise


def _fitting(key_id: str, keys: Keys) -> Keys:
    """Return the keys that may have this id. A server with one key often gives no id in its tokens or in the key."""
    return [key for key in keys if key_id == "" or key.id in (None, key_id)]


def _has_nonce(claims: Mapping[str, Any], post_data: Mapping[str, Any]) -> bool:
    """Return whether the token has the nonce that the client sent, if it sent one (Core 1.0, section 3.1.3.7)."""
    return "nonce" not in post_data or post_data["nonce"] == claims.get("nonce")


def user_of(claims: Mapping[str, Any], more: Sequence[str] = ()) -> dict[str, Any]:
    """Return the user in standard claims (Core 1.0, section 5.1), without an email address that is not verified.

    :param more: further claims to take.

    >>> user_of({"sub": "7", "name": "Ada", "email": "a@example.org", "email_verified": False, "hd": "x"}, ["hd"])
    {'id': '7', 'name': 'Ada', 'hd': 'x'}
    """
    user = {"id": claims["sub"], **{name: claims.get(name) for name in ("name", "email", *more)}}
    if claims.get("email_verified", True) not in (True, "true"):
        user["email"] = None
    return {name: value for name, value in user.items() if value is not None}
