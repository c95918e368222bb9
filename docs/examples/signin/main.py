"""A guest book: everybody reads, who signed in by OpenID Connect writes.

::

    CLIENT_SECRET=... python docs/examples/signin/main.py --issuer https://login.example.org --client-id guest-book

To try it without a server of your own, ``pip install oidc-provider-mock`` and run ``python -m oidc_provider_mock``; its
issuer is ``http://127.0.0.1:9400``, and any client id, secret and user name will do.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

import bzz
from bzz import codec
from bzz.auth import MemoryRevocation, OpenIDProvider
from bzz.errors import BadRequest
from bzz.problem import ProblemHandler

HERE = Path(__file__).parent


class Page(RequestHandler):
    """The page, which also finds here what it needs to send people to the OpenID Connect server."""

    async def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        authorize = (await discover(self.settings["issuer"]))["authorization_endpoint"]
        self.render(str(HERE / "index.html"), client_id=self.settings["client_id"], authorize=authorize)


class Exchange(ProblemHandler):
    """Turns the code that the browser came back with into an ID token (RFC 6749, section 4.1.3, and RFC 7636)."""

    async def post(self) -> None:
        sent = codec.loads(self.request.body)
        if not isinstance(sent, dict):
            raise BadRequest("The body is a JSON object.")
        form = {name: str(sent.get(name, "")) for name in ("code", "code_verifier", "redirect_uri")}
        form |= {"grant_type": "authorization_code", "client_id": self.settings["client_id"]}
        form["client_secret"] = os.environ.get("CLIENT_SECRET", "any")
        endpoint = (await discover(self.settings["issuer"]))["token_endpoint"]
        answer = await AsyncHTTPClient().fetch(endpoint, method="POST", body=urlencode(form), raise_error=False)
        if answer.code != 200:
            raise BadRequest("The OpenID Connect server does not accept this code; sign in again.")
        self.write({"id_token": codec.loads(answer.body)["id_token"]})


class Notes(ProblemHandler):
    """The guest book, kept in memory."""

    def get(self) -> None:
        self.write({"notes": self.settings["notes"]})

    @bzz.authenticated
    async def post(self) -> None:
        sent = codec.loads(self.request.body)
        text = sent.get("text") if isinstance(sent, dict) else None
        if not isinstance(text, str) or not 0 < len(text) <= 200:
            raise BadRequest("The body needs text, of 200 characters at most.")
        note = {"text": text, "by": self.current_user.get("name", self.current_user["id"]), "at": now()}
        self.settings["notes"].append(note)
        self.set_status(201)
        self.write(note)


async def discover(issuer: str) -> dict[str, Any]:
    """Where the OpenID Connect server has what (https://openid.net/specs/openid-connect-discovery-1_0.html)."""
    answer = await AsyncHTTPClient().fetch(f"{issuer}/.well-known/openid-configuration")
    found: dict[str, Any] = codec.loads(answer.body)
    return found


def now() -> str:
    """This minute, for people to read."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def make_app(issuer: str, client_id: str) -> Application:
    """The application, with sign-in at ``issuer``."""
    notes: list[dict[str, Any]] = []
    routes = bzz.flatten(
        [
            bzz.AuthHive.routes_for([OpenIDProvider(issuer, client_id)]),
            ("/", Page),
            ("/exchange", Exchange),
            ("/notes/?", Notes),
        ]
    )
    app = Application(routes, issuer=issuer, client_id=client_id, notes=notes)
    bzz.AuthHive.configure(app, secrets.token_urlsafe(32), development=True, revocation=MemoryRevocation())
    return app


async def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A guest book.")
    parser.add_argument("--issuer", default="http://127.0.0.1:9400")
    parser.add_argument("--client-id", default="guest-book")
    parser.add_argument("--port", type=int, default=8890)
    options = parser.parse_args()
    sockets = bind_sockets(options.port, "127.0.0.1")
    HTTPServer(make_app(options.issuer, options.client_id)).add_sockets(sockets)
    print(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
