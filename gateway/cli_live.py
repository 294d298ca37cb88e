"""The commands that follow a running gateway: `tail`, `listen`, `send`."""

import base64
import json
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, get_args

import click

from gateway.cli_asking import CONFIG, JSON, URL, run
from gateway.client import ANYWHERE, Api, Query, open_api
from gateway.egress.model import Failure, Outcome, Request
from gateway.history.filter import Status

STREAM = "/api/v1/events/stream"
FORWARD_S = 30.0
#: A stream that was resumed shows its last seconds once more.
_MOST_SEEN = 20_000
_STATUS: dict[str, str] = {"delivered": "green", "dead": "red", "cancelled": "yellow", "unrouted": "yellow"}
_INSTANCE = click.option("--instance", type=click.IntRange(1), metavar="ID", help="Only events of this instance.")
_TYPE = click.option("--type", "type_", metavar="TYPE", help="Only events of this type, such as lead.updated.")
_AFTER = click.option("--after", metavar="EVENT", help="Begin behind this event. Without it: with the next that comes.")


@click.command()
@CONFIG
@URL
@_INSTANCE
@_TYPE
@click.option("--status", type=click.Choice(get_args(Status)), help="Only events that stand so when they are shown.")
@_AFTER
@JSON
def tail(
    path: Path | None,
    url: str | None,
    instance: int | None,
    type_: str | None,
    status: str | None,
    after: str | None,
    *,
    as_json: bool,
) -> None:
    """Show events as they are stored, until Ctrl-C; what came while the gateway was away is shown when it is back."""
    query: Query = {"instance_id": instance, "type": type_, "status": status}
    run(lambda: _tail(path, url, query, after, as_json=as_json))


async def _tail(path: Path | None, url: str | None, query: Query, after: str | None, *, as_json: bool) -> None:
    async with open_api(path, url) as api, aclosing(_followed(api, query, after)) as events:
        async for one in events:
            click.echo(json.dumps(one, ensure_ascii=False) if as_json else _told(one))


async def _followed(api: Api, query: Query, after: str | None) -> AsyncGenerator[dict[str, Any], None]:
    """Every event of the stream once, over all interruptions."""
    seen: OrderedDict[str, None] = OrderedDict()
    async with aclosing(api.stream(STREAM, query, after=after, lost=_say_lost)) as messages:
        async for message in messages:
            if message.event == "ready":
                click.echo(f"Following {api.url}; Ctrl-C ends it.", err=True)
            if message.event != "event" or message.id is None or message.id in seen:
                continue
            seen[message.id] = None
            if len(seen) > _MOST_SEEN:
                seen.popitem(last=False)
            yield json.loads(message.data)


def _say_lost(reason: str) -> None:
    click.echo(f"{reason} Trying again.", err=True)


def _told(one: dict[str, Any]) -> str:
    what = "/".join(_plain(one[name]) for name in ("object_type", "object_id") if one[name])
    status = click.style(one["status"], fg=_STATUS.get(one["status"]))
    where, change = f"{one['connector']}#{one['instance_id']}", f"{one['action']} {what}".rstrip()
    return "  ".join((one["received_at"], one["id"], where, _plain(one["type"]), change, status))


def _plain(text: str) -> str:
    """What a vendor wrote, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


@click.command()
@CONFIG
@URL
@click.option("--forward", required=True, metavar="URL", help="Where to, such as http://localhost:3000/hook.")
@_INSTANCE
@_TYPE
@_AFTER
def listen(
    path: Path | None, url: str | None, forward: str, instance: int | None, type_: str | None, after: str | None
) -> None:
    """Forward events to a program on this machine while it is being written, until Ctrl-C.

    Each one is sent once, with the body and the signatures of a delivery. It is none: it stands in no ledger, nothing
    is tried again, and the instance's own callback URL gets its deliveries all the same.
    """
    problem = ANYWHERE.refuses_url(forward)
    if problem is not None:
        raise click.BadParameter(f"{problem}.", param_hint="--forward")
    query: Query = {"instance_id": instance, "type": type_, "include": "notification"}
    run(lambda: _listen(path, url, forward, query, after))


async def _listen(path: Path | None, url: str | None, forward: str, query: Query, after: str | None) -> None:
    async with open_api(path, url) as api, aclosing(_followed(api, query, after)) as events:
        async for one in events:
            sent = one["notification"]
            about = f"{_plain(one['type'])}  {one['id']}"
            if sent is None:
                click.echo(f"{click.style('gone', fg='yellow')}  {about}  its payload is not kept any more")
                continue
            body = base64.b64decode(sent["body_base64"]) if "body_base64" in sent else sent["body"].encode()
            headers = tuple((name, value) for name, value in sent["headers"])
            request = Request(method="POST", url=forward, headers=headers, body=body, timeout=FORWARD_S)
            click.echo(f"{_became(await api.client.send(request))}  {about}")


def _became(outcome: Outcome) -> str:
    took = f"{outcome.total_ms:.0f} ms"
    if isinstance(outcome, Failure):
        return f"{click.style('failed', fg='red')}  {took}  {outcome.detail} "
    return f"{click.style(str(outcome.status), fg='green' if 200 <= outcome.status < 300 else 'red')}  {took}"


@click.command()
@CONFIG
@URL
@click.option("--instance", type=click.IntRange(1), required=True, metavar="ID", help="The instance that gets it.")
@click.option("--fixture", metavar="NAME", help="Which recorded delivery. Without it: the first that can be sent.")
@click.option("--list", "listed", is_flag=True, help="Show what can be sent, and send nothing.")
@JSON
def send(
    path: Path | None, url: str | None, instance: int, fixture: str | None, *, listed: bool, as_json: bool
) -> None:
    """Send an instance a test delivery: one that is recorded with its connector, made new, signed as the vendor signs.

    It goes the whole way of a vendor's request, and its events are delivered. The exit code is 0 where it was accepted.
    """
    if listed:
        run(lambda: _list(path, url, instance, as_json=as_json))
    elif not run(lambda: _send(path, url, instance, fixture, as_json=as_json)):
        sys.exit(1)


async def _list(path: Path | None, url: str | None, instance: int, *, as_json: bool) -> None:
    async with open_api(path, url) as api:
        found = (await api.get(f"/api/v1/instances/{instance}/fixtures"))["items"]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for one in found:
        types = ", ".join(one["types"]) or "-"
        click.echo(f"{one['name']}  ({types})" if one["sendable"] else f"{one['name']}: {one['problem']}")
    if not found:
        click.echo("Nothing is recorded with this instance's connector.", err=True)


async def _send(path: Path | None, url: str | None, instance: int, fixture: str | None, *, as_json: bool) -> bool:
    async with open_api(path, url) as api:
        sent = await api.post(f"/api/v1/instances/{instance}/send", {} if fixture is None else {"fixture": fixture})
    accepted: bool = sent["outcome"] == "accepted"
    if as_json:
        click.echo(json.dumps(sent, indent=2, ensure_ascii=False))
        return accepted
    word = click.style(sent["outcome"], fg="green" if accepted else "red")
    click.echo(f"{sent['fixture']}: {word} (status {sent['status']})")
    for event_id in sent["event_ids"]:
        click.echo(f"  event {event_id}")
    return accepted
