"""``bzz tail``: a live feed in the terminal."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any

from bzz.cli.client import Client, Headers, Token, Url, make_client
from bzz.cli.console import console, ending
from bzz.cli.following import follow
from bzz.cli.frames import Frame
from bzz.extras import needs

with needs("cli"):
    import typer
    from rich.text import Text

__all__ = ["tail"]

_STYLES = {"created": "green", "enter": "green", "updated": "yellow", "deleted": "red", "leave": "red"}
Data = dict[str, Any]


def tail(
    url: Url,
    token: Token = None,
    header: Headers = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write each frame as a line of JSON.")] = False,
) -> None:
    """Follow a live feed: every change as it is committed, with its diff.

    After a break it connects again and goes on where it was. Ctrl-C ends it.
    """
    with ending():
        asyncio.run(_tail(make_client(url, header, token), as_json))


async def _tail(client: Client, as_json: bool) -> None:
    messages = console(stderr=True)
    show = _Lines().show if not as_json else _show_json

    def tell(sentence: str) -> None:
        messages.print(Text(sentence, style="dim"), soft_wrap=True)

    async for frame in follow(client, tell):
        if frame.event != "ping":
            show(frame)


def _data_of(frame: Frame) -> Data:
    """Return the data of a frame; what is no JSON object stands under ``data``."""
    try:
        found = json.loads(frame.data)
    except ValueError:
        found = frame.data
    return found if isinstance(found, dict) else {"data": found}


def _show_json(frame: Frame) -> None:
    typer.echo(json.dumps({"event": frame.event, **_data_of(frame), "position": frame.id or None}, ensure_ascii=False))


class _Lines:
    """Writes a line for each frame that people want to see."""

    def __init__(self) -> None:
        self._console = console()
        self._rows = 0

    def show(self, frame: Frame) -> None:
        data = _data_of(frame)
        if frame.event == "snapshot":
            self._rows += len(data.get("ids", ()))
        elif frame.event == "ready":
            self._print(
                Text(f"{self._rows:,} rows now; waiting for changes" if self._rows else "waiting for changes", "dim")
            )
            self._rows = 0
        elif frame.event == "reset":
            self._print(Text(f"reset: {data.get('reason')}", "dim"))
        else:
            self._print(_line(frame.event, data))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def _line(event: str, data: Data) -> Text:
    line = Text()
    line.append(f"{_time(data.get('at'))} ", "dim")
    line.append(f"{event:7} ", _STYLES.get(event, ""))
    line.append(f"{data['model']}/{data['id']}" if "model" in data and "id" in data else _value(data), "bold")
    diff = data.get("diff")
    if event == "updated" and diff:
        for name, sides in diff.items():
            line.append_text(_change(name, sides))
    elif event in ("created", "enter", "updated"):
        for name, value in (data.get("row") or {}).items():
            if value is not None and name != "id":
                line.append(f" {name}=", "dim").append(_value(value))
    return line


def _change(name: str, sides: Data) -> Text:
    text = Text(f" {name} ")
    text.append(_value(sides.get("from")), "red").append(" -> ", "dim").append(_value(sides.get("to")), "green")
    return text


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _time(at: Any) -> str:
    """Return the time of day of a moment, here."""
    try:
        return datetime.fromisoformat(str(at)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return datetime.now().astimezone().strftime("%H:%M:%S")
