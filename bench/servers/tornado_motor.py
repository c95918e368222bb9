"""Hand-written Tornado handlers with Motor."""

from __future__ import annotations

from motor.motor_asyncio import AsyncIOMotorClient

from bench.servers.setting import DATABASE, URI, run
from bench.servers.tornado_handlers import application

if __name__ == "__main__":
    run(lambda: application(AsyncIOMotorClient(URI)[DATABASE]))
