"""One event or one delivery is sent again, and what stands in the way of that."""

from tests.api.asking import colleague, is_problem, stranger
from tests.delivery.road import never, patch, until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays.parts import call, deliveries_of, destination_of, send

NOBODY = "0" * 32


async def test_a_delivered_event_is_sent_again_under_its_id_and_marked(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    [event_id] = await send(gateway, made, 1)
    await until(gateway, delivered=1)
    answered = await call(gateway, "POST", f"/events/{event_id}/replay")
    assert answered.status == 201, answered.body
    await until(gateway, delivered=2, created=2)
    first, second = receiver.arrived
    assert (first.id, first.body) == (second.id, second.body) == (event_id, first.body)
    assert "Gateway-Replay-Id" not in first.headers
    assert second.headers["Gateway-Replay-Id"] == answered.json["id"] == answered.json["replay_id"]


async def test_an_event_is_sent_again_to_another_destination(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url("/one"))
    other = await gateway.create("generic", receiver.url("/other"))
    [event_id] = await send(gateway, made, 1)
    await until(gateway, delivered=1)
    body = {"destination_id": await destination_of(gateway, other)}
    answered = await call(gateway, "POST", f"/events/{event_id}/replay", body)
    assert (answered.status, answered.json["destination"]["instance_id"]) == (201, other["id"])
    await until(gateway, delivered=2)
    assert [one.path for one in receiver.arrived] == ["/one", "/other"]
    assert receiver.arrived[0].body == receiver.arrived[1].body


async def test_an_event_that_had_no_destination_is_sent_once_it_has_one(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github")
    [event_id] = await send(gateway, made, 1)
    assert "no callback URL" in is_problem(await call(gateway, "POST", f"/events/{event_id}/replay"), 409)
    await patch(gateway, made, receiver.url())
    assert (await call(gateway, "POST", f"/events/{event_id}/replay")).status == 201
    await receiver.wait(1)
    assert receiver.ids == [event_id]


async def test_an_event_on_its_way_is_not_sent_twice(gateway: Gateway, receiver: Consumer) -> None:
    receiver.answer = never
    made = await gateway.create("github", receiver.url())
    [event_id] = await send(gateway, made, 1)
    await receiver.wait(1)
    assert "on its way" in is_problem(await call(gateway, "POST", f"/events/{event_id}/replay"), 409)
    [delivery] = await deliveries_of(gateway, event_id)
    assert "on its way" in is_problem(await call(gateway, "POST", f"/deliveries/{delivery['id']}/replay"), 409)
    assert len(await deliveries_of(gateway, event_id)) == 1


async def test_a_dead_delivery_is_sent_again_and_names_the_one_in_its_place(
    gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 500
    made = await gateway.create("github", receiver.url())
    [event_id] = await send(gateway, made, 1)
    await until(gateway, dead=1)
    receiver.status = 200
    [dead] = await deliveries_of(gateway, event_id)
    again = await call(gateway, "POST", f"/deliveries/{dead['id']}/replay")
    await until(gateway, dead=1, delivered=1, created=2)
    assert again.status == 201
    assert [one["replayed_as"] for one in await deliveries_of(gateway, event_id)] == [again.json["id"], None]


async def test_a_destination_that_is_off_or_gone_takes_no_replay(gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 410
    made = await gateway.create("github", receiver.url())
    [event_id] = await send(gateway, made, 1)
    await until(gateway, dead=1)
    assert "is off (gone)" in is_problem(await call(gateway, "POST", f"/events/{event_id}/replay"), 409)
    [dead] = await deliveries_of(gateway, event_id)
    assert (await gateway.call("DELETE", f"/instances/{made['id']}")).status == 200
    assert is_problem(await call(gateway, "POST", f"/deliveries/{dead['id']}/replay"), 409)
    assert len(await deliveries_of(gateway, event_id)) == 1


async def test_an_event_without_its_payload_is_not_sent(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    [event_id] = await send(gateway, made, 1)
    await until(gateway, delivered=1)
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE events SET emptied_at = 1, payload = $1", b"")
    assert "retention" in is_problem(await call(gateway, "POST", f"/events/{event_id}/replay"), 409)


async def test_what_belongs_to_others_is_not_found(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    [event_id] = await send(gateway, made, 1)
    await until(gateway, delivered=1)
    [delivery] = await deliveries_of(gateway, event_id)
    for who in (await stranger(gateway), await colleague(gateway, same_account=False)):
        for path in (f"/events/{event_id}/replay", f"/deliveries/{delivery['id']}/replay"):
            assert is_problem(await call(gateway, "POST", path, headers=who), 404)
    body = {"destination_id": 999}
    assert is_problem(await call(gateway, "POST", f"/events/{event_id}/replay", body), 404)


async def test_what_cannot_be_read_is_refused_with_its_field(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    for path in (f"/events/{NOBODY}/replay", f"/deliveries/{NOBODY}/replay", "/events/%00/replay", "/events/1/replay"):
        assert is_problem(await call(gateway, "POST", path), 404)
    for body in ({"destination_id": "x"}, {"destination_id": 1.5}, {"destination_id": -1}, {"to": 1}, [1]):
        answered = await call(gateway, "POST", f"/events/{NOBODY}/replay", body)
        assert is_problem(answered, 400)
        assert answered.json["errors"]
