"""Session tokens: signed, expiring JSON Web Tokens (RFC 7519) by PyJWT.

A token holds ``exp iat sub iss jti``, the time of the sign-in (``auth_time``), the provider's name and the few data of
the user that the provider chose. It is signed and not encrypted: its holder can read it. The provider's own token
is never in it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bzz.codec import dumps, loads
from bzz.errors import ConfigurationError, Unauthorized
from bzz.extras import needs

with needs("auth"):
    import jwt

__all__ = ["ALGORITHM", "ISSUER", "KEY_BYTES", "Session", "SessionTokens"]

ALGORITHM = "HS256"
ISSUER = "bzz"
KEY_BYTES = 32
"""The least length of a key for HS256 (RFC 7518, section 3.2)."""
LEEWAY_SECONDS = 60
"""How far the clocks of an application's servers may differ. It does not prolong a session."""

_REQUIRED = ["exp", "iat", "sub", "iss", "jti", "auth_time", "provider"]


@dataclass(frozen=True)
class Session:
    """A session, as its token describes it.

    :param id: the token's ``jti``. It stays the same when the token is renewed, so revoking it ends every copy.
    :param user: ``id``, ``provider``, and the provider's ``kept`` data (usually ``name`` and ``email``).
    :param started: when the user signed in, in seconds since the epoch.
    :param expires: when this token ends, in seconds since the epoch.
    """

    id: str
    user: dict[str, Any]
    started: float
    expires: int


@dataclass(frozen=True)
class SessionTokens:
    """Makes and reads session tokens.

    :param keys: the first one signs, all are accepted.
    :param expiration: seconds until a token expires that is not renewed.
    :param lifetime: seconds after the sign-in until a session cannot be renewed any more.
    :param clock: returns the current time, in seconds since the epoch.
    :param audience: the audience of tokens (``aud``); those for another one, or for none, are refused.
    :raises bzz.errors.ConfigurationError: if there is no key, a key is too short, a time is not positive, or the
        audience is empty.
    """

    keys: Sequence[bytes] = field(repr=False)
    expiration: int
    lifetime: int
    clock: Callable[[], float] = time.time
    audience: str | None = None

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigurationError("secret_key is empty: give a key, or a list that starts with the one that signs")
        for position, key in enumerate(self.keys):
            if len(key) < KEY_BYTES:
                raise ConfigurationError(
                    f"secret_key[{position}] has {len(key)} bytes; {ALGORITHM} needs {KEY_BYTES} or more "
                    f"(python -c 'import secrets; print(secrets.token_urlsafe({KEY_BYTES}))' makes one)"
                )
        if self.expiration < 1 or self.lifetime < self.expiration:
            raise ConfigurationError("expiration is at least 1 second, and lifetime is no less than expiration")
        if self.audience == "":
            raise ConfigurationError("audience is empty")

    def start(self, user: Mapping[str, Any]) -> Session:
        """Return a new session of ``user`` (with ``id`` and ``provider``), from now on.

        Its data are in the form in which the token holds them: a datetime is a string.

        :raises TypeError: if a value has no JSON form.
        """
        now = round(self.clock(), 6)
        return Session(uuid.uuid4().hex, loads(dumps(user)), now, int(now) + self.expiration)

    def renew(self, session: Session) -> Session:
        """Return the same session, prolonged by ``expiration`` seconds, at most until the end of its lifetime."""
        expires = min(int(self.clock()) + self.expiration, int(session.started) + self.lifetime)
        return Session(session.id, session.user, session.started, expires)

    def seconds_left(self, session: Session) -> int:
        """Return the seconds until ``session`` expires."""
        return max(0, session.expires - int(self.clock()))

    def write(self, session: Session) -> str:
        """Return ``session`` as a token."""
        data = {name: value for name, value in session.user.items() if name not in ("id", "provider")}
        claims = {
            "exp": session.expires,
            "iat": int(self.clock()),
            "sub": str(session.user["id"]),
            "iss": ISSUER,
            "jti": session.id,
            "auth_time": session.started,
            "provider": session.user["provider"],
            "data": data,
            **({} if self.audience is None else {"aud": self.audience}),
        }
        return jwt.encode(claims, self.keys[0], algorithm=ALGORITHM)

    def read(self, token: str) -> Session:
        """Return the session of ``token``.

        :raises bzz.errors.Unauthorized: if no key has signed the token, it has expired, or it is otherwise invalid.
        """
        for key in self.keys:
            try:
                return self._session(_decode(token, key, self.audience))
            except Exception:  # PyJWT raises other errors than its own too, such as a TypeError for a list as iss
                continue
        raise Unauthorized("The token is not valid or has expired; sign in again.")

    def sign(self, purpose: str, claims: Mapping[str, Any], seconds: int) -> str:
        """Return a token for another ``purpose`` than a session, valid for ``seconds``. It is no session."""
        now = int(self.clock())
        payload = {**claims, "exp": now + seconds, "iat": now, "iss": ISSUER, "aud": self._purpose(purpose)}
        return jwt.encode(payload, self.keys[0], algorithm=ALGORITHM)

    def signed(self, purpose: str, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that :meth:`sign` made for ``purpose``, or None if it is invalid."""
        for key in self.keys:
            try:
                return _decode(token, key, self._purpose(purpose), ["exp", "iat", "iss", "aud", "sub"])
            except Exception:  # as in :meth:`read`
                continue
        return None

    def _purpose(self, purpose: str) -> str:
        return f"bzz {purpose} {self.audience or ''}"

    def _session(self, claims: Mapping[str, Any]) -> Session:
        started, expires = float(claims["auth_time"]), int(claims["exp"])
        if self.clock() >= min(expires, started + self.lifetime):
            raise Unauthorized("The session has ended; sign in again.")
        user = {**dict(claims.get("data") or {}), "id": claims["sub"], "provider": claims["provider"]}
        return Session(claims["jti"], user, started, expires)


def _decode(token: str, key: bytes, audience: str | None, required: list[str] = _REQUIRED) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=ISSUER,
        audience=audience,
        leeway=LEEWAY_SECONDS,
        options={"require": required},
    )
