"""An event grows old: first it loses what it held, then it goes, and the ledger knows of both."""

from typing import Any

from gateway.clock import now_ms
from gateway.delivery import store
from gateway.delivery.model import Job
from gateway.events import sweep
from gateway.ids import time_ordered
from gateway.storage.database import Effect, Write
from tests.api.asking import eventually
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

BODY = b'{"action":"opened","issue":{"id":7,"body":null}}'
DAY_MS = 86_400_000


async def delivered(gateway: Gateway, made: dict[str, Any], receiver: Consumer) -> str:
    headers = signed.github(made["webhookSecret"], BODY)
    assert (await gateway.send(made["webhookUrl"], BODY, headers)).status == 200
    await receiver.wait(1)
    await eventually(gateway.ledger, lambda ledger: ledger["delivered"] == 1)
    return str(receiver.arrived[0].id)


async def verdict(gateway: Gateway) -> dict[str, str]:
    answered = await gateway.call("GET", "/api/v1/doctor?full=true")
    return {one["check"]: one["verdict"] for one in answered.json["checks"] if one["check"] in ("ledger", "full_count")}


async def test_an_event_is_emptied_and_then_removed_and_every_question_has_an_answer(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    event_id = await delivered(gateway, made, receiver)
    database, before = gateway.running.services.runtime.database, await gateway.ledger()
    swept = await sweep.sweep(database, now_ms() + 2 * DAY_MS, 30 * DAY_MS, DAY_MS)
    assert (swept["events"], swept["payloads"]) == (0, 1)
    told = await gateway.call("GET", f"/instances/{made['id']}/events/{event_id}")
    assert (told.status, told.json["status"], told.json["providerData"]) == (200, "NOTIFIED", "")
    assert "notifiedData" not in told.json
    own = await gateway.call("GET", f"/api/v1/events/{event_id}")
    assert (own.status, own.json["request"], own.json["payload"]) == (200, None, None)
    assert (await gateway.call("GET", f"/api/v1/events/{event_id}/payload")).status == 404
    swept = await sweep.sweep(database, now_ms() + 31 * DAY_MS, 30 * DAY_MS, DAY_MS)
    assert (swept["events"], swept["payloads"]) == (1, 0)
    assert (await gateway.call("GET", f"/api/v1/events/{event_id}")).status == 404
    assert await gateway.ledger() == before
    assert await verdict(gateway) == {"ledger": "ok", "full_count": "ok"}


async def test_what_is_empty_is_never_sent(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    event_id = await delivered(gateway, made, receiver)
    services = gateway.running.services
    database = services.runtime.database
    await sweep.sweep(database, now_ms() + 2 * DAY_MS, 30 * DAY_MS, DAY_MS)
    [row] = await database.all("SELECT * FROM deliveries")
    again = Job(
        id=time_ordered(), event_id=event_id, instance_id=row["instance_id"], destination_id=row["destination_id"],
        attempts=0, epoch=1, lease_until=0, event=None,
    )  # fmt: skip
    queued, counted = store.queued(again, None, 0), store.created(again.destination_id, 1)
    await database.write(Write((), lambda _: Effect(None, [queued], [counted])))
    services.worker.left_behind(again.destination_id)
    await eventually(gateway.ledger, lambda ledger: ledger["cancelled"] == 1)
    assert len(receiver.arrived) == 1
    assert await verdict(gateway) == {"ledger": "ok", "full_count": "ok"}
