"""The command `dead-letters`: what was given up is listed, sent again, laid down, exported."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli_asking import CONFIG, JSON, URL, run
from gateway.cli_replay import DRY, EVERYTHING, RATE, SINCE, TO, UNTIL, YES, through, wanted
from gateway.client import Api, Unanswered, open_api

LETTERS = "/api/v1/dead-letters"
_FILTER = ("instance_id", "destination_id", "since", "until")
_TAIL = 4_096

F = TypeVar("F", bound=Callable[..., Any])


def _filtered(command: F) -> F:
    """The options by which dead letters are chosen."""
    for option in (
        UNTIL,
        SINCE,
        click.option("--destination", "destination_id", type=click.IntRange(1), metavar="ID", help="Of a destination."),
        click.option("--instance", "instance_id", type=click.IntRange(1), metavar="ID", help="Of an instance."),
        URL,
        CONFIG,
    ):
        command = option(command)
    return command


@click.group("dead-letters")
def dead_letters() -> None:
    """Deliveries that were given up, and that nobody has sent again or laid down."""


@dead_letters.command("list")
@_filtered
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="So many at most.")
@JSON
def list_(path: Path | None, url: str | None, limit: int, *, as_json: bool, **given: Any) -> None:
    """Show them, destination by destination, the newest first."""
    run(lambda: _list(path, url, _query(given), limit, as_json=as_json))


def _query(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _FILTER if given[name] is not None}


async def _list(path: Path | None, url: str | None, query: dict[str, Any], limit: int, *, as_json: bool) -> None:
    number = 0
    async with open_api(path, url) as api:
        async for one in api.pages(LETTERS, {**query, "limit": min(limit, 500)}):
            click.echo(json.dumps(one, ensure_ascii=False) if as_json else _told(one))
            number += 1
            if number == limit:
                return
    if not number:
        click.echo("There are none.", err=True)


def _told(one: dict[str, Any]) -> str:
    where = f"#{one['destination']['id']} {one['destination']['url']}"
    return f"{one['dead_at']}  {one['id']}  {where}  {one['type'] or '-'}  {one['reason'] or '-'}"


@dead_letters.command()
@_filtered
@click.argument("ids", nargs=-1)
@EVERYTHING
@TO
@RATE
@DRY
@YES
@JSON
def replay(path: Path | None, url: str | None, ids: tuple[str, ...], **given: Any) -> None:
    """Send them again: those with these IDS, or all that the options choose."""
    if not run(lambda: _replay(path, url, ids, given)):
        sys.exit(1)


async def _replay(path: Path | None, url: str | None, ids: tuple[str, ...], given: dict[str, Any]) -> bool:
    async with open_api(path, url) as api:
        if not ids:
            return await through(api, f"{LETTERS}/replay", wanted(given, _FILTER), given)
        body = {} if given["to"] is None else {"destination_id": given["to"]}
        for one in ids:
            made = await api.post(f"{LETTERS}/{one}/replay", body)
            click.echo(f"{one} is on its way to {made['destination']['url']} as delivery {made['id']}.")
    return True


@dead_letters.command()
@_filtered
@click.argument("ids", nargs=-1)
@click.option("--reason", required=True, help="Why; it is kept with each of them.")
@EVERYTHING
@DRY
@YES
@JSON
def discard(path: Path | None, url: str | None, ids: tuple[str, ...], **given: Any) -> None:
    """Lay them down for good: those with these IDS, or all that the options choose."""
    if not run(lambda: _discard(path, url, ids, given)):
        sys.exit(1)


async def _discard(path: Path | None, url: str | None, ids: tuple[str, ...], given: dict[str, Any]) -> bool:
    reason = {"reason": given["reason"]}
    async with open_api(path, url) as api:
        if not ids:
            return await through(api, f"{LETTERS}/discard", {**wanted(given, _FILTER), **reason}, given)
        for one in ids:
            await api.post(f"{LETTERS}/{one}/discard", reason)
            click.echo(f"{one} is laid down.")
    return True


@dead_letters.command()
@_filtered
@click.option("--output", type=click.File("wb"), default="-", metavar="FILE", help="Where to. Without it: the output.")
def export(path: Path | None, url: str | None, output: Any, **given: Any) -> None:
    """Write them as NDJSON: a line of JSON for each, with its event, and a last one that says that it is all."""
    number = run(lambda: _export(path, url, output, _query(given)))
    click.echo(f"{number} exported.", err=True)


async def _export(path: Path | None, url: str | None, output: Any, query: dict[str, Any]) -> int:
    end = b""
    async with open_api(path, url) as api:
        async for piece in api.pieces(f"{LETTERS}/export", query):
            output.write(piece)
            end = (end + piece)[-_TAIL:]
    return _number(api, end)


def _number(api: Api, end: bytes) -> int:
    """How many the last line says that there are; Unanswered where it does not stand there."""
    try:
        last = json.loads(end.splitlines()[-1])
        if last["complete"] is True:
            return int(last["count"])
    except (ValueError, IndexError, KeyError, TypeError):
        pass
    raise Unanswered(f"The export of {api.url} was cut: its last line is missing.")
