"""Events on their way to 3rd-party connectors, by the engine that delivers to callbacks."""

import asyncio
import hashlib
import hmac
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from aiohttp import web

from gateway.clock import now_ms
from gateway.doctor.examine import Patient, examine
from gateway.thirdparty import store
from gateway.thirdparty.index import ThirdParties
from gateway.thirdparty.model import ThirdParty
from tests.crash.process import process
from tests.crash.vendor import send_one
from tests.delivery.nodes import settled, stand
from tests.delivery.parts import event
from tests.kit import postgres
from tests.kit.consumer import Arrived, Consumer, consumer
from tests.kit.gateway import Gateway, settings, started
from tests.subscriptions.test_publish import publisher
from tests.thirdparty.parts import PLACE, arrive, calls, made


async def is_well(gateway: Gateway) -> None:
    """Nothing that an examination finds, but for destinations that are off, and the vendor that nobody listens at."""
    services = gateway.running.services
    patient = Patient(database=services.runtime.database, seal=services.runtime.seal, folder=None, least_free=0)
    wrong = {one.check: one for one in await examine(patient, full=True) if one.verdict != "ok"}
    assert set(wrong) <= {"destinations", "registrations"}, wrong


async def test_an_event_goes_to_the_callback_and_to_each_connector_that_it_fires(
    gateway: Gateway, receiver: Consumer
) -> None:
    instance = await gateway.create("github", receiver.url("/callback"))
    fires: dict[str, Any] = {"instance_ids": [instance["id"]], "connectors": ["github"], "event_types": ["CREATED"]}
    first = await made(gateway, receiver.url("/one/{body:issue.number}"), name="One", fires=fires)
    await made(gateway, receiver.url("/two"), name="Two", fires={"event_types": ["DELETED"]})
    await made(gateway, receiver.url("/off"), name="Three", enabled=False)
    await arrive(gateway, instance, b'{"action":"opened","issue":{"number":7,"id":1}}')
    await settled(gateway.running.services.runtime.database, delivered=2)
    arrived = {one.path: one for one in receiver.arrived}
    assert set(arrived) == {"/callback", "/one/7"}
    assert arrived["/callback"].body == arrived["/one/7"].body
    [found] = await calls(gateway, first["id"])
    assert (found["state"], found["attempts"][0]["status"], found["event_id"]) == (
        "delivered",
        200,
        arrived["/one/7"].id,
    )
    assert (await gateway.ledger())["routed"] == 1
    await is_well(gateway)


async def test_a_request_is_signed_with_the_connectors_own_secret_and_by_both_while_one_is_rotated(
    gateway: Gateway, receiver: Consumer
) -> None:
    instance = await gateway.create("github")
    target = await made(gateway, receiver.url())
    answered = await gateway.call("POST", f"{PLACE}/{target['id']}/rotate/signing-secret", json={"overlap": "1h"})
    secrets = [answered.json["signing_secret"], target["signing_secret"]]
    await arrive(gateway, instance)
    [one] = await receiver.wait(1)
    assert one.headers["webhook-signature"].split(" ") == [standard(secret, one) for secret in secrets]
    await gateway.call("POST", f"{PLACE}/{target['id']}/rotate/signing-secret", json={"overlap": "0s"})
    await arrive(gateway, instance, b'{"action":"closed"}')
    last = (await receiver.wait(2))[1]
    assert len(last.headers["webhook-signature"].split(" ")) == 1


def standard(secret: str, one: Arrived) -> str:
    content = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    key = b64decode(secret.removeprefix("whsec_"))
    return "v1," + b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


async def test_a_refused_request_is_tried_again_dies_and_is_replayed_to_where_it_failed(
    gateway: Gateway, receiver: Consumer
) -> None:
    database = gateway.running.services.runtime.database
    receiver.status = 500
    instance = await gateway.create("github", receiver.url("/callback"), **{"event.notification.enabled": True})
    target = await made(gateway, receiver.url("/target"))
    await arrive(gateway, instance)
    await settled(database, dead=2)
    paths = [one.path for one in receiver.arrived]
    assert paths.count("/target") == paths.count("/callback") == 4
    receiver.status = 200
    listed = await gateway.call("GET", f"/api/v1/dead-letters?destination_id={target['id']}")
    [letter] = listed.json["items"]
    replayed = await gateway.call("POST", f"/api/v1/dead-letters/{letter['id']}/replay")
    assert replayed.status == 201
    assert replayed.json["destination"]["id"] == target["id"]
    await settled(database, dead=2, delivered=1)
    newest = receiver.arrived[-1]
    assert (newest.path, newest.headers["gateway-replay-id"]) == ("/target", replayed.json["id"])
    assert [one["state"] for one in await calls(gateway, target["id"])] == ["delivered", "dead"]
    # Without a destination an event goes to its callback once more, and to nobody else.
    again = await gateway.call("POST", f"/api/v1/events/{letter['event_id']}/replay")
    assert again.json["destination"]["url"].endswith("/callback")
    await settled(database, dead=2, delivered=2)
    there = await gateway.call(
        "POST", f"/api/v1/events/{letter['event_id']}/replay", json={"destination_id": target["id"]}
    )
    assert there.status == 201
    await settled(database, dead=2, delivered=3)
    assert receiver.arrived[-1].path == "/target"
    job = {"filter": {"instance_id": instance["id"]}, "destination_id": target["id"]}
    assert (await gateway.call("POST", "/api/v1/replays", json=job)).status == 202
    await settled(database, dead=2, delivered=4)
    await is_well(gateway)


async def test_what_answers_410_is_switched_off_and_says_so(gateway: Gateway, receiver: Consumer) -> None:
    database = gateway.running.services.runtime.database
    receiver.status = 410
    instance = await gateway.create("github")
    target = await made(gateway, receiver.url("/x/{event:id}"))
    await arrive(gateway, instance)
    await settled(database, dead=1)
    shown = (await gateway.call("GET", f"{PLACE}/{target['id']}")).json
    assert (shown["enabled"], shown["reason"]) == (False, "gone")
    await arrive(gateway, instance, b'{"action":"closed"}')
    await stand(database, dead=1)
    assert len(receiver.arrived) == 1
    [finding] = [
        one for one in (await gateway.call("GET", "/api/v1/doctor")).json["checks"] if one["check"] == "destinations"
    ]
    assert finding["items"] == [f"3rd-party connector {target['id']}: gone"]
    receiver.status = 200
    assert (await gateway.call("POST", f"{PLACE}/activate", json={"ids": [target["id"]]})).status == 200
    await arrive(gateway, instance, b'{"action":"reopened"}')
    await settled(database, dead=1, delivered=1)


async def test_an_event_whose_callback_failed_is_dead_although_a_connector_took_it(
    gateway: Gateway, receiver: Consumer
) -> None:
    async def answer(one: Arrived) -> web.StreamResponse:
        return web.Response(status=410 if one.path == "/callback" else 200)

    receiver.answer = answer
    instance = await gateway.create("github", receiver.url("/callback"))
    await made(gateway, receiver.url("/target"))
    await arrive(gateway, instance)
    await settled(gateway.running.services.runtime.database, dead=1, delivered=1)
    [event] = (await gateway.call("GET", "/api/v1/events?status=dead")).json["items"]
    assert event["status"] == "dead"
    assert (await gateway.call("GET", "/api/v1/events?status=delivered")).json["items"] == []
    [letter] = (await gateway.call("GET", "/api/v1/dead-letters")).json["items"]
    await gateway.call("POST", f"/api/v1/dead-letters/{letter['id']}/discard", json={"reason": "nobody listens"})
    assert (await gateway.call("GET", "/api/v1/events?status=dead")).json["items"] == []


@pytest.mark.parametrize(("act", "state"), [("disable", "dead"), ("delete", "cancelled")])
async def test_what_is_pending_ends_when_the_connector_is_switched_off_or_deleted(
    gateway: Gateway, receiver: Consumer, act: str, state: str
) -> None:
    database = gateway.running.services.runtime.database
    hold = asyncio.Event()

    async def slowly(_: Arrived) -> web.StreamResponse:
        await hold.wait()
        return web.Response(status=500)

    receiver.answer = slowly
    instance = await gateway.create("github")
    target = await made(gateway, receiver.url())
    for number in range(5):
        await arrive(gateway, instance, b'{"action":"opened","n":%d}' % number)
    await receiver.wait(1)
    one = f"{PLACE}/{target['id']}"
    if act == "disable":
        answered = await gateway.call("POST", f"{PLACE}/disable", json={"ids": [target["id"]]})
    else:
        answered = await gateway.call("DELETE", one)
    assert answered.status < 300
    hold.set()
    await settled(database, **{state: 5})
    assert len(receiver.arrived) <= 2
    await arrive(gateway, instance, b'{"action":"closed"}')
    await stand(database, **{state: 5})
    await is_well(gateway)


async def test_an_event_that_would_break_a_header_is_never_sent_and_never_tried_again(
    gateway: Gateway, receiver: Consumer
) -> None:
    instance = await gateway.create("github")
    headers = [{"name": "X-Title", "value": "{body:title}"}]
    target = await made(gateway, receiver.url(), headers=headers)
    await arrive(gateway, instance, b'{"action":"opened","title":"a\\r\\nX-Evil: 1"}')
    await settled(gateway.running.services.runtime.database, dead=1)
    [found] = await calls(gateway, target["id"])
    assert found["attempts_made"] == 1
    assert found["reason"].startswith("cannot be rendered: headers.0.value: the event would put a line break")
    assert receiver.arrived == []


async def test_no_secret_is_kept_although_the_other_side_says_it_back(gateway: Gateway, receiver: Consumer) -> None:
    async def echo(one: Arrived) -> web.StreamResponse:
        said = " ".join(f"{name}={value}" for name, value in one.headers.items())
        return web.Response(status=200, text=said, headers={"X-Back": one.headers["X-Api-Key"], "X-Ok": "yes"})

    receiver.answer = echo
    instance = await gateway.create("github")
    headers = [{"name": "X-Api-Key", "value": "Key s3cret-value"}]
    basic = {"username": "ann", "password": "p4ssw0rd-long"}
    target = await made(gateway, receiver.url(), headers=headers, basic=basic)
    await arrive(gateway, instance)
    [one] = await receiver.wait(1)
    assert one.headers["X-Api-Key"] == "Key s3cret-value"
    await settled(gateway.running.services.runtime.database, delivered=1)
    kept = orjson.dumps(await calls(gateway, target["id"])).decode()
    assert "X-Api-Key=[redacted]" in kept
    assert {"name": "x-ok", "value": "yes"} in (await calls(gateway, target["id"]))[0]["attempts"][0]["answer_headers"]
    for secret in ("s3cret-value", "p4ssw0rd-long", one.headers["Authorization"].split(" ")[1]):
        assert secret not in kept


async def test_an_address_that_became_forbidden_is_not_dialled(database_url: str, tmp_path: Path) -> None:
    async with consumer() as receiver:
        async with started(settings(tmp_path, database_url)) as gateway:
            secrets = gateway.running.config
            instance = await gateway.create("github")
            target = await made(gateway, receiver.url())
        closed = settings(tmp_path, database_url, egress={"allow_http": True, "allow_networks": []})
        kept = {"bootstrap": secrets.bootstrap, "security": secrets.security}
        async with started(replaced(closed, **kept)) as gateway:
            instance["webhookUrl"] = f"{gateway.url}/in/{instance['webhookUrl'].rsplit('/', 1)[-1]}"
            await arrive(gateway, instance)
            await settled(gateway.running.services.runtime.database, dead=1)
            [found] = await calls(gateway, target["id"])
            assert found["attempts"][0]["reason"].startswith("forbidden_address")
        assert receiver.arrived == []


def replaced(config: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(config, **changes)


async def test_a_connector_gets_what_is_pending_although_the_instance_was_deleted(
    gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 500
    instance = await gateway.create("github")
    await made(gateway, receiver.url(), data=[{"name": "of", "value": "{event:instance_name}"}])
    await arrive(gateway, instance)
    await receiver.wait(1)
    assert (await gateway.call("DELETE", f"/instances/{instance['id']}")).status == 200
    receiver.status = 200
    await settled(gateway.running.services.runtime.database, delivered=1)
    assert receiver.arrived[0].body == b'{"of":"github"}'


async def test_a_payload_of_five_mebibytes_reaches_the_connector(gateway: Gateway, receiver: Consumer) -> None:
    services = gateway.running.services
    publish, view = await publisher(gateway, None)
    await made(gateway, receiver.url(), type="XML", data=[{"name": "big", "value": "{body:big}"}])
    big = event(
        instance_id=view.instance.id, account_id=view.instance.account_id, payload=b'{"big":"%b"}' % (b"<" * (5 << 20))
    )
    await publish.publish(view, [big], now_ms())
    [one] = await receiver.wait(1)
    assert len(one.body) > 4 * (5 << 20)
    await settled(services.runtime.database, delivered=1)


async def test_an_account_without_connectors_is_asked_for_once_and_then_costs_no_question(
    sqlite_gateway: Gateway,
) -> None:
    runtime = sqlite_gateway.running.services.runtime
    account = (await runtime.database.all("SELECT id FROM accounts"))[0]["id"]
    counted = Counted(runtime.database)
    found = ThirdParties(replace(runtime, database=counted))
    assert found.known(account) is None
    assert await found.of_account(account) == ()
    assert counted.questions == 1
    assert [found.known(account) for _ in range(1_000)] == [()] * 1_000
    assert await found.of_account(account) == ()
    assert counted.questions == 1


class Counted:
    """A database that counts what it is asked."""

    def __init__(self, database: Any) -> None:
        self.questions = 0
        self._database = database

    def __getattr__(self, name: str) -> Any:
        self.questions += name in ("one", "all", "transaction", "write")
        return getattr(self._database, name)


async def test_another_node_learns_of_a_change_within_five_seconds(
    postgres_server: str, tmp_path: Path, receiver: Consumer
) -> None:
    url = await postgres.fresh(postgres_server, f"test_{uuid.uuid4().hex}")
    async with started(settings(tmp_path, url)) as gateway:
        services = gateway.running.services
        other = ThirdParties(services.runtime)
        account = (await services.runtime.database.all("SELECT id FROM accounts"))[0]["id"]
        assert await other.of_account(account) == ()
        target = await made(gateway, receiver.url())
        assert await until(other, account, lambda found: bool(found)) < 6
        await gateway.call("POST", f"{PLACE}/disable", json={"ids": [target["id"]]})
        assert await until(other, account, lambda found: not found[0].enabled) < 6
        await other.close()


async def until(other: ThirdParties, account: str, met: Callable[[Sequence[ThirdParty]], bool]) -> float:
    """How many seconds it takes until what is found meets a condition."""
    began = time.monotonic()
    while True:
        if met(await other.of_account(account)):
            return time.monotonic() - began
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.1)


async def test_its_ledger_is_its_own_and_not_that_of_everything(gateway: Gateway, receiver: Consumer) -> None:
    instance = await gateway.create("github", receiver.url("/callback"))
    target = await made(gateway, receiver.url("/target"), fires={"event_types": ["UPDATED"]})
    await arrive(gateway, instance)
    await settled(gateway.running.services.runtime.database, delivered=1)
    found = (await gateway.call("GET", f"/api/v1/ledger?destination_id={target['id']}")).json
    assert (found["received"], found["deliveries"]["created"]) == (0, 0)
    every = (await gateway.call("GET", "/api/v1/destinations")).json["items"]
    assert [(one["kind"], one["id"]) for one in every if one["kind"] == "third_party"] == [
        ("third_party", target["id"])
    ]


@pytest.mark.timeout(120)
async def test_what_was_pending_is_delivered_after_a_kill(database_url: str, tmp_path: Path) -> None:
    async with process(tmp_path, database_url) as gateway, consumer() as receiver:
        receiver.status = 500
        await gateway.start()
        instance = await gateway.create("github", receiver.url("/callback"))
        secrets = gateway.secrets["bootstrap"]
        auth = {"Authorization": f"User {secrets['user_secret']}, Organization {secrets['organization_secret']}"}
        body = {"name": "Target", "url": receiver.url("/target")}
        async with gateway.session.post(gateway.url + PLACE, json=body, headers=auth) as answer:
            assert answer.status == 201
        await send_one(gateway.session, instance)
        await receiver.wait(2)
        await gateway.kill()
        receiver.status = 200
        receiver.arrived.clear()
        await gateway.start()
        await gateway.settled()
        assert {one.path for one in receiver.arrived} == {"/callback", "/target"}
        ledger = await gateway.ledger()
        assert (ledger["delivered"], ledger["pending"], ledger["dead"]) == (2, 0, 0)


async def test_a_store_that_is_asked_for_changes_says_how_many_there_were(gateway: Gateway, receiver: Consumer) -> None:
    database = gateway.running.services.runtime.database
    before = await store.changes(database)
    await made(gateway, receiver.url())
    assert await store.changes(database) == before + 1
