"""The messages of state-signals (https://pypi.org/project/state-signals), as bytes.

There are two pub/sub channels, with one JSON object per message. A publisher sends signals. A responder that answers
``initialization`` is subscribed until ``shutdown``, and must answer each further signal with a ``ras``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from bzz.relay.envelope import MAX_BYTES

__all__ = [
    "INITIALIZATION",
    "NO_TAG",
    "RESPONSES",
    "SHUTDOWN",
    "SIGNALS",
    "Response",
    "Signal",
    "name_of",
    "read_response",
    "read_signal",
    "write_response",
    "write_signal",
]

SIGNALS = "event-signal-pubsub"
RESPONSES = "event-signal-response"
INITIALIZATION = "initialization"
SHUTDOWN = "shutdown"
NO_TAG = "No tag specified"

_RESPONDER = re.compile(r"(?P<name>.*)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-resp", re.DOTALL)
_TEXTS = ("publisher_id", "process_name", "event", "runner_host", "tag")
_KEYS = frozenset({*_TEXTS, "sample_no", "metadata"})

NO_RAS: Final = object()


@dataclass(frozen=True)
class Signal:
    """A signal of a publisher about its process.

    :param publisher_id: ``<process name>-<uuid4>``.
    :param process_name: the name of the process.
    :param event: what happens to it.
    :param runner_host: its host.
    :param sample_no: the number of the sample, or -1.
    :param tag: any text.
    :param metadata: further data.
    """

    publisher_id: str
    process_name: str
    event: str
    runner_host: str
    sample_no: int = -1
    tag: str = NO_TAG
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """The response of a responder to a signal.

    :param responder_id: ``<name>-<uuid4>-resp``.
    :param publisher_id: the publisher of the signal.
    :param event: the event of the signal.
    :param ras: 1 for success, anything else for failure; :data:`NO_RAS` if there is no result.
    :param message: more about it.
    """

    responder_id: str
    publisher_id: str
    event: str
    ras: Any = NO_RAS
    message: str | None = None

    @property
    def is_answer(self) -> bool:
        """Whether it has a result."""
        return self.ras is not NO_RAS

    @property
    def is_success(self) -> bool:
        """Whether its result is success."""
        return bool(self.ras == 1)


def write_signal(signal: Signal) -> bytes:
    """Return the bytes of a signal, with exactly the keys that state-signals accepts.

    :raises TypeError: for metadata that have no JSON form.
    """
    body = {name: getattr(signal, name) for name in (*_TEXTS, "sample_no")}
    return orjson.dumps({**body, "metadata": dict(signal.metadata)} if signal.metadata else body)


def read_signal(data: bytes) -> Signal:
    """Return the signal in ``data``.

    :raises ValueError: if it is malformed.
    """
    body = _object(data)
    if not _KEYS - {"metadata"} <= body.keys() <= _KEYS:
        raise ValueError("a signal has other keys")
    metadata = body.pop("metadata", None)
    if not all(isinstance(body[name], str) for name in _TEXTS) or not isinstance(metadata, (dict, type(None))):
        raise ValueError("a signal has values of other types")
    if type(body["sample_no"]) is not int:
        raise ValueError("the number of a sample is a whole number")
    return Signal(**body, metadata=metadata or {})


def write_response(response: Response) -> bytes:
    """Return the bytes of a response."""
    body = {name: getattr(response, name) for name in ("responder_id", "publisher_id", "event")}
    if response.is_answer:
        body["ras"] = response.ras
    if response.message is not None:
        body["message"] = response.message
    return orjson.dumps(body)


def read_response(data: bytes) -> Response:
    """Return the response in ``data``; unknown keys are ignored.

    :raises ValueError: if it is malformed.
    """
    body = _object(data)
    texts = [body.get(name) for name in ("responder_id", "publisher_id", "event")]
    message = body.get("message")
    if not all(isinstance(each, str) for each in texts) or not isinstance(message, (str, type(None))):
        raise ValueError("this is no response")
    responder, publisher, event = (str(each) for each in texts)
    return Response(responder, publisher, event, body.get("ras", NO_RAS), message)


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError(str(error)) from None
    if not isinstance(body, dict):
        raise ValueError("an object is expected")
    return body


def name_of(responder_id: str) -> str:
    """Return the plain name in a responder's id.

    >>> name_of("worker-1-8b0e9c4e-6a0f-4f55-9a3c-0d5cf4d3c0de-resp")
    'worker-1'
    """
    found = _RESPONDER.fullmatch(responder_id)
    return found["name"] if found else responder_id
