"""The command `where`: what became of something that a vendor says it sent."""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli_asking import CONFIG, JSON, URL, run
from gateway.client import Api, open_api

_MOST = 50
_COLOURS = {
    "delivered": "green",
    "pending": "yellow",
    "dead": "red",
    "refused": "red",
    "cancelled": "magenta",
    "unrouted": "yellow",
}
Fate = Mapping[str, Any]


@click.command()
@click.argument("vendor_event_id", required=False)
@CONFIG
@URL
@click.option("--object", "object_id", metavar="ID", help="By the id of the object that changed.")
@click.option("--event", "event_id", metavar="ID", help="By the gateway's own id: eventId, webhook-id.")
@click.option(
    "--body",
    "file",
    type=click.File("rb"),
    metavar="FILE",
    help="By the very bytes of the vendor's request; - is standard input.",
)
@JSON
def where(
    path: Path | None,
    url: str | None,
    vendor_event_id: str | None,
    object_id: str | None,
    event_id: str | None,
    file: Any,
    *,
    as_json: bool,
) -> None:
    """Where is my event? What became of all that arrived under VENDOR_EVENT_ID, or under another name of it.

    The exit code is 1 where nothing did.
    """
    body_hash = hashlib.sha256(file.read()).hexdigest() if file is not None else None
    names = {"vendor_event_id": vendor_event_id, "object_id": object_id, "event_id": event_id, "body_hash": body_hash}
    given = {name: value for name, value in names.items() if value is not None}
    if len(given) != 1:
        raise click.UsageError("Give one name: VENDOR_EVENT_ID, or one of --object, --event and --body.")
    fates, events = run(lambda: _asked(path, url, given))
    click.echo(json.dumps(fates, indent=2, ensure_ascii=False) if as_json else "\n".join(_told(fates, events)))
    if not fates:
        sys.exit(1)


async def _asked(path: Path | None, url: str | None, given: Mapping[str, str]) -> tuple[list[Fate], dict[str, Any]]:
    async with open_api(path, url) as api:
        found = await api.get("/api/v1/fate", {**given, "limit": _MOST})
        fates: list[Fate] = found["items"]
        return fates, await _attempts(api, {one["delivery_id"]: one["event_id"] for one in fates if one["delivery_id"]})


async def _attempts(api: Api, events: Mapping[str, str]) -> dict[str, Any]:
    """The attempts of each delivery, where there are few events to look at."""
    wanted = sorted(set(events.values()))[:5]
    found = [await api.get(f"/api/v1/events/{one}") for one in wanted]
    return {made["id"]: made["attempts"] for event in found for made in event["deliveries"]}


def _told(fates: list[Fate], attempts: Mapping[str, Any]) -> Iterator[str]:
    if not fates:
        yield "Nothing arrived under this name, as far as the gateway remembers."
    for one in fates:
        status = click.style(f"{one['status']:9}", fg=_COLOURS.get(one["status"]))
        yield f"{status}  {one['at']}  instance {one['instance_id']}  {' '.join(_about(one))}".rstrip()
        yield from (f"{'':11}{line}" for line in _tries(attempts.get(one["delivery_id"], ())))


def _about(one: Fate) -> Iterator[str]:
    if one["event_id"]:
        yield f"event {one['event_id']}"
    if one["destination"]:
        yield f"to {one['destination']['url']}"
    if one["next_attempt_at"]:
        yield f"next attempt at {one['next_attempt_at']}"
    if one["reason"]:
        yield f"({one['reason']}{': ' + one['detail'] if one['detail'] else ''})"


def _tries(attempts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in attempts:
        came = one["reason"] or f"status {one['status']}"
        yield f"attempt {one['number']}  {one['at']}  {one['phases']['total_ms']} ms  {came}"
