"""A small application that commands are tried on: a catalogue with a guard, live routes, hooks and listeners."""

from __future__ import annotations

import os
from typing import Any

import mongoengine as me
from tornado.web import Application, RequestHandler

import bzz
from bzz.signals import post_create_instance, pre_create_instance


class ShelfPlace(me.EmbeddedDocument):
    row = me.StringField()
    number = me.IntField()


class Supplier(me.Document):
    name = me.StringField(required=True)
    password = me.StringField()


class Ware(me.Document):
    meta = {"indexes": ["status", ("price", "name")]}  # noqa: RUF012  # as MongoEngine has it

    name = me.StringField(required=True, max_length=20)
    price = me.FloatField()
    status = me.StringField(default="new")
    supplier = me.ReferenceField(Supplier)
    places = me.EmbeddedDocumentListField(ShelfPlace)

    @staticmethod
    def get_list_queryset(queryset: Any, handler: Any) -> Any:
        return queryset


class PlainHandler(RequestHandler):
    def get(self) -> None:
        self.write("fine")


class SinglesHandler(bzz.ModelHandler):
    """Takes no arrays, as servers that are not bzz do not."""

    async def post(self) -> None:
        if self.request.headers.get("Prefer"):
            raise bzz.errors.BadRequest("One object is expected.")
        await super().post()


def may(method: str, model: type, instance_id: str | None, user: Any) -> bool:
    return True


@pre_create_instance.connect_via(Ware)
def check_name(sender: type, handler: Any) -> None:
    if handler.data.get("name") == "forbidden":
        raise bzz.errors.Forbidden("This name is not for you.")


@post_create_instance.connect_via(Ware)
def count_ware(sender: type, instance: Any) -> None: ...


@bzz.on("Ware.created")
def announce(event: Any) -> None: ...


@bzz.on("*.updated.status", background=True, when=(..., "sold"))
async def bill(event: Any) -> None: ...


@bzz.on("stock.taken", once=True)
async def rejoice(event: Any) -> None: ...


def make() -> Application:
    """The application; its database is the one that the environment names, if it does."""
    if "SHOP_DATABASE" in os.environ:
        me.connect(os.environ["SHOP_DATABASE"], host=os.environ["BZZ_MONGODB_URI"], uuidRepresentation="standard")
    return Application(
        bzz.flatten(
            [
                bzz.ModelHive.routes_for("mongoengine", Ware, live=True),
                bzz.ModelHive.routes_for("mongoengine", Supplier, "/api", hidden=["password"], authorize=may),
                bzz.ModelHive.routes_for(
                    "mongoengine", Ware, resource_name="single", authorize=may, handler=SinglesHandler
                ),
                (r"/health/?", PlainHandler),
            ]
        )
    )


def make_guarded() -> Application:
    """The same application, in which writing needs a user who is signed in."""
    app = make()
    bzz.AuthHive.configure(app, "0123456789abcdef0123456789abcdef", authenticated_get=False)
    return app
