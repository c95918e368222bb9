"""Tornado answering a constant, of the length of one user: what is left where nothing is asked of a database."""

from __future__ import annotations

import json

from tornado.web import Application, RequestHandler

from bench.data import body, seed_id
from bench.servers.setting import run

_ANSWER = json.dumps({"id": str(seed_id(7)), **body(7)}, separators=(",", ":"), ensure_ascii=False).encode()


class ConstantHandler(RequestHandler):
    """Answers every GET alike."""

    def get(self, text: str) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(_ANSWER)


if __name__ == "__main__":
    run(lambda: Application([(r"/user/([^/]+)/?", ConstantHandler)]))
