"""3rd-party connectors as tests need them."""

from dataclasses import replace
from typing import Any

import orjson

from gateway.events.model import Event
from gateway.thirdparty import render
from gateway.thirdparty.model import DataRow, Definition
from gateway.thirdparty.render import Rendered, Unrenderable
from tests.delivery.parts import event
from tests.kit import signed
from tests.kit.gateway import Answered, Gateway

PLACE = "/api/v1/third-party-connectors"
NOTIFICATION = b'{"message":{}}'


def definition(**changes: Any) -> Definition:
    """A definition with what a test says of it."""
    return replace(Definition(name="Target", url="https://target.example/hook"), **changes)


def rows(*given: tuple[str, ...]) -> tuple[DataRow, ...]:
    """Data rows."""
    return tuple(DataRow(one[0], one[1], "json" if one[2:] else "text") for one in given)


def tried(wanted: Definition, payload: object = None, **changes: Any) -> Rendered | Unrenderable:
    """What a definition makes of an event with this payload."""
    given: Event = event(payload=payload if isinstance(payload, bytes) else orjson.dumps(payload), **changes)
    return render.request(wanted, given, "My instance", lambda: NOTIFICATION)


def rendered(wanted: Definition, payload: object = None, **changes: Any) -> Rendered:
    """The same where it has to go well."""
    found = tried(wanted, payload, **changes)
    assert isinstance(found, Rendered), found
    return found


async def made(gateway: Gateway, url: str, **fields: Any) -> dict[str, Any]:
    """A connector of the first account."""
    answered = await gateway.call("POST", PLACE, json={"name": "Target", "url": url, **fields})
    assert answered.status == 201, answered.body
    found: dict[str, Any] = answered.json
    return found


async def arrive(gateway: Gateway, instance: dict[str, Any], payload: bytes = b'{"action":"opened"}') -> Answered:
    """One delivery of a vendor."""
    answered = await gateway.send(instance["webhookUrl"], payload, signed.github(instance["webhookSecret"], payload))
    assert answered.status < 300, answered.body
    return answered


async def calls(gateway: Gateway, connector_id: int) -> list[dict[str, Any]]:
    """The newest calls of a connector."""
    found: list[dict[str, Any]] = (await gateway.call("GET", f"{PLACE}/{connector_id}/calls")).json["items"]
    return found
