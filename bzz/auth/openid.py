"""Sign-in with the ID token of any OpenID Connect server (https://openid.net/specs/openid-connect-core-1_0.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bzz.auth.base import Provider
from bzz.auth.idtoken import key_id_of, verify
from bzz.auth.keys import KeyCache

__all__ = ["OpenIDProvider", "user_of"]

LEEWAY_SECONDS = 60.0


class OpenIDProvider(Provider):
    """Accepts ID tokens that ``issuer`` signed for ``client_id``.

    Keys come from the server's discovery document. An access token is not accepted: nothing in it says for whom it is.

    :param issuer: the server's issuer, exactly as its discovery document and its tokens have it.
    :param client_id: the id that the application has at that server, the token's audience.
    :param name: what clients send as ``provider``.
    """

    def __init__(self, issuer: str, client_id: str, name: str = "openid") -> None:
        self.name = name
        self.client_id = client_id
        self.issuers = [issuer]
        self._keys = KeyCache(issuer)

    async def authenticate(
        self,
        access_token: str,
        proxy_info: Mapping[str, Any] | None = None,
        post_data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """The user of the ID token ``access_token``: ``id`` and, if the server gives them, ``name`` and ``email``.

        :raises bzz.errors.BadGateway: the server's answers are of no use.
        :raises bzz.errors.Unavailable: the server cannot be reached.
        """
        key_id = key_id_of(access_token)
        key = None if key_id is None else await self._keys.find(key_id, proxy_info)
        if key is None:
            return None
        claims = verify(access_token, key, issuers=self.issuers, audience=self.client_id, leeway=LEEWAY_SECONDS)
        return None if claims is None else user_of(claims)


def user_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The user that standard claims (Core 1.0, section 5.1) describe; an address known to be unverified is left out.

    >>> user_of({"sub": "7", "name": "Ada", "email": "a@example.org", "email_verified": False})
    {'id': '7', 'name': 'Ada'}
    """
    user = {"id": claims["sub"], "name": claims.get("name"), "email": claims.get("email")}
    if claims.get("email_verified", True) not in (True, "true"):
        user["email"] = None
    return {name: value for name, value in user.items() if value is not None}
