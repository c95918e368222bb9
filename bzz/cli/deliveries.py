"""``bzz deliveries``: how far durable listeners have come, and what waits for a person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from bzz.change import Position, storable
from bzz.cli.application import ApplicationName, AsJson, load_application
from bzz.cli.console import Failure, console, ending, show_rows
from bzz.delivery.listener import DurableListener, declared
from bzz.delivery.source import Source, sources_of
from bzz.extras import needs
from bzz.providers.deliveries import Letter, LetterState, ListenerState

with needs("cli"):
    import typer
    from rich.text import Text

__all__ = ["deliveries"]

deliveries = typer.Typer(no_args_is_help=True, help="Look after durable listeners.")

ListenerName = Annotated[str, typer.Argument(metavar="LISTENER", help="The name of a durable listener.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Letters; all dead ones of the listener if none.")]
Since = Annotated[datetime | None, typer.Option("--from", help="Only changes of that time (UTC) or later.")]
Until = Annotated[datetime | None, typer.Option("--to", help="Only changes before that time (UTC).")]

STATES: Sequence[LetterState] = ("dead", "waiting", "queued", "skipped")

DONE = {"skipped": "skipped", "waiting": "tried again"}

T = TypeVar("T")
Found = tuple[DurableListener, Source]


@deliveries.command("list")
def list_letters(
    application: ApplicationName,
    listener: Annotated[str | None, typer.Option(help="Only of this listener.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Not only dead letters, also those that wait.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters: changes that a listener has failed on too often."""

    async def ask(found: Sequence[Found]) -> list[Letter]:
        letters: list[Letter] = []
        for _, source in found:
            letters += await source.deliveries.letters(listener, STATES if every else STATES[:1], limit)
        return list({each.id: each for each in letters}.values())

    with ending():
        rows = [_row(each) for each in _run(application, listener, ask)]
        show_rows(rows, ["id", "state", "change", "at", "attempts", "error"], as_json=as_json)
        if not (rows or every or as_json):
            typer.echo("No letter is dead; --all lists those that wait.", err=True)


@deliveries.command()
def show(
    application: ApplicationName,
    letter: Annotated[str, typer.Argument(metavar="ID", help="Of a letter, as the list has it.")],
    as_json: AsJson = False,
) -> None:
    """Show one letter: the change, the attempts, and the traceback of the last one."""

    async def ask(found: Sequence[Found]) -> dict[str, Any]:
        for _, source in found:
            there = await source.deliveries.letter(letter)
            if there is not None:
                diff = source.change(there.commit).diff
                return {**_row(there), "diff": None if diff is None else storable(diff), "trace": there.trace}
        raise Failure(f"There is no letter {letter}.")

    with ending():
        row = _run(application, letter.partition("/")[0], ask)
        if as_json:
            typer.echo(json.dumps(row, indent=2))
            return
        out, trace, diff = console(), row.pop("trace"), row.pop("diff")
        for name, value in row.items():
            out.print(Text(f"{name:9}", style="bold"), Text("" if value is None else str(value)))
        for field, pair in (diff or {}).items():
            out.print(Text(f"{field}: {pair['from']!r} -> {pair['to']!r}"))
        out.print(Text(trace), soft_wrap=True)


@deliveries.command()
def retry(
    application: ApplicationName, listener: ListenerName, ids: Ids = None, since: Since = None, until: Until = None
) -> None:
    """Have letters that are dead or wait tried at once, with no attempt counted; those behind them follow in order."""
    _mark("waiting", application, listener, ids, since, until)


@deliveries.command()
def skip(
    application: ApplicationName, listener: ListenerName, ids: Ids = None, since: Since = None, until: Until = None
) -> None:
    """Drop dead letters; the next change of each document is handled."""
    _mark("skipped", application, listener, ids, since, until)


def _mark(
    state: Any, application: str, listener: str, ids: list[str] | None, since: datetime | None, until: datetime | None
) -> None:
    async def mark(found: Sequence[Found]) -> int:
        times = [None if each is None else each.replace(tzinfo=UTC) for each in (since, until)]
        return sum([await source.deliveries.mark(state, listener, ids or (), *times) for _, source in found])

    with ending():
        count = _run(application, listener, mark)
        if ids and count < len(ids):
            raise Failure(
                f"Of {len(ids)} letters {count} could be {DONE[state]} for {listener}; the others stay as they are."
            )
        typer.echo(f"{count} {'letter' if count == 1 else 'letters'}")


@deliveries.command()
def lag(application: ApplicationName, as_json: AsJson = False) -> None:
    """Tell how far each listener is behind, in seconds, and what waits for it."""

    async def ask(found: Sequence[Found]) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for listener, source in found:
            now = await source.changes.now()
            for state in await source.deliveries.states():
                if state.name == listener.name:
                    rows[state.name] = _lag(state, now)
            rows.setdefault(listener.name, {**_lag(ListenerState(listener.name, None, "", 0, None, (), {}), now)})
        return list(rows.values())

    with ending():
        rows = _run(application, None, ask)
        columns = ["listener", "behind", "processes", "waiting", "dead", "trouble", "reason"]
        show_rows(rows, columns, as_json=as_json)


@deliveries.command()
def resync(application: ApplicationName, listener: ListenerName) -> None:
    """Tell a listener every document that there is, as created, and then go on from there without a gap."""

    async def begin_anew(source: Source) -> bool:
        return await source.deliveries.resync(listener)

    _have(application, listener, begin_anew)


@deliveries.command()
def resume(
    application: ApplicationName,
    listener: ListenerName,
    now: Annotated[
        bool, typer.Option("--now", help="Go on from now, not where it was: what happened since is lost.")
    ] = False,
) -> None:
    """Have a listener called again that was switched off, or has lost its history."""

    async def go_on(source: Source) -> bool:
        return await source.deliveries.resume(listener, await source.changes.now() if now else None)

    _have(application, listener, go_on)


@deliveries.command()
def stop(
    application: ApplicationName,
    listener: ListenerName,
    reason: Annotated[str, typer.Option(help="For whoever wonders.")] = "by hand",
) -> None:
    """Have a listener called no more, until it is resumed; nothing is lost that the oplog keeps."""

    async def halt(found: Sequence[Found]) -> None:
        for _, source in found:
            await source.deliveries.halt(listener, "off", reason)

    with ending():
        _run(application, listener, halt)


def _have(application: str, listener: str, work: Callable[[Source], Awaitable[bool]]) -> None:
    """Do something with a listener in each database that knows it."""

    async def of_each(found: Sequence[Found]) -> bool:
        return any([await work(source) for _, source in found])

    with ending():
        if not _run(application, listener, of_each):
            raise Failure(f"{listener} has never run on this database.")


def _run(application: str, name: str | None, work: Callable[[Sequence[Found]], Awaitable[T]]) -> T:
    """Do something with the listeners of an application, or with the one of a name."""
    load_application(application)

    async def run() -> T:
        chosen = [each for each in declared() if name in (None, each.name)]
        if not chosen:
            known = ", ".join(each.name for each in declared()) or "none"
            raise Failure(f"The application has no durable listener {name or ''}".rstrip() + f"; it has {known}.")
        return await work([(each, source) for each in chosen for source in sources_of(each)])

    return asyncio.run(run())


def _row(letter: Letter) -> dict[str, Any]:
    commit = letter.commit
    return {
        "id": letter.id,
        "state": letter.state,
        "change": commit.kind,
        "document": str(commit.key),
        "at": commit.at.isoformat(timespec="seconds"),
        "attempts": letter.attempts,
        "due": letter.due.isoformat(timespec="seconds") if letter.state == "waiting" else None,
        "error": letter.error,
    }


def _lag(state: ListenerState, now: Position) -> dict[str, Any]:
    reached = min((each.progress.position.seconds for each in state.partitions), default=0)
    is_telling = any(each.progress.cursor is not None for each in state.partitions)
    behind: Any = max(0, now.seconds - reached) if reached else None
    return {
        "listener": state.name,
        "behind": "telling what is there" if is_telling else behind,
        "processes": state.members,
        "waiting": state.letters.get("waiting", 0) + state.letters.get("queued", 0),
        "dead": state.letters.get("dead", 0),
        "trouble": state.trouble,
        "reason": state.reason,
    }
