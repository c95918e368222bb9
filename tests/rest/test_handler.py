"""`handler=`: an application's own subclass of the handler."""

from __future__ import annotations

import mongoengine as me

import bzz
from tests.conftest import Driver, Serve


class Lighthouse(me.Document):
    name = me.StringField(required=True)


class Signed(bzz.ModelHandler):
    """Signs its answers, and refuses DELETE in words of its own."""

    max_body_bytes = 100

    def set_default_headers(self) -> None:
        self.set_header("X-Signed-By", "keeper")

    async def delete(self) -> None:
        raise bzz.errors.Forbidden("A lighthouse stays.")


async def test_a_subclass_of_the_handler_answers_in_its_place(serve: Serve, driver: Driver) -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", Lighthouse, database=driver(), handler=Signed)
    client = serve(routes)
    created = await client.post("/lighthouse/", json={"name": "Pharos"})
    assert (created.status_code, created.headers["X-Signed-By"]) == (201, "keeper")
    refused = await client.delete(created.headers["Location"])
    assert (refused.status_code, refused.json()["detail"]) == (403, "A lighthouse stays.")
    assert (await client.post("/lighthouse/", json={"name": "x" * 200})).status_code == 413
