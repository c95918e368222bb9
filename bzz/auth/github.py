"""Sign-in with GitHub (https://docs.github.com/en/rest/apps/oauth-applications#check-a-token)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bzz.auth.base import AuthProvider
from bzz.auth.http import fetch_json
from bzz.codec import dumps

__all__ = ["GitHubProvider"]


class GitHubProvider(AuthProvider):
    """Accepts access tokens that GitHub issued for this OAuth application, which GitHub is asked to confirm.

    :param client_id: of the OAuth application.
    :param client_secret: of the OAuth application; without it, tokens of other applications would be accepted.
    :param api: GitHub's API, ``https://HOST/api/v3`` for GitHub Enterprise Server.
    """

    name = "github"
    kept = ("name", "email", "login")

    def __init__(self, client_id: str, client_secret: str, api: str = "https://api.github.com") -> None:
        self.client_id = client_id
        self._client_secret = client_secret
        self._api = api.rstrip("/")

    async def authenticate(
        self,
        access_token: str,
        proxy_info: Mapping[str, Any] | None = None,
        post_data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Return the GitHub user of an access token: ``id``, ``login`` and, if public, ``name`` and ``email``.

        :raises bzz.errors.BadGateway: if GitHub's answers cannot be used.
        :raises bzz.errors.Unavailable: if GitHub cannot be reached.
        """
        if not await self._is_ours(access_token, proxy_info):
            return None
        headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {access_token}"}
        user = await fetch_json(f"{self._api}/user", proxy_info, (401, 403), headers=headers)
        if user is None or not user.get("id"):
            return None
        names = ("name", "email", "login")
        return {"id": str(user["id"]), **{name: user[name] for name in names if user.get(name)}}

    async def _is_ours(self, access_token: str, proxy_info: Mapping[str, Any] | None) -> bool:
        url = f"{self._api}/applications/{quote(self.client_id, safe='')}/token"
        answer = await fetch_json(
            url,
            proxy_info,
            (404, 422),
            method="POST",
            body=dumps({"access_token": access_token}),
            headers={"Accept": "application/vnd.github+json", "Content-Type": "application/json"},
            auth_username=self.client_id,
            auth_password=self._client_secret,
        )
        return answer is not None
