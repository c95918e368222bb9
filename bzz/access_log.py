"""One line for each request, with its id, as text or JSON."""

from __future__ import annotations

import logging
from typing import Any

from tornado.web import Application, RequestHandler

from bzz.codec import dumps
from bzz.finished import each_finished, template_of
from bzz.request import id_of, method_of, path_of

__all__ = ["access_log"]

logger = logging.getLogger("bzz.access")


def access_log(app: Application, *, json: bool = False) -> None:
    """Log each request of an application in one line by the logger ``bzz.access``, in place of Tornado's own.

    What stands behind the question mark of a URL is left out, for it may be private. Answers of 500 and above are
    logged as errors, others of 400 and above as warnings.

    :param json: whether each line is a JSON object, for programs that collect logs.
    """

    def tell(handler: RequestHandler) -> None:
        facts = _facts(handler)
        line = dumps(facts).decode() if json else _TEXT.format(**facts)
        logger.log(_level(handler.get_status()), "%s", line)

    each_finished(app, tell, instead=True)


_TEXT = "{status} {method} {path} {milliseconds:.1f}ms {client} {request_id}"


def _facts(handler: RequestHandler) -> dict[str, Any]:
    request = handler.request
    return {
        "status": handler.get_status(),
        "method": method_of(handler),
        "path": path_of(handler),
        "route": template_of(handler),
        "milliseconds": round(request.request_time() * 1000, 1),
        "client": request.remote_ip,
        "request_id": id_of(handler),
    }


def _level(status: int) -> int:
    if status < 400:
        return logging.INFO
    return logging.WARNING if status < 500 else logging.ERROR
