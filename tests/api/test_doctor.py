"""The examination of a gateway that runs."""

from gateway.events.removal import removal
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

BODY = b'{"action":"opened","issue":{"id":7}}'
CHECKS = [
    *("database", "migrations", "sealing_key", "ledger", "deliveries", "destinations", "registrations", "pollers"),
    *("credentials", "jobs"),
]


async def test_a_gateway_that_runs_is_well_and_its_rows_are_what_the_ledger_says(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    for number in range(3):
        headers = signed.github(made["webhookSecret"], BODY + b" " * number)
        assert (await gateway.send(made["webhookUrl"], BODY + b" " * number, headers)).status == 200
    assert (await gateway.send(made["webhookUrl"], BODY, {})).status == 401
    await receiver.wait(3)
    answered = await gateway.call("GET", "/api/v1/doctor?full=true")
    assert answered.status == 200
    verdicts = {one["check"]: one["verdict"] for one in answered.json["checks"]}
    assert {name for name in (*CHECKS, "full_count") if name not in verdicts} == set()
    unwell = {"credentials", "registrations", "pollers"}  # nobody listens where this instance's vendor should be
    assert {name: verdict for name, verdict in verdicts.items() if verdict != "ok" and name not in unwell} == {}
    assert answered.json["full"] is True
    [ledger] = [one for one in answered.json["checks"] if one["check"] == "ledger"]
    assert ledger["detail"].startswith("4 received = 3 accepted + 0 duplicate + 1 refused + 0 ignored;")


async def test_without_full_nothing_is_counted(sqlite_gateway: Gateway) -> None:
    answered = await sqlite_gateway.call("GET", "/api/v1/doctor")
    shown = [one["check"] for one in answered.json["checks"]]
    assert shown == [*CHECKS, "disk"]
    assert answered.json["verdict"] == "ok"


async def test_a_broken_ledger_is_an_answer_and_no_error(gateway: Gateway) -> None:
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO ledger_events (instance_id, shard, received, accepted, duplicate, refused, ignored, routed, "
            "unrouted) VALUES (3, 0, 2, 1, 0, 0, 0, 1, 0)"
        )
    answered = await gateway.call("GET", "/api/v1/doctor")
    assert (answered.status, answered.json["verdict"]) == (200, "failed")
    [ledger] = [one for one in answered.json["checks"] if one["check"] == "ledger"]
    assert ledger["items"] == ["instance 3: received 2, accepted 1, routed 1"]


async def test_only_administrators_are_answered(sqlite_gateway: Gateway) -> None:
    assert (await sqlite_gateway.call("GET", "/api/v1/doctor", headers={})).status == 401
    async with sqlite_gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE users SET role = 'power_user'")
    assert (await sqlite_gateway.call("GET", "/api/v1/doctor")).status == 403


async def test_another_partners_administrator_does_not_see_the_whole_installation(sqlite_gateway: Gateway) -> None:
    made = (await sqlite_gateway.call("POST", "/api/v1/partners", json={"name": "Other"})).json
    theirs = {"Authorization": f"User {made['user']['secret']}, Organization {made['organization_secret']}"}
    assert (await sqlite_gateway.call("GET", "/api/v1/instances", headers=theirs)).status == 200
    assert (await sqlite_gateway.call("GET", "/api/v1/doctor", headers=theirs)).status == 403


async def test_what_it_does_not_know_is_refused(sqlite_gateway: Gateway) -> None:
    for wrong in ("?ful=true", "?full=maybe"):
        answered = await sqlite_gateway.call("GET", "/api/v1/doctor" + wrong)
        assert answered.status == 400, wrong


async def test_what_was_removed_and_what_runs_stands_in_the_metrics(gateway: Gateway) -> None:
    made = await gateway.create("github")
    headers = signed.github(made["webhookSecret"], BODY)
    assert (await gateway.send(made["webhookUrl"], BODY, headers)).status == 200
    database = gateway.running.services.runtime.database
    [row] = await database.all("SELECT id, instance_id FROM events")
    await database.write(removal([(row["id"], row["instance_id"])]))
    text = (await gateway.call("GET", "/metrics")).body.decode()
    assert 'gateway_removed_total{what="events"} 1.0' in text
    assert 'gateway_removed_total{what="dead"} 0.0' in text
    assert 'gateway_jobs_running{kind="replay"} 0.0' in text
    assert (await gateway.ledger())["accepted"] == 1
