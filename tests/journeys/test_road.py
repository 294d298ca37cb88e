"""The main job: a vendor's signed webhook becomes a signed, null-filtered notification."""

import base64
import hashlib
import hmac

import orjson
from standardwebhooks.webhooks import Webhook

from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

BODY = b'{"action":"opened","issue":{"id":7,"title":"Bug","body":null,"score":1.10,"labels":[null,{"color":null}]}}'


async def test_a_signed_webhook_is_delivered_without_its_nulls(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    answered = await gateway.send(made["webhookUrl"], BODY, signed.github(made["webhookSecret"], BODY))
    assert answered.status == 200
    [arrived] = await receiver.wait(1)
    message = orjson.loads(arrived.body)["message"]
    assert message["instance_id"] == made["id"]
    assert message["eventId"] == arrived.id
    assert message["elementKey"] == "github"
    assert [(event["objectType"], event["objectId"], event["eventType"]) for event in message["events"]] == [
        ("issues", "7", "CREATED")
    ]
    assert arrived.body.endswith(
        b'"raw":{"action":"opened","issue":{"id":7,"title":"Bug","score":1.10,"labels":[null,{}]}}}}'
    )


async def test_the_consumer_can_verify_both_signatures(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url(), **{"event.notification.signature.key": "key of the consumer"})
    await gateway.send(made["webhookUrl"], BODY, signed.github(made["webhookSecret"], BODY))
    [arrived] = await receiver.wait(1)
    assert Webhook(made["signingSecret"]).verify(arrived.body, dict(arrived.headers))
    digest = hmac.new(b"key of the consumer", arrived.body, hashlib.sha256).digest()
    assert arrived.headers["Elements-Webhook-Signature"] == "sha256=" + base64.b64encode(digest).decode()
    assert arrived.headers["Elements-Webhook-Id"] == arrived.id


async def test_the_same_delivery_twice_is_one_event(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    headers = signed.github(made["webhookSecret"], BODY)
    for _ in range(3):
        assert (await gateway.send(made["webhookUrl"], BODY, headers)).status == 200
    other = signed.github(made["webhookSecret"], BODY)
    assert (await gateway.send(made["webhookUrl"], BODY, other)).status == 200
    await receiver.wait(2)
    ledger = await gateway.ledger()
    assert (ledger["received"], ledger["accepted"], ledger["duplicate"]) == (4, 2, 2)


async def test_a_failed_delivery_is_tried_again_with_the_same_id_and_bytes(
    gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 500
    made = await gateway.create("github", receiver.url())
    await gateway.send(made["webhookUrl"], BODY, signed.github(made["webhookSecret"], BODY))
    await receiver.wait(2)
    receiver.status = 200
    arrived = await receiver.wait(3)
    assert len({one.id for one in arrived}) == 1
    assert len({one.body for one in arrived}) == 1
