"""What feeds keep of changes is given back."""

from __future__ import annotations

import gc
import weakref

import mongoengine as me

from bzz.live.hub import hubs
from tests.live.conftest import Api
from tests.live.reading import following


class Palimpsest(me.Document):
    text = me.StringField()


async def test_a_feed_keeps_nothing_of_a_change_that_the_hub_has_forgotten(api: Api) -> None:
    client = api(Palimpsest, live=True)
    parchment = (await client.post("/palimpsest/", json={"text": "a"})).json()
    async with following(client, f"/palimpsest/{parchment['id']}/") as feed, following(client, "/palimpsest/") as every:
        await client.put(f"/palimpsest/{parchment['id']}/", json={"text": "b"})
        await feed.changed(1)
        [hub] = [each for each in hubs() if each.is_followed]
        known = [weakref.ref(each) for each in hub._ring]
        await client.post("/palimpsest/", json={"text": "c"})  # which only the list is told
        await every.changed(2)
        for _ in known:
            hub._ring.popleft()
        gc.collect()
        assert [each() for each in known] == [None]
