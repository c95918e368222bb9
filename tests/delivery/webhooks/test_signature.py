"""Signatures, judged by the package of those who wrote the standard."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from bzz.delivery.webhooks.signature import Secret, Signer, message_id
from bzz.errors import ConfigurationError

KEYS = st.binary(min_size=24, max_size=64)
BODIES = st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)


def whsec(key: bytes) -> str:
    return f"whsec_{base64.b64encode(key).decode()}"


@given(KEYS, st.text(min_size=1), BODIES)
def test_a_receiver_verifies_any_body_under_any_id(key: bytes, id: str, body: bytes) -> None:
    headers = Signer(whsec(key)).headers(message_id(id), int(time.time()), body)
    Webhook(whsec(key)).verify(body, headers, json_parse=False)


@given(st.lists(KEYS, min_size=1, max_size=4, unique=True), BODIES)
def test_during_a_rotation_a_receiver_with_any_of_the_secrets_verifies(keys: list[bytes], body: bytes) -> None:
    headers = Signer([whsec(key) for key in keys]).headers("id", int(time.time()), body)
    assert headers["webhook-signature"].count("v1,") == len(keys)
    for key in keys:
        Webhook(whsec(key)).verify(body, headers, json_parse=False)


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({"webhook-id": "other"}, b"{}"),
        ({"webhook-timestamp": str(int(time.time()) + 1)}, b"{}"),
        ({}, b"{ }"),
    ],
)
def test_a_receiver_refuses_what_was_changed_on_the_way(changed: dict[str, str], body: bytes) -> None:
    headers = Signer(b"k" * 24).headers("id", int(time.time()), b"{}") | changed
    with pytest.raises(WebhookVerificationError):
        Webhook(b"k" * 24).verify(body, headers)


def test_a_receiver_with_another_secret_refuses() -> None:
    headers = Signer([b"k" * 24, b"l" * 24]).headers("id", int(time.time()), b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(b"m" * 24).verify(b"{}", headers)


def test_the_bytes_of_a_secret_and_its_text_are_the_same_secret() -> None:
    key = bytes(range(32))
    signed = [Signer(each).headers("id", 1, b"x") for each in (key, whsec(key), whsec(key).rstrip("="))]
    assert signed[0] == signed[1] == signed[2]


@given(st.text(), st.text())
def test_ids_are_unambiguous_in_what_is_signed(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_:~%-]*", message_id(one))  # no full stop, nothing that a header cannot hold
    assert (message_id(one) == message_id(other)) == (one == other)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (whsec(b"k" * 23), "it has 23 bytes; 24 to 64 are expected"),
        (whsec(b"k" * 65), "it has 65 bytes"),
        (b"k" * 23, "it has 23 bytes"),
        ("whsec_", "it has 0 bytes"),
        ("correct horse battery staple", "'whsec_' and base64, or bytes, are expected"),
        ("whsk_" + base64.b64encode(b"k" * 32).decode(), "'whsec_' and base64, or bytes, are expected"),
        ("whsec_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_", "is no base64"),
        ("whsec_ÄÄÄÄ", "is no base64"),
        ("whsec_" + "k" * 33, "is no base64"),
        ([], "one secret, or a list of them, is expected"),
        (None, "one secret, or a list of them, is expected"),
        ([None], "'whsec_' and base64, or bytes, are expected"),
        ([b"k" * 32, b"short"], "it has 5 bytes"),
    ],
)
def test_what_is_no_secret_is_a_mistake_that_does_not_show_it(secret: Any, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Signer(secret)
    assert why in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    if isinstance(secret, str) and len(secret) > 10:
        assert secret not in str(caught.value)
        assert secret.removeprefix("whsec_") not in str(caught.value)


def test_the_command_in_the_message_makes_a_secret() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Signer("")
    found = re.search(r'python -c "(.*)" makes one', str(caught.value))
    assert found is not None
    made: list[Secret] = []
    exec(found[1], {"print": made.append})
    assert Signer(made[0]).headers("id", 1, b"")


def test_a_signer_does_not_show_its_secrets() -> None:
    assert "kkkk" not in repr(Signer(b"k" * 24))
