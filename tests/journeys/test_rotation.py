"""New secrets for an instance while the old ones still count."""

import asyncio
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.api.asking import bearer, is_problem
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

BODY = b'{"action":"opened","issue":{"id":7}}'


async def deliver(gateway: Gateway, made: dict[str, Any], url: str | None = None, secret: str | None = None) -> int:
    headers = signed.github(secret or made["webhookSecret"], BODY)
    return (await gateway.send(url or made["webhookUrl"], BODY, headers)).status


async def test_the_inbound_url_is_rotated_with_an_overlap(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    path = f"/api/v1/instances/{made['id']}/rotate/webhook-url"
    answered = await gateway.call("POST", path, json={"overlap": "700ms"})
    assert set(answered.json) == {"webhookUrl"}
    fresh = f"{gateway.url}/in/{answered.json['webhookUrl'].rsplit('/', 1)[-1]}"
    assert [await deliver(gateway, made), await deliver(gateway, made, fresh)] == [200, 200]
    await asyncio.sleep(0.8)
    assert [await deliver(gateway, made), await deliver(gateway, made, fresh)] == [404, 200]
    answered = await gateway.call("POST", path, json={"overlap": "0s"}, headers=await bearer(gateway))
    newest = f"{gateway.url}/in/{answered.json['webhookUrl'].rsplit('/', 1)[-1]}"
    assert [await deliver(gateway, made, fresh), await deliver(gateway, made, newest)] == [404, 200]


async def test_both_signing_secrets_sign_while_a_rotation_overlaps(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    path = f"/api/v1/instances/{made['id']}/rotate/signing-secret"
    answered = await gateway.call("POST", path, json={"overlap": "1h"})
    assert await deliver(gateway, made) == 200
    await receiver.wait(1)
    assert verifies(answered.json["signingSecret"], receiver, 0)
    assert verifies(made["signingSecret"], receiver, 0)
    newest = await gateway.call("POST", path, json={"overlap": "0s"})
    assert await deliver(gateway, made) == 200
    await receiver.wait(2)
    assert verifies(newest.json["signingSecret"], receiver, 1)
    assert not verifies(answered.json["signingSecret"], receiver, 1)
    assert not verifies(made["signingSecret"], receiver, 1)


def verifies(secret: str, receiver: Consumer, number: int) -> bool:
    try:
        Webhook(secret).verify(receiver.arrived[number].body, dict(receiver.arrived[number].headers))
    except WebhookVerificationError:
        return False
    return True


async def test_an_earlier_webhook_secret_verifies_until_the_overlap_ends(gateway: Gateway) -> None:
    made = await gateway.create("github")
    path = f"/api/v1/instances/{made['id']}/rotate/webhook-secret"
    second = (await gateway.call("POST", path, json={"overlap": "700ms"})).json["webhookSecret"]
    assert [await deliver(gateway, made), await deliver(gateway, made, secret=second)] == [200, 200]
    await asyncio.sleep(0.8)
    assert [await deliver(gateway, made), await deliver(gateway, made, secret=second)] == [401, 200]
    third = (await gateway.call("POST", path)).json["webhookSecret"]
    assert [await deliver(gateway, made, secret=one) for one in (second, third)] == [200, 200]
    last = (await gateway.call("POST", path, json={"overlap": "0s"})).json["webhookSecret"]
    assert [await deliver(gateway, made, secret=one) for one in (second, third, last)] == [401, 401, 200]


async def test_rotation_says_what_it_cannot_do(sqlite_gateway: Gateway) -> None:
    made, close = await sqlite_gateway.create("github"), await sqlite_gateway.create("closeio")
    path = f"/api/v1/instances/{made['id']}/rotate/"
    bodies: list[Any] = [{"overlap": wrong} for wrong in ("soon", 5, "31d", None, "-1s")] + [{"overlapp": "1h"}, [], 0]
    for body in bodies:
        is_problem(await sqlite_gateway.call("POST", path + "webhook-url", json=body), 400)
    is_problem(await sqlite_gateway.call("POST", path + "password", json={}), 404)
    is_problem(await sqlite_gateway.call("POST", f"/api/v1/instances/{close['id']}/rotate/webhook-secret"), 409)
    statuses = [(await sqlite_gateway.call("POST", path + "signing-secret")).status for _ in range(7)]
    assert statuses == [200, 200, 200, 200, 200, 409, 409]
    assert (await sqlite_gateway.call("POST", path + "signing-secret", json={"overlap": "0s"})).status == 200


async def changed(gateway: Gateway, made: dict[str, Any], **values: Any) -> None:
    answered = await gateway.call("PATCH", f"/instances/{made['id']}", json={"configuration": values})
    assert answered.status == 200, answered.body


async def taken(gateway: Gateway, made: dict[str, Any], *secrets: str) -> list[int]:
    return [await deliver(gateway, made, secret=one) for one in secrets]


async def test_a_secret_that_a_change_replaces_counts_for_a_day(gateway: Gateway) -> None:
    made = await gateway.create("github", **{"webhook.secret": "first"})
    await changed(gateway, made, **{"webhook.secret": "second"})
    await changed(gateway, made, **{"webhook.secret": "second", "owner": "other"})
    assert await taken(gateway, made, "first", "second", "third") == [200, 200, 401]
    services = gateway.running.services
    [kept] = await services.runtime.database.all("SELECT * FROM instance_secrets WHERE kind = 'earlier:webhook.secret'")
    assert kept["expires_at"] - kept["created_at"] == 24 * 3_600_000
    async with services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE instance_secrets SET expires_at = 1 WHERE kind LIKE 'earlier:%'")
    services.index.forget(made["id"])
    assert await taken(gateway, made, "first", "second") == [401, 200]


async def test_a_secret_of_an_instance_that_is_replaced_as_a_whole_counts_on_too(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", **{"webhook.secret": "first"})
    whole = (await sqlite_gateway.call("GET", f"/instances/{made['id']}")).json
    whole["configuration"]["webhook.secret"] = "second"
    assert (await sqlite_gateway.call("PUT", f"/instances/{made['id']}", json=whole)).status == 200
    assert await taken(sqlite_gateway, made, "first", "second") == [200, 200]


async def test_a_list_says_itself_which_secrets_count_and_emptying_ends_them_all(sqlite_gateway: Gateway) -> None:
    own = {"webhook.verify": "token", "webhook.signature.header": "x-key"}
    made = await sqlite_gateway.create("generic", **own, **{"webhook.secret": "first"})

    async def statuses(*secrets: str) -> list[int]:
        sent = [sqlite_gateway.send(made["webhookUrl"], BODY, {"X-Key": one}) for one in secrets]
        return [(await one).status for one in sent]

    await changed(sqlite_gateway, made, **{"webhook.secret": "second"})
    assert await statuses("first", "second") == [200, 200]
    await changed(sqlite_gateway, made, **{"webhook.secret": ["third", "second"]})
    assert await statuses("first", "second", "third") == [401, 200, 200]
    await changed(sqlite_gateway, made, **{"webhook.secret": "third"})
    assert await statuses("second", "third") == [401, 200]
    await changed(sqlite_gateway, made, **{"webhook.secret": "fourth"})
    await changed(sqlite_gateway, made, **{"webhook.verify": "none", "webhook.secret": None})
    await changed(sqlite_gateway, made, **own, **{"webhook.secret": "fifth"})
    assert await statuses("third", "fourth", "fifth") == [401, 401, 200]


async def test_so_many_earlier_secrets_count_and_no_more(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", **{"webhook.secret": "s0"})
    for number in range(1, 6):
        await changed(sqlite_gateway, made, **{"webhook.secret": f"s{number}"})
    assert await taken(sqlite_gateway, made, "s0", "s4", "s5") == [200, 200, 200]
    await changed(sqlite_gateway, made, **{"webhook.secret": "s6"})
    assert await taken(sqlite_gateway, made, "s0", "s4", "s5", "s6") == [401, 401, 200, 200]
