"""Who may see which functions of the application listen, and what a click of theirs has caused.

These are names in the application's code, so nobody sees them unless the application says who.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado.web import Application

from bzz.errors import ConfigurationError

__all__ = ["configure", "may_look_inside"]

SETTING = "bzz_explorer_insight"


def configure(app: Application, *, insight: Callable[[Any], bool]) -> None:
    """Say who may see what listens to a model and what a write has caused; without it, all where ``debug`` is on.

    :param insight: called with the handler of the request, after the guard: ``handler.current_user`` is who asks.
    :raises bzz.errors.ConfigurationError: if it cannot be called.
    """
    if not callable(insight):
        raise ConfigurationError(f"insight: a function of the handler is expected, not {insight!r}")
    app.settings[SETTING] = insight


def may_look_inside(handler: Any) -> bool:
    """Return whether who sent this request may see the application's listeners."""
    insight = handler.settings.get(SETTING)
    return bool(handler.settings.get("debug")) if insight is None else bool(insight(handler))
