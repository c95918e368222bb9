"""Sign-in by OpenID Connect or a password: everybody reads, who is signed in writes reviews."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from models import Review
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

import bzz
from bzz import codec, signals
from bzz.auth import MongoPasswords, MongoRevocation, OpenIDProvider, PasswordProvider
from bzz.errors import BadRequest, Unauthorized
from bzz.problem import ProblemHandler
from bzz.routing import RouteList

__all__ = ["ExchangeHandler", "Server", "configure", "development_server", "discover", "routes", "signed_in"]


@dataclass(frozen=True)
class Server:
    """An OpenID Connect server, by which people sign in.

    :param client_id: the id that the demo has there.
    :param authorize: where it asks people who they are.
    :param token: where it gives ID tokens.
    """

    issuer: str
    client_id: str
    authorize: str
    token: str


@contextlib.contextmanager
def development_server() -> Iterator[str]:
    """Run an OpenID Connect server that believes whatever name it is told; its issuer."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs each request
    with warnings.catch_warnings(record=True):  # what it builds on tells it of deprecations, here and later
        import oidc_provider_mock
    warnings.filterwarnings("ignore", module="authlib")
    ada = oidc_provider_mock.User(sub="ada", claims={"name": "Ada Lovelace"})
    with oidc_provider_mock.run_server_in_thread(user_claims=[ada]) as server:
        yield f"http://127.0.0.1:{server.server_port}"


async def discover(issuer: str, client_id: str) -> Server:
    """Find out where the server has what (https://openid.net/specs/openid-connect-discovery-1_0.html).

    :raises RuntimeError: where it does not say.
    """
    try:
        answer = await AsyncHTTPClient().fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        found = codec.loads(answer.body)
        return Server(issuer, client_id, found["authorization_endpoint"], found["token_endpoint"])
    except Exception as error:  # sockets, names, TLS, statuses, JSON: each raises its own
        raise RuntimeError(f"No OpenID Connect server can be discovered at {issuer}: {error!r}") from None


def routes(server: Server, database: Any) -> RouteList:
    """The routes that signing in takes: at the server, or by a password, whose accounts ``database`` keeps."""
    passwords = PasswordProvider(MongoPasswords(database["accounts"]))
    return bzz.flatten(
        [
            bzz.AuthHive.routes_for([OpenIDProvider(server.issuer, server.client_id), passwords]),
            ("/exchange", ExchangeHandler, {"server": server}),
        ]
    )


def configure(app: Application, secret: str, database: Any) -> None:
    """Keep sessions in ``app``, signed with ``secret``; for all processes, ``database`` holds which were signed out.

    Everything stays open, to curl as well, but for what :func:`signed_in` guards.
    """
    bzz.AuthHive.configure(
        app,
        secret,
        authenticated_get=False,
        authenticated_create=False,
        authenticated_update=False,
        authenticated_delete=False,
        development=True,
        revocation=MongoRevocation(database["signed_out"]),
    )


def signed_in(method: str, model: type, instance_id: str | None, user: dict[str, Any] | None) -> bool:
    """Whether this request may go on: everybody reads, to write takes a session.

    :raises bzz.errors.Unauthorized: nobody is signed in, and this is no reading.
    """
    if user is None and method not in ("GET", "HEAD"):
        raise Unauthorized("Sign in first.", headers={"WWW-Authenticate": "Bearer"})
    return True


@signals.pre_create_instance.connect_via(Review)
def sign(sender: type, handler: RequestHandler) -> None:
    """Put the name of who is signed in under a review; a client cannot write it (``read_only``)."""
    user = handler.current_user
    handler.data["by"] = user.get("name") or user.get("email") or user["id"]


class ExchangeHandler(ProblemHandler):
    """Turns the code that the browser came back with into an ID token (RFC 6749, section 4.1.3, and RFC 7636)."""

    def initialize(self, server: Server) -> None:
        """Called by Tornado for each request."""
        self.server = server

    async def post(self) -> None:
        """Answer the ID token for the code in the body; the client's secret stays here."""
        form = urlencode({**self._sent(), "grant_type": "authorization_code", "client_id": self.server.client_id,
                          "client_secret": os.environ.get("CLIENT_SECRET", "any")})  # fmt: skip
        answer = await AsyncHTTPClient().fetch(self.server.token, method="POST", body=form, raise_error=False)
        if answer.code != 200:
            raise BadRequest("The OpenID Connect server does not accept this code; sign in again.")
        self.write({"id_token": codec.loads(answer.body)["id_token"]})

    def _sent(self) -> dict[str, str]:
        sent = codec.loads(self.request.body)
        if not isinstance(sent, dict):
            raise BadRequest("The body is a JSON object.")
        return {name: str(sent.get(name, "")) for name in ("code", "code_verifier", "redirect_uri")}
