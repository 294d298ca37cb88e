"""Events that got a 2xx and went nowhere."""

import asyncio
from pathlib import Path

import orjson
import pytest

from gateway import ids
from gateway.catalogue import change
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started

BATCHES = """
format = 1
key = "batchy"
name = "Batchy"
version = "1.0.0"
description = "A vendor that sends several events at once, under one delivery id."
docs = "https://example.com"
categories = ["Developer tools"]
ack_deadline = "5s"
[[config]]
key = "webhook.secret"
name = "Secret"
secret = true
generate = true
[auth.none]
type = "none"
[http]
base_url = "https://example.com"
[webhook]
items = "body:events"
type = "{item:type}"
object_id = "item:id"
dedupe = "{header:x-delivery}"
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:webhook.secret"
signature = "header:x-hub-signature-256"
prefix = "sha256="
encoding = "hex"
signed = "{raw}"
"""


async def test_a_batch_under_one_delivery_id_is_as_many_events_as_it_has_items(tmp_path: Path) -> None:
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "batchy.toml").write_text(BATCHES)
    async with started(settings(tmp_path, "", catalogue={"paths": [str(folder)]})) as gateway:
        made = await gateway.create("batchy")
        body = orjson.dumps({"events": [{"type": "t", "id": number} for number in range(5)]})
        headers = {**signed.github(made["webhookSecret"], body), "X-Delivery": "d1"}
        for _ in range(2):
            assert (await gateway.send(made["webhookUrl"], body, headers)).status == 200
        ledger = await gateway.ledger()
    assert (ledger["accepted"], ledger["duplicate"]) == (5, 5)


@pytest.mark.parametrize(("one", "other"), [("\udcff", "\udcfe"), ("caf\udce9", "caf\udce8"), ("a\x00", "a\ufffd")])
def test_ids_that_differ_in_what_cannot_be_stored_stay_different(one: str, other: str) -> None:
    assert change.short(one) != change.short(other)


async def test_every_secret_of_a_list_counts_while_a_rotation_overlaps(sqlite_gateway: Gateway) -> None:
    earlier = [ids.signing_secret(), ids.signing_secret()]
    listed = orjson.dumps(earlier).decode()
    made = await sqlite_gateway.create("generic", **{"authentication.type": "none", "webhook.secret": listed})
    path = f"/api/v1/instances/{made['id']}/rotate/webhook-secret"
    assert (await sqlite_gateway.call("POST", path, json={"overlap": "24h"})).status == 200
    body = b'{"type":"x","data":{"id":1}}'
    answers = [await sqlite_gateway.send(made["webhookUrl"], body, signed.standard(one, body)) for one in earlier]
    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize("date", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
async def test_an_event_whose_date_is_beyond_the_calendar_is_delivered(
    sqlite_gateway: Gateway, receiver: Consumer, date: str
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    body = orjson.dumps({"action": "opened", "issue": {"id": 1, "updated_at": date}})
    answered = await sqlite_gateway.send(made["webhookUrl"], body, signed.github(made["webhookSecret"], body))
    assert answered.status == 200
    await receiver.wait(1, 3)
    path = f"/instances/{made['id']}/events/{receiver.ids[0]}"
    assert (await sqlite_gateway.call("GET", path)).status == 200


async def test_a_refusal_is_counted_whatever_a_trusted_proxy_passes_on(tmp_path: Path) -> None:
    async with started(settings(tmp_path, "", server={"trusted_proxies": ["127.0.0.0/8"]})) as gateway:
        made = await gateway.create("github")
        path = "/in/" + made["webhookUrl"].rsplit("/", 1)[-1]
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX-Forwarded-For: ".encode()
        writer.write(head + b"\xff\r\n\r\n{}")
        assert b" 401 " in await reader.readline()
        writer.close()
        await asyncio.sleep(0.2)
        assert (await gateway.ledger())["refused"] == 1
