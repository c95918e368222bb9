"""Session tokens, without any I/O."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.auth.body import read_json
from bzz.auth.token import SessionTokens
from bzz.errors import BadRequest, ConfigurationError, Unauthorized

KEY = b"k" * 32
USER = {"id": "7", "provider": "google", "name": "Ada"}


def tokens(*keys: bytes, ago: float = 0, expiration: int = 60, lifetime: int = 600) -> SessionTokens:
    return SessionTokens(keys or (KEY,), expiration, lifetime, clock=lambda: time.time() - ago)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"exp": now + 60, "iat": now, "sub": "7", "iss": "bzz", "jti": "a", "auth_time": now, "provider": "google"}
    return {name: value for name, value in {**made, **changes}.items() if value is not ...}


def test_a_session_comes_back_from_its_token() -> None:
    session = tokens().start(USER)
    assert tokens().read(tokens().write(session)) == session


def test_a_token_has_the_registered_claims_and_a_text_as_subject() -> None:
    written = tokens().write(tokens().start({**USER, "id": 7}))
    found = jwt.decode(written, KEY, algorithms=["HS256"])
    assert {"exp", "iat", "sub", "iss", "jti"} <= set(found)
    assert found["sub"] == "7"


@pytest.mark.parametrize("name", ["exp", "iat", "sub", "iss", "jti", "auth_time", "provider"])
def test_a_token_without_a_required_claim_is_refused(name: str) -> None:
    with pytest.raises(Unauthorized):
        tokens().read(jwt.encode(claims(**{name: ...}), KEY))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"sub": 7},
        {"jti": 7},
        {"exp": "soon"},
        {"exp": int(time.time()) - 1},
        {"iat": int(time.time()) + 3600},
        {"auth_time": "yesterday"},
        {"auth_time": int(time.time()) - 600},
        {"data": 7},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        tokens().read(jwt.encode(claims(**changes), KEY))


def test_any_exception_of_the_library_is_a_refusal() -> None:
    body = claims(iss=["bzz"])
    token = jwt.api_jws.encode(jwt.utils.force_bytes(json.dumps(body)), KEY, algorithm="HS256")
    with pytest.raises(Unauthorized):
        tokens().read(token)


def test_the_algorithm_is_pinned() -> None:
    key = b"k" * 48
    for forged in (jwt.encode(claims(), "", algorithm="none"), jwt.encode(claims(), key, algorithm="HS384")):
        with pytest.raises(Unauthorized):
            tokens(key).read(forged)


@given(st.text() | st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]*", fullmatch=True))
def test_no_text_is_anything_but_refused(text: str) -> None:
    with pytest.raises(Unauthorized):
        tokens().read(text)


def test_the_first_key_signs_and_all_are_accepted() -> None:
    old, new = b"o" * 32, b"n" * 32
    from_before = tokens(old).write(tokens(old).start(USER))
    rotated = tokens(new, old)
    assert rotated.read(from_before).user == USER
    with pytest.raises(Unauthorized):
        tokens(old).read(rotated.write(rotated.start(USER)))


def test_a_token_of_a_server_whose_clock_is_less_than_a_minute_ahead_is_accepted() -> None:
    ahead = tokens(ago=-50)
    assert tokens().read(ahead.write(ahead.start(USER))).user == USER


def test_a_token_of_a_server_whose_clock_is_more_than_a_minute_ahead_is_refused() -> None:
    ahead = tokens(ago=-90)
    with pytest.raises(Unauthorized):
        tokens().read(ahead.write(ahead.start(USER)))


@pytest.mark.parametrize("keys", [(b"k" * 31,), (KEY, b"")])
def test_a_short_key_is_refused_with_the_length_that_it_needs(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ConfigurationError, match="HS256 needs 32 or more"):
        tokens(*keys)


def test_no_key_and_times_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="secret_key is empty"):
        SessionTokens((), 60, 600)
    for expiration, lifetime in [(0, 600), (60, 59)]:
        with pytest.raises(ConfigurationError, match="expiration is at least 1"):
            tokens(expiration=expiration, lifetime=lifetime)


def test_a_renewed_session_lasts_longer_and_keeps_its_id() -> None:
    session = tokens(ago=30).start(USER)
    renewed = tokens().renew(session)
    assert renewed.id == session.id
    assert 29 <= renewed.expires - session.expires <= 31


def test_no_renewal_goes_past_the_lifetime() -> None:
    session = tokens(ago=590).start(USER)
    assert tokens().renew(session).expires == int(session.started) + 600


def test_a_key_is_not_shown() -> None:
    assert "kkkk" not in repr(tokens())


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["access_token", "provider", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_a_sign_in_body_is_an_object_or_a_400(body: bytes) -> None:
    try:
        data = read_json(body)
    except BadRequest:
        return
    assert isinstance(data, dict)
