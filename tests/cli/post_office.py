"""A small application with a durable listener, which fails as long as a file is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mongoengine as me
from tornado.web import Application

import bzz


class Postcard(me.Document):
    text = me.StringField()


@bzz.durable("Postcard.*", name="post", max_attempts=1, start="beginning")
def post(event: Any) -> None:
    if Path(os.environ["POST_IS_CLOSED"]).exists():
        raise RuntimeError("the post office is closed")
    with Path(os.environ["POSTED"]).open("a") as posted:
        posted.write(f"{event.name} {event.instance.text}\n")


def make() -> Application:
    """The application, on the database that the environment names."""
    me.connect(os.environ["SHOP_DATABASE"], host=os.environ["BZZ_MONGODB_URI"], uuidRepresentation="standard")
    return Application(bzz.ModelHive.routes_for("mongoengine", Postcard))
