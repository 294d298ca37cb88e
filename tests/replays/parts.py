"""What tests of replays do and see from outside."""

from typing import Any

from tests.api.asking import eventually
from tests.delivery.road import body
from tests.kit import signed
from tests.kit.gateway import Answered, Gateway

API = "/api/v1"
ENDED = ("done", "cancelled", "failed")


async def send(gateway: Gateway, made: dict[str, Any], *numbers: int) -> list[str]:
    """Signed deliveries of the vendor, one for each object; the ids of their events."""
    for number in numbers:
        content = body(number)
        headers = signed.github(made["webhookSecret"], content)
        assert (await gateway.send(made["webhookUrl"], content, headers)).status == 200
    rows = await gateway.running.services.runtime.database.all("SELECT id FROM events ORDER BY id")
    return [row["id"] for row in rows][-len(numbers) :]


async def call(gateway: Gateway, method: str, path: str, json: Any = None, **options: Any) -> Answered:
    """A call of the gateway's own API."""
    if json is not None:
        options["json"] = json
    return await gateway.call(method, API + path, **options)


async def begun(gateway: Gateway, path: str, json: Any) -> str:
    """The id of a job that was taken on."""
    answered = await call(gateway, "POST", path, json)
    assert answered.status == 202, answered.body
    found: str = answered.json["id"]
    return found


async def ended(gateway: Gateway, path: str) -> dict[str, Any]:
    """A job, once it has come to its end."""

    async def look() -> dict[str, Any]:
        answered = await call(gateway, "GET", path)
        assert answered.status == 200, answered.body
        found: dict[str, Any] = answered.json
        return found

    return await eventually(look, lambda found: found["state"] in ENDED)


async def destination_of(gateway: Gateway, made: dict[str, Any]) -> int:
    """The number of an instance's callback."""
    found: int = (await call(gateway, "GET", f"/instances/{made['id']}")).json["destination"]["id"]
    return found


async def listed(gateway: Gateway, path: str, **options: Any) -> list[dict[str, Any]]:
    """All items of a list, page after page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answered = await call(gateway, "GET", path + cursor, **options)
        assert answered.status == 200, answered.body
        found += answered.json["items"]
        if answered.json["next"] is None:
            return found
        cursor = ("&" if "?" in path else "?") + f"cursor={answered.json['next']}"


async def deliveries_of(gateway: Gateway, event_id: str) -> list[dict[str, Any]]:
    """The rows of an event's deliveries, in their order."""
    rows = await gateway.running.services.runtime.database.all(
        "SELECT * FROM deliveries WHERE event_id = $1 ORDER BY id", event_id
    )
    return [dict(row) for row in rows]
