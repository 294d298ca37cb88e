"""The commands that send again: `replay`, for one event or all that a filter finds, with its progress."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, get_args

import click

from gateway.cli_asking import CONFIG, JSON, URL, run
from gateway.client import Api, open_api
from gateway.clock import duration_ms, iso_ms, now_ms
from gateway.history.filter import Status
from gateway.replays.model import DEFAULT_RATE, LARGEST_RATE

REPLAYS = "/api/v1/replays"
_LOOK_EVERY_S = 0.25
_ENDED = ("done", "cancelled", "failed")


class Moment(click.ParamType[str]):
    """A date, or how long ago."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The date as the API takes it; a duration counts back from now."""
        del param, ctx
        try:
            return iso_ms(now_ms() - duration_ms(value))
        except ValueError:
            return value


SINCE = click.option(
    "--since", type=Moment(), metavar="TIME", help="From then on: a date, or 2h or 7d for so long ago."
)
UNTIL = click.option("--until", type=Moment(), metavar="TIME", help="Before then.")
TO = click.option("--to", type=click.IntRange(1), metavar="DESTINATION", help="To this destination, not the original.")
RATE = click.option(
    "--rate",
    type=click.IntRange(1, LARGEST_RATE),
    default=DEFAULT_RATE,
    show_default=True,
    help="Events a second, at most.",
)
DRY = click.option("--dry-run", is_flag=True, help="Only show what would be done.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
EVERYTHING = click.option("--everything", is_flag=True, help="Without any filter: all that there is.")


@click.command()
@CONFIG
@URL
@click.option("--event", metavar="ID", help="This one event.")
@click.option("--instance", "instance_id", type=click.IntRange(1), metavar="ID", help="Events of this instance.")
@click.option("--connector", metavar="KEY", help="Events of this connector.")
@click.option("--type", "type", metavar="TYPE", help="Events of this type, such as issues.opened.")
@click.option("--object-type", metavar="TYPE", help="Events of objects of this type.")
@click.option("--object-id", metavar="ID", help="Events of this object.")
@click.option("--status", type=click.Choice(get_args(Status)), help="Events that stand so.")
@SINCE
@UNTIL
@EVERYTHING
@TO
@RATE
@DRY
@YES
@click.option("--watch", metavar="REPLAY", help="Show the progress of one that runs.")
@click.option("--cancel", metavar="REPLAY", help="Stop one that runs.")
@click.option("--resume", metavar="REPLAY", help="Let one that failed go on.")
@JSON
def replay(path: Path | None, url: str | None, **given: Any) -> None:
    """Send events again: first it is shown what that is, then it happens, with a progress bar.

    The replay runs in the gateway: it goes on when this command is left, over restarts too.
    """
    chosen = [name for name in ("event", "watch", "cancel", "resume") if given[name] is not None]
    if len(chosen) > 1:
        raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} cannot be given together.")
    if not run(lambda: _replay(path, url, chosen[0] if chosen else "", given)):
        sys.exit(1)


async def _replay(path: Path | None, url: str | None, what: str, given: dict[str, Any]) -> bool:
    async with open_api(path, url) as api:
        if what == "event":
            return await _event(api, given)
        if what == "watch":
            return await watched(api, given["watch"], as_json=given["as_json"])
        if what in ("cancel", "resume"):
            job = await api.post(f"{REPLAYS}/{given[what]}/{what}")
            return _ended(job, as_json=given["as_json"]) if what == "cancel" else await watched(api, job["id"])
        return await through(api, REPLAYS, wanted(given), given)


async def _event(api: Api, given: dict[str, Any]) -> bool:
    if given["dry_run"]:
        found = await api.get(f"/api/v1/events/{given['event']}")
        click.echo(f"1 event: {found['id']}  {found['type']}  {found['received_at']}  {found['status']}")
        return True
    body = {} if given["to"] is None else {"destination_id": given["to"]}
    made = await api.post(f"/api/v1/events/{given['event']}/replay", body)
    if given["as_json"]:
        click.echo(json.dumps(made, indent=2))
    else:
        where = made["destination"]
        click.echo(f"On its way to {where['url']} as delivery {made['id']}.")
    return True


_FILTER = ("instance_id", "connector", "type", "object_type", "object_id", "status", "since", "until")


def wanted(given: dict[str, Any], names: tuple[str, ...] = _FILTER) -> dict[str, Any]:
    """The body of a job's request, from a command's options."""
    chosen = {name: given[name] for name in names if given.get(name) is not None}
    body: dict[str, Any] = {"filter": chosen}
    if given.get("everything"):
        body["everything"] = True
    if given.get("to") is not None:
        body["destination_id"] = given["to"]
    if given.get("rate") is not None:
        body["rate"] = given["rate"]
    return body


async def through(api: Api, path: str, body: dict[str, Any], given: dict[str, Any]) -> bool:
    """Show what a job would do, ask, begin it, and watch it to its end; whether that is good."""
    found = await api.post(path, {**body, "dry_run": True})
    if given["dry_run"] and given["as_json"]:
        click.echo(json.dumps(found, indent=2))
        return True
    _say_matched(found)
    if given["dry_run"] or not (found["matched"] or found["more"]):
        return True
    if not given["yes"]:
        click.confirm("Go on?", abort=True, err=True)
    job = await api.post(path, body)
    click.echo(f"{job['kind'].capitalize()} {job['id']} has begun.", err=True)
    return await watched(api, job["id"], as_json=given["as_json"])


def _say_matched(found: dict[str, Any]) -> None:
    more = " at least" if found["more"] else ""
    click.echo(f"{found['matched']}{more} found.", err=True)
    for one in found["sample"]:
        click.echo(f"  {one['received_at']}  {one['event_id']}  {one['type']}", err=True)
    if found["matched"] > len(found["sample"]):
        click.echo("  …", err=True)


async def watched(api: Api, job_id: str, *, as_json: bool = False) -> bool:
    """Show a job's progress to its end; whether it did all that it was to do."""
    job = await api.get(f"{REPLAYS}/{job_id}")
    try:
        with click.progressbar(length=1000, label=job["kind"].capitalize(), file=sys.stderr, show_pos=False) as bar:
            shown = 0
            while job["state"] not in _ENDED:
                await asyncio.sleep(_LOOK_EVERY_S)
                job = await api.get(f"{REPLAYS}/{job_id}")
                now = round(10 * (job["percent"] or 0))
                bar.update(max(0, now - shown))
                shown = max(shown, now)
            bar.update(1000 - shown if job["state"] == "done" else 0)
    except asyncio.CancelledError:
        click.echo(f"\nIt goes on in the gateway. Look: gateway replay --watch {job_id}", err=True)
        raise
    return _ended(job, as_json=as_json)


def _ended(job: dict[str, Any], *, as_json: bool) -> bool:
    if as_json:
        click.echo(json.dumps(job, indent=2))
        return bool(job["state"] == "done")
    skipped = job["skipped"]
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(skipped["reasons"].items()))
    over = f", {skipped['total']} passed over ({reasons})" if skipped["total"] else ""
    why = f": {job['reason']}" if job["reason"] else ""
    click.echo(f"{job['state']}{why}. {job['seen']} seen, {job['done']} done{over}.")
    if job["state"] == "failed":
        click.echo(f"Once that is mended: gateway replay --resume {job['id']}", err=True)
    return bool(job["state"] == "done")
