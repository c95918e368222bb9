"""Every error that bzz raises, as one tree; each request error knows its HTTP status.

::

    BzzError
    ├── ConfigurationError          a mistake in the application's own code, found when routes are made
    │   └── MissingExtra            a package that only some applications need is not installed
    ├── EventCycle                  listeners that cause one another without end; the message shows the chain
    ├── Refuse                      what the answer to a relay's question says, where it is no
    └── RequestError                what a client is told: status, title, detail, errors, headers
        ├── BadRequest          400 malformed: a body, a parameter, a limit
        │   └── Invalid         400 well formed, refused by the model; ``errors`` names each field
        ├── Unauthorized        401
        ├── Forbidden           403
        ├── NotFound            404
        ├── MethodNotAllowed    405 with ``Allow``
        ├── NotAcceptable       406 ``Accept`` names nothing that there is
        ├── RequestTimeout      408 a body did not come in time
        ├── Conflict            409 a unique value that is taken, something already there
        ├── LengthRequired      411
        ├── PreconditionFailed  412 ``If-Match`` or ``If-None-Match``
        ├── PayloadTooLarge     413
        ├── UnsupportedMediaType 415
        ├── UnprocessableContent 422 an ``Idempotency-Key`` that belongs to another request
        ├── PreconditionRequired 428 ``If-Match`` is missing, and required
        ├── TooManyRequests     429 with ``Retry-After``
        ├── BadGateway          502 a server that bzz asked gave no usable answer
        ├── Unavailable         503 with ``Retry-After``: nothing was done
        └── OutcomeUnknown      503: a write was sent and may or may not have happened
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

__all__ = [
    "BadGateway",
    "BadRequest",
    "BzzError",
    "ConfigurationError",
    "Conflict",
    "EventCycle",
    "Forbidden",
    "Invalid",
    "LengthRequired",
    "MethodNotAllowed",
    "MissingExtra",
    "NotAcceptable",
    "NotFound",
    "OutcomeUnknown",
    "PayloadTooLarge",
    "PreconditionFailed",
    "PreconditionRequired",
    "Refuse",
    "RequestError",
    "RequestTimeout",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnprocessableContent",
    "UnsupportedMediaType",
]

RETRY_SECONDS = 1

AWAY = "The database is away; nothing was done."
TOO_SLOW = "The database is too slow; nothing was done."
"""What :class:`Unavailable` says by itself, and where time ran out before anything was sent."""


class BzzError(Exception):
    """The root of the tree: ``except bzz.errors.BzzError`` catches whatever bzz raises."""


class ConfigurationError(BzzError):
    """The application's own code asks for something that cannot be: raised when routes are made."""


class MissingExtra(ConfigurationError, ModuleNotFoundError):
    """A package is missing that an extra of bzz brings.

    :param package: its name, as it is imported.
    :param extra: what ``pip install 'bzz[...]'`` takes.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"the package {package!r} is missing: pip install 'bzz[{extra}]'")


class EventCycle(BzzError):
    """An event was sent by a listener of an event that was sent by a listener, and so on, too deep.

    :param chain: the names of the events, the first cause first.
    """

    def __init__(self, chain: Sequence[str]) -> None:
        self.chain = tuple(chain)
        super().__init__(f"Listeners cause one another without end: {' -> '.join(self.chain)}. Break the circle.")


class Refuse(BzzError):
    """Raised by a function that answers questions (``@relay.answers``): the answer is no, and there is nothing to mend.

    :param reason: what whoever asked is told.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RequestError(BzzError):
    """An answer to a client that is no success, shown as an RFC 9457 problem.

    :param detail: a sentence for the person who reads the answer: what was wrong, and what to do.
    :param errors: for validation, the messages of each field by its dotted name.
    :param headers: headers that the answer must carry.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def problem(self) -> dict[str, Any]:
        """The members of the ``application/problem+json`` body (RFC 9457, section 3.1).

        >>> NotFound("There is no such user.").problem()["status"]
        404
        """
        body: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = self.errors
        return body


class BadRequest(RequestError):
    """The request is malformed, or breaks a limit."""

    status = 400
    title = "Bad Request"


class Invalid(BadRequest):
    """The request is well formed and the model refuses it: ``errors`` says which fields, and why."""

    title = "Validation Failed"

    def __init__(self, errors: Mapping[str, Sequence[str]], detail: str = "The model refuses these fields.") -> None:
        super().__init__(detail, errors=errors)


class Unauthorized(RequestError):
    """Nobody is signed in and the resource asks for it."""

    status = 401
    title = "Unauthorized"


class Forbidden(RequestError):
    """Somebody is known, and may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(RequestError):
    """Nothing is there, or nothing that this client may see."""

    status = 404
    title = "Not Found"


class MethodNotAllowed(RequestError):
    """The resource exists and does not take this method; ``Allow`` lists those that it takes."""

    status = 405
    title = "Method Not Allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        allow = ", ".join(allowed)
        super().__init__(f"This resource takes {allow}.", headers={"Allow": allow})


class NotAcceptable(RequestError):
    """The resource is not shown as any of the media types that the client accepts (RFC 9110, section 12.5.1)."""

    status = 406
    title = "Not Acceptable"


class RequestTimeout(RequestError):
    """The body did not come in time."""

    status = 408
    title = "Request Timeout"


class Conflict(RequestError):
    """The write collides with what is stored: a unique value, an existing id, an occupied place."""

    status = 409
    title = "Conflict"


class LengthRequired(RequestError):
    """A body must say its length."""

    status = 411
    title = "Length Required"


class PreconditionFailed(RequestError):
    """``If-Match`` or ``If-None-Match`` does not hold (RFC 9110, section 13.1)."""

    status = 412
    title = "Precondition Failed"


class PayloadTooLarge(RequestError):
    """The body is longer than the limit."""

    status = 413
    title = "Content Too Large"


class UnsupportedMediaType(RequestError):
    """The body is of a type that this resource does not read."""

    status = 415
    title = "Unsupported Media Type"


class UnprocessableContent(RequestError):
    """The request is well formed, and contradicts an earlier one with the same ``Idempotency-Key``."""

    status = 422
    title = "Unprocessable Content"


class PreconditionRequired(RequestError):
    """The request must say by ``If-Match`` which state of the resource it changes (RFC 6585, section 3)."""

    status = 428
    title = "Precondition Required"


class TooManyRequests(RequestError):
    """The client asks too often; ``Retry-After`` says when to come back."""

    status = 429
    title = "Too Many Requests"

    def __init__(self, detail: str = "", retry_after: int = RETRY_SECONDS) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class BadGateway(RequestError):
    """Another server that had to be asked (an authentication provider) failed, or gave an answer of no use."""

    status = 502
    title = "Bad Gateway"


class Unavailable(RequestError):
    """The database cannot be reached or is too slow. Nothing was written; trying again is safe."""

    status = 503
    title = "Service Unavailable"

    def __init__(self, detail: str = AWAY, retry_after: int = RETRY_SECONDS) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class OutcomeUnknown(RequestError):
    """A write was sent and its acknowledgement never came: read before you try again.

    It has no ``Retry-After``, and is no :class:`Unavailable`: who obeys either would write twice.
    """

    status = 503
    title = "Service Unavailable"

    def __init__(
        self, detail: str = "The outcome of this write is unknown; read the resource before trying again."
    ) -> None:
        super().__init__(detail)
