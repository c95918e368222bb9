"""The demo signs people in at the OpenID Connect server that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.auth.conftest import OpenIDServer
from tests.docs.demo import Demo

pytestmark = pytest.mark.slow  # the demo is started

REVIEW = {"airport": "SBRF", "text": "quiet"}


@pytest.fixture
def client(tmp_path: Path, openid: OpenIDServer) -> Iterator[httpx.Client]:
    server = ("--issuer", openid.issuer, "--client-id", "bzz-app")
    demo = Demo(tmp_path / "data", "--port", "0", "--rows", "30", *server)
    with httpx.Client(base_url=demo.wait_until_ready(), trust_env=False) as client:
        yield client
    demo.stop()


def test_who_signed_in_there_writes_and_who_signed_out_does_not(client: httpx.Client, openid: OpenIDServer) -> None:
    assert client.post("/review/", json=REVIEW).status_code == 401
    token = openid.id_token("ada", name="Ada Lovelace")
    assert client.post("/auth/signin/", json={"access_token": token, "provider": "openid"}).status_code == 200
    written = client.post("/review/", json=REVIEW)
    assert (written.status_code, written.json()["by"]) == (201, "Ada Lovelace")
    session = client.cookies["AUTH_TOKEN"]
    client.post("/auth/signout/")
    copied = {"Authorization": f"Bearer {session}"}
    assert client.post("/review/", json=REVIEW, headers=copied).status_code == 401
    assert len(client.get("/review/").json()) == 1
