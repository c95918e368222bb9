"""A process without MongoEngine reads what one that has it sends."""

from __future__ import annotations

import subprocess
import sys

import mongoengine as me
from bson import ObjectId

from bzz import codec
from bzz.relay import documents
from bzz.relay.payload import pack

PROGRAM = """
import json, sys
import bzz.relay.documents
from bzz.relay.payload import unpack
found = unpack(json.loads(sys.stdin.read()))
assert "mongoengine" not in sys.modules and "redis" not in sys.modules
print(type(found).__name__, found.model, found.id, found.values["name"])
"""


class Traveller(me.Document):
    name = me.StringField()


def test_a_document_is_its_class_its_id_and_its_values() -> None:
    documents.register_loaded()
    packed = codec.dumps(pack(Traveller(id=ObjectId("0" * 24), name="Ada")))
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=packed, capture_output=True, timeout=60)
    assert (done.stdout.decode(), done.stderr.decode()) == (f"Document Traveller {'0' * 24} Ada\n", "")
