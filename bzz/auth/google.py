"""Sign-in with Google (https://developers.google.com/identity/openid-connect/openid-connect)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bzz.auth.http import fetch_json
from bzz.auth.idtoken import looks_like_jwt
from bzz.auth.openid import OpenIDProvider, user_of

__all__ = ["GoogleProvider"]


class GoogleProvider(OpenIDProvider):
    """Accepts Google's ID tokens, verified against Google's keys, and access tokens whose audience is ``client_id``.

    :param client_id: the OAuth client id of the application, ``...apps.googleusercontent.com``.
    :param claims: further claims, ``("picture", "hd")``, as of :class:`bzz.auth.OpenIDProvider`.
    """

    issuer = "https://accounts.google.com"
    token_info = "https://oauth2.googleapis.com/tokeninfo"
    user_info = "https://openidconnect.googleapis.com/v1/userinfo"

    def __init__(self, client_id: str, claims: Sequence[str] = ()) -> None:
        super().__init__(self.issuer, client_id, "google", claims)
        self.issuers.append("accounts.google.com")  # an older form that some tokens still have

    async def authenticate(
        self,
        access_token: str,
        proxy_info: Mapping[str, Any] | None = None,
        post_data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Return the Google user of an ID token or an access token.

        :raises bzz.errors.BadGateway: if Google's answers cannot be used.
        :raises bzz.errors.Unavailable: if Google cannot be reached.
        """
        if looks_like_jwt(access_token):
            return await super().authenticate(access_token, proxy_info, post_data)
        about = await fetch_json(
            f"{self.token_info}?{urlencode({'access_token': access_token})}", proxy_info, (400, 401)
        )
        if about is None or about.get("aud") != self.client_id:
            return None
        headers = {"Authorization": f"Bearer {access_token}"}
        claims = await fetch_json(self.user_info, proxy_info, (401, 403), headers=headers)
        if not claims or not claims.get("sub") or claims["sub"] != about.get("sub"):
            return None
        return user_of(claims, self.claims)
