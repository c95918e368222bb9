"""Sign-in with the ID token of any OpenID Connect server (https://openid.net/specs/openid-connect-core-1_0.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bzz.auth.base import AuthProvider
from bzz.auth.idtoken import Keys, key_id_of, verify
from bzz.auth.keys import KeyCache

__all__ = ["OpenIDProvider", "user_of"]

LEEWAY_SECONDS = 60.0


class OpenIDProvider(AuthProvider):
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
        if key_id is None:
            return None
        keys = await self._keys.current(proxy_info)
        claims = self._verify(access_token, key_id, keys)
        if claims is None and not any(key.key_id == key_id for key in keys):
            claims = self._verify(access_token, key_id, await self._keys.refreshed(proxy_info))
        return None if claims is None else user_of(claims)

    def _verify(self, token: str, key_id: str, keys: Keys) -> dict[str, Any] | None:
        """The claims of ``token``. Servers with a single key often name it neither in the token nor in the key."""
        fitting = [key for key in keys if key_id == "" or key.key_id in (None, key_id)]
        return verify(token, fitting, issuers=self.issuers, audience=self.client_id, leeway=LEEWAY_SECONDS)


def user_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The user that standard claims (Core 1.0, section 5.1) describe; an address known to be unverified is left out.

    >>> user_of({"sub": "7", "name": "Ada", "email": "a@example.org", "email_verified": False})
    {'id': '7', 'name': 'Ada'}
    """
    user = {"id": claims["sub"], "name": claims.get("name"), "email": claims.get("email")}
    if claims.get("email_verified", True) not in (True, "true"):
        user["email"] = None
    return {name: value for name, value in user.items() if value is not None}
