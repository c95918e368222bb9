"""Where a session is in a request and in an answer: a cookie, or ``Authorization: Bearer`` (RFC 6750). Never a URL."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from weakref import WeakKeyDictionary

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

from bzz.auth import outage
from bzz.auth.revocation import RevocationStore
from bzz.auth.token import Session, SessionTokens
from bzz.errors import BadRequest, Unauthorized

__all__ = ["COOKIE_BYTES", "Renewal", "Sessions", "bearer_of"]

COOKIE_BYTES = 4096
"""The longest cookie, name and attributes included, that every browser keeps (RFC 6265, section 6.1)."""

_renewals: WeakKeyDictionary[HTTPServerRequest, str] = WeakKeyDictionary()


class Renewal(OutputTransform):
    """Adds the renewed cookie to an answer that is a success, whichever handler gave it, and however."""

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._request = request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        cookie = _renewals.pop(self._request, None)
        if cookie is not None and status_code < 400:
            headers.add("Set-Cookie", cookie)
        return status_code, headers, chunk


@dataclass(frozen=True)
class Sessions:
    """The sessions of one application.

    :param cookie_name: the cookie that holds the token.
    :param secure: whether browsers may send it over HTTPS only.
    """

    tokens: SessionTokens
    cookie_name: str
    secure: bool
    revocation: RevocationStore | None

    async def find(self, handler: RequestHandler) -> Session:
        """The session of a request. Where there is a bearer token, the cookie is not looked at.

        :raises bzz.errors.Unauthorized: there is none, or it is not valid.
        :raises bzz.errors.Unavailable: the revocation store cannot be asked.
        """
        session = self._read(handler)
        if self.revocation is not None:
            with outage.store("revocation"):
                revoked = await self.revocation.is_revoked(session.id)
            if revoked:
                raise _unauthorized("This session was signed out; sign in again.", invalid=True)
        return session

    def start(self, handler: RequestHandler, user: dict[str, Any]) -> None:
        """Begin a session of ``user`` and set its cookie.

        :raises bzz.errors.BadRequest: the user's data do not fit a cookie.
        """
        cookie = self._cookie_of(self.tokens.start(user))
        if len(cookie) > COOKIE_BYTES:
            raise BadRequest(f"The data of this user do not fit a cookie of {COOKIE_BYTES} bytes.")
        handler.add_header("Set-Cookie", cookie)

    def renew(self, handler: RequestHandler, session: Session) -> None:
        """Have the cookie renewed if this request succeeds and came with the cookie."""
        if bearer_of(handler) is None:
            _renewals[handler.request] = self._cookie_of(self.tokens.renew(session))

    async def end(self, handler: RequestHandler) -> None:
        """Remove the cookie and, where revocation is configured, end every copy of the token.

        :raises bzz.errors.Unavailable: the revocation store cannot be asked; the cookie stays then.
        """
        if self.revocation is not None:
            await self._revoke(handler, self.revocation)
        _renewals.pop(handler.request, None)
        handler.add_header("Set-Cookie", self._cookie("", 0))

    async def _revoke(self, handler: RequestHandler, revocation: RevocationStore) -> None:
        try:
            session = self._read(handler)
        except Unauthorized:
            return  # nothing to end
        with outage.store("revocation"):
            await revocation.revoke(session.id, session.started + self.tokens.lifetime)

    def _read(self, handler: RequestHandler) -> Session:
        bearer = bearer_of(handler)
        token = handler.get_cookie(self.cookie_name) if bearer is None else bearer
        if token is None:
            raise _unauthorized("Sign in first.", invalid=False)
        try:
            return self.tokens.read(token)
        except Unauthorized as error:
            raise _unauthorized(error.detail, invalid=True) from None

    def _cookie_of(self, session: Session) -> str:
        return self._cookie(self.tokens.write(session), self.tokens.left(session))

    def _cookie(self, value: str, max_age: int) -> str:
        jar = SimpleCookie({self.cookie_name: value})
        morsel = jar[self.cookie_name]
        morsel.update({"path": "/", "max-age": str(max_age), "samesite": "Lax"})
        morsel["httponly"] = True
        morsel["secure"] = self.secure
        return morsel.OutputString()


def bearer_of(handler: RequestHandler) -> str | None:
    """The token of ``Authorization: Bearer <token>``, or None where the request has another scheme or none."""
    scheme, _, token = handler.request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _unauthorized(detail: str, *, invalid: bool) -> Unauthorized:
    challenge = 'Bearer error="invalid_token"' if invalid else "Bearer"
    return Unauthorized(detail, headers={"WWW-Authenticate": challenge})
