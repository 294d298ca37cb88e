"""The polling chapter of the API's page, done as it is printed: Close is asked, and its change is an event."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

from tests.docs.receivers import ROOT
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started
from tests.vendors.closeio import API_KEY, BASE
from tests.vendors.simulator import Vendor, vendor

_CHAPTER = re.compile(r"^### Polling\n(.*?)(?=^### )", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script() -> str:
    """The chapter's commands, one after the other; each answer on a line of its own."""
    chapter = _CHAPTER.search((ROOT / "docs" / "api.md").read_text("utf-8"))
    assert chapter is not None
    return "\n".join(_COMMANDS.findall(chapter[1])).replace("\ncurl -fsS ", "\ncurl -fsS -w '\\n' ")


async def run(gateway: Gateway, close: Vendor) -> list[Any]:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euc", script()),
        env={
            **os.environ,
            "GATEWAY": gateway.url,
            "AUTH": gateway.auth["Authorization"],
            "CLOSE": close.url + BASE,
            "API_KEY": API_KEY,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, errors = await process.communicate()
    assert process.returncode == 0, (said, errors)
    return [json.loads(line) for line in said.decode().splitlines()]


async def test_the_printed_commands_poll_a_close_from_end_to_end(tmp_path: Path) -> None:
    async with vendor() as close, started(settings(tmp_path, "")) as gateway:
        close.close.add("lead", name="there before")
        lead, polled, events, [record] = await run(gateway, close)
    [poller] = polled["pollers"]
    assert (poller["name"], poller["outcome"], poller["events"]) == ("accounts", "changes", 1)
    [event] = events
    assert (event["objectType"], event["objectId"], event["eventType"]) == ("accounts", lead["id"], "CREATED")
    assert json.loads(event["providerData"])["name"] == "Acme"
    assert (record["objectName"], record["status"], record["watermark"]) == ("accounts", "ok", lead["date_updated"])


async def test_the_consumer_gets_the_polled_record_under_its_objects_name(tmp_path: Path, receiver: Consumer) -> None:
    poller = {"url": "/hubs/crm/contacts?where=date_updated>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'", "idField": "id"}
    more = {"event.vendor.type": "polling", "event.poller.configuration": {"contacts": poller}}
    async with vendor() as close, started(settings(tmp_path, "")) as gateway:
        lead = close.close.add("lead", name="Acme")
        made = await gateway.create(
            "closeio", receiver.url(), **{"base.url": close.url + BASE, "username": API_KEY, **more}
        )
        contact = close.close.add("contact", lead_id=lead["id"], name="Ada")
        answered = await gateway.call("POST", f"/api/v1/instances/{made['id']}/poll")
        assert answered.status == 200, answered.body
        [arrived] = await receiver.wait(1)
    message = json.loads(arrived.body)["message"]
    [event] = message["events"]
    assert event["pollDate"] >= event["date"]
    assert (message["raw"]["objectType"], message["raw"]["contacts"][0]["id"]) == ("contacts", contact["id"])
    assert event["objectId"] == contact["id"]
