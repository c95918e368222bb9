"""Sessions in requests and answers: in a cookie, or in ``Authorization: Bearer`` (RFC 6750), never in a URL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from tornado.web import RequestHandler

from bzz.auth.caching import depends_on_session, forget_renewal, renew_on_success
from bzz.auth.cookie import COOKIE_BYTES, SessionCookie
from bzz.auth.http import unavailable_on_error
from bzz.auth.revocation import RevocationStore, user_key
from bzz.auth.token import Session, SessionTokens
from bzz.calling import call
from bzz.errors import BadRequest, ConfigurationError, Unauthorized

__all__ = ["LoadUser", "Sessions", "bearer_of"]

LoadUser = Callable[[dict[str, Any]], Any]
"""Returns the ``handler.current_user`` for a session's user, or None if there is no such user any more."""

IN_FLIGHT_SECONDS = 3600.0
"""How long this process knows what it has ended, for requests that are still under way."""


@dataclass(frozen=True)
class Sessions:
    """The sessions of one application.

    :param revocation: the store of ended sessions, which all processes share.
    :param load_user: called for the user of each request.
    """

    tokens: SessionTokens
    cookie: SessionCookie
    revocation: RevocationStore | None = None
    load_user: LoadUser | None = None
    _ended: dict[str, float] = field(default_factory=dict)
    _listeners: dict[Callable[[str], None], None] = field(default_factory=dict)

    async def find(self, handler: RequestHandler) -> Session:
        """Return the session of a request, whose user becomes ``handler.current_user``.

        If there is a bearer token, cookies are ignored. Of several cookies with one name, the first valid one is used.

        :raises bzz.errors.Unauthorized: if there is none, or none is valid.
        :raises bzz.errors.Unavailable: if the revocation store cannot be asked.
        """
        depends_on_session(handler.request)
        refusal = _unauthorized("Sign in first.", invalid=False)
        for token in self._tokens_of(handler):
            try:
                session = self.tokens.read(token)
                await self._check(session)
                handler.current_user = await self._user_of(session)
            except Unauthorized as error:
                refusal = _unauthorized(error.detail, invalid=True)
            else:
                return session
        raise refusal

    def set_cookie(self, handler: RequestHandler, session: Session) -> None:
        """Set the cookie to ``session``.

        :raises bzz.errors.BadRequest: if the user's data do not fit a cookie.
        """
        cookie = self._cookie_of(session)
        if len(cookie) > COOKIE_BYTES:
            raise BadRequest(f"The data of this user do not fit a cookie of {COOKIE_BYTES} bytes.")
        self._answer_with(handler, cookie)

    def token(self, session: Session) -> dict[str, Any]:
        """Return ``session`` for a client with bearer tokens: ``token``, and ``expires_in`` in seconds."""
        return {"token": self.tokens.write(session), "expires_in": self.tokens.seconds_left(session)}

    def renew(self, handler: RequestHandler, session: Session) -> None:
        """Renew the cookie if this request succeeds, came with the cookie, and its session has not ended by then."""
        if bearer_of(handler) is None:
            cookie = self._cookie_of(self.tokens.renew(session))
            renew_on_success(handler.request, lambda: None if session.id in self._ended else cookie)

    async def end(self, handler: RequestHandler) -> None:
        """Remove the cookie and, where revocation is configured, end every copy of the token.

        :raises bzz.errors.Unavailable: if the revocation store cannot be asked; the cookie stays then.
        """
        for session in self._sessions_in(self._tokens_of(handler)):
            await self._end(session)
        forget_renewal(handler.request)
        self._answer_with(handler, self.cookie.header("", 0))

    async def end_previous(self, handler: RequestHandler) -> None:
        """End the sessions whose cookies the request carries, since another one begins with it.

        :raises bzz.errors.Unavailable: if the revocation store cannot be asked.
        """
        for session in self._sessions_in(self.cookie.values(handler.request)):
            await self._end(session)

    async def end_all(self, provider: str, user_id: str) -> None:
        """End every session that a user has begun until now.

        :raises bzz.errors.ConfigurationError: if there is no revocation store.
        :raises bzz.errors.Unavailable: if it cannot be asked.
        """
        if self.revocation is None:
            raise ConfigurationError("to end all sessions of a user, AuthHive.configure needs revocation=")
        now, user = self.tokens.clock(), user_key(provider, user_id)
        with unavailable_on_error("revocation"):
            await self.revocation.revoke_user(user, now, int(now) + self.tokens.lifetime + 1)
        self._note_ended(user)

    def has_ended_here(self, session: Session) -> bool:
        """Return whether this process has ended a session, whatever copies of its token there still are."""
        return session.id in self._ended

    def when_ended(self, listener: Callable[[str], None]) -> None:
        """Have ``listener`` called when this process has ended sessions; once, however often it is given.

        It is given one of the :meth:`names_of` each request that had one of them.
        """
        self._listeners[listener] = None

    def names_of(self, handler: RequestHandler) -> frozenset[str]:
        """Return what :meth:`when_ended` calls the sessions of a request: their ids, and the keys of their users."""
        sessions = self._sessions_in(self._tokens_of(handler))
        users = (user_key(each.user["provider"], each.user["id"]) for each in sessions)
        return frozenset([*(each.id for each in sessions), *users])

    def have_ended_lately(self, names: Collection[str]) -> bool:
        """Return whether this process has ended any of these lately, see :meth:`names_of`."""
        return any(name in self._ended for name in names)

    def _note_ended(self, name: str) -> None:
        """Remember what has ended for requests that are under way, and tell the listeners."""
        now = time.monotonic()
        while self._ended and next(iter(self._ended.values())) < now:
            del self._ended[next(iter(self._ended))]
        self._ended[name] = now + IN_FLIGHT_SECONDS
        for listener in self._listeners:
            listener(name)

    async def _check(self, session: Session) -> None:
        if self.revocation is None:
            return
        user = user_key(session.user["provider"], session.user["id"])
        with unavailable_on_error("revocation"):
            ended = await self.revocation.has_ended(session.id, user, session.started)
        if ended:
            raise Unauthorized("This session was signed out; sign in again.")

    async def _user_of(self, session: Session) -> Any:
        if self.load_user is None:
            return session.user
        user = await call(self.load_user, dict(session.user))
        if user is None:
            raise Unauthorized("There is no such user any more.")
        return user

    async def _end(self, session: Session) -> None:
        """End ``session`` for the requests under way in this process and, with a revocation store, everywhere."""
        if self.revocation is not None:
            with unavailable_on_error("revocation"):
                await self.revocation.revoke(session.id, int(session.started) + self.tokens.lifetime + 1)
        self._note_ended(session.id)

    def _tokens_of(self, handler: RequestHandler) -> list[str]:
        bearer = bearer_of(handler)
        return self.cookie.values(handler.request) if bearer is None else [bearer]

    def _sessions_in(self, tokens: list[str]) -> list[Session]:
        """Return the sessions of the valid ones among ``tokens``."""
        sessions = []
        for token in tokens:
            try:
                sessions.append(self.tokens.read(token))
            except Unauthorized:
                continue
        return sessions

    def _cookie_of(self, session: Session) -> str:
        return self.cookie.header(self.tokens.write(session), self.tokens.seconds_left(session))

    @staticmethod
    def _answer_with(handler: RequestHandler, cookie: str) -> None:
        handler.add_header("Set-Cookie", cookie)
        handler.set_header("Cache-Control", "no-store")


def bearer_of(handler: RequestHandler) -> str | None:
    """Return the token of ``Authorization: Bearer <token>``, or None if the request has another scheme or none."""
    scheme, _, token = handler.request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _unauthorized(detail: str, *, invalid: bool) -> Unauthorized:
    challenge = 'Bearer error="invalid_token"' if invalid else "Bearer"
    return Unauthorized(detail, headers={"WWW-Authenticate": challenge})
