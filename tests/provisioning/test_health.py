"""How instances stand: found by their trouble, in pages, with figures that are right."""

from dataclasses import replace

import pytest

from gateway.accounts import store as accounts
from gateway.accounts.model import AccountId, Caller
from gateway.errors import Conflict
from gateway.history.ledgers import store as ledgers
from gateway.provisioning import instances
from gateway.provisioning.details import Details, details
from gateway.provisioning.draft import Draft
from gateway.provisioning.health import store
from gateway.provisioning.health.model import NOTHING, STANDINGS, Chosen, Figures, Standing
from gateway.storage.database import Database
from tests.console.person import first_account
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.registrations.office import eventually

TROUBLE: dict[Standing, str] = {
    "login": "INSERT INTO logins (instance_id, state, since, tries, lease_until) VALUES ({}, 'reauth', 0, 0, 0) "
    "ON CONFLICT (instance_id) DO UPDATE SET state = 'reauth'",
    "registration": "INSERT INTO registrations (instance_id, state, since, attempts, wishes, lease_until, epoch) "
    "VALUES ({}, 'failing', 0, 0, 0, 0, 0)",
    "polls": "INSERT INTO pollers (id, instance_id, name, enabled, state, since, failures, records_total, lease_until, "
    "epoch, wishes, updated_at, cursor) VALUES ('p', {}, 'leads', 1, 'disabled', 0, 9, 0, 0, 0, 0, 0, '{{}}')",
    "destination": "UPDATE destinations SET state = 'off' WHERE instance_id = {}",
    "disabled": "UPDATE instances SET enabled = 0 WHERE id = {}",
}


async def caller_of(gateway: Gateway) -> Caller:
    account = await first_account(gateway)
    user = await accounts.user_named(database(gateway), account.partner_id, "admin")
    assert user is not None
    return Caller(partner_id=account.partner_id, account_id=account.id, user=user)


def database(gateway: Gateway) -> Database:
    return gateway.running.services.runtime.database


async def test_each_trouble_is_found_and_what_is_well_has_none(gateway: Gateway, receiver: Consumer) -> None:
    caller = await caller_of(gateway)
    made = {one: (await gateway.create("generic", receiver.url()))["id"] for one in STANDINGS}
    async with database(gateway).transaction() as transaction:
        for standing, sql in TROUBLE.items():
            await transaction.execute(sql.format(made[standing]))
    for standing in STANDINGS:
        found = await store.page(database(gateway), caller, Chosen(standing=standing), size=50)
        assert [one.id for one in found.items] == [made[standing]], standing


async def test_what_is_switched_off_has_no_other_trouble(sqlite_gateway: Gateway) -> None:
    caller, made = await caller_of(sqlite_gateway), (await sqlite_gateway.create("generic"))["id"]
    async with database(sqlite_gateway).transaction() as transaction:
        await transaction.execute(TROUBLE["login"].format(made))
        await transaction.execute(TROUBLE["disabled"].format(made))
    found = await store.page(database(sqlite_gateway), caller, Chosen(standing="login"), size=50)
    assert found.items == []


async def test_pages_are_walked_through_in_both_directions(gateway: Gateway) -> None:
    caller = await caller_of(gateway)
    made = [(await gateway.create("generic"))["id"] for _ in range(5)][::-1]
    first = await store.page(database(gateway), caller, Chosen(), size=2)
    assert ([one.id for one in first.items], first.newer, first.older) == (made[:2], False, True)
    second = await store.page(database(gateway), caller, Chosen(), before=made[1], size=2)
    assert ([one.id for one in second.items], second.newer, second.older) == (made[2:4], True, True)
    last = await store.page(database(gateway), caller, Chosen(), before=made[3], size=2)
    assert ([one.id for one in last.items], last.newer, last.older) == (made[4:], True, False)
    back = await store.page(database(gateway), caller, Chosen(), after=made[3], size=2)
    assert ([one.id for one in back.items], back.newer, back.older) == (made[1:3], True, True)
    begin = await store.page(database(gateway), caller, Chosen(), after=made[2], size=2)
    assert ([one.id for one in begin.items], begin.newer) == (made[:2], False)


async def test_a_search_finds_a_part_of_the_name_a_connector_or_the_number(gateway: Gateway) -> None:
    caller = await caller_of(gateway)
    generic, close = (await gateway.create("generic"))["id"], (await gateway.create("closeio"))["id"]
    await gateway.call("PATCH", f"/instances/{generic}", json={"name": "Ümläut 100% & co_"})
    for text, expected in {"ml": generic, "100%": generic, "O_": generic, "CLOSE": close, str(close): close}.items():
        found = await store.page(database(gateway), caller, Chosen(search=text), size=50)
        assert [one.id for one in found.items] == [expected], text
    found = await store.page(database(gateway), caller, Chosen(connector="closeio"), size=50)
    assert [one.id for one in found.items] == [close]


async def test_another_account_s_instances_are_not_found(sqlite_gateway: Gateway) -> None:
    caller = await caller_of(sqlite_gateway)
    await sqlite_gateway.create("generic")
    other = replace(caller, account_id=AccountId("00000000-0000-0000-0000-000000000000"))
    assert (await store.page(database(sqlite_gateway), other, Chosen(), size=50)).items == []


async def test_figures_tell_the_last_event_and_what_waits_and_what_died(gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 500
    made = await gateway.create("generic", receiver.url(), **{"webhook.verify": "none"})
    answered = await gateway.send(made["webhookUrl"], b'{"a":1}', {"Content-Type": "application/json"})
    assert answered.status < 300

    async def figures() -> Figures:
        return (await store.figures(database(gateway), [made["id"]]))[made["id"]]

    async def has_died() -> bool:
        found = await figures()
        assert found.pending + found.dead == 1
        return found.dead == 1

    await eventually(has_died)
    caller, ledger = await caller_of(gateway), await store.ledger(database(gateway), made["id"])
    assert ledger == await ledgers.ledger(database(gateway), caller, made["id"], None)
    assert (ledger.events["accepted"], ledger.deliveries["dead"]) == (1, 1)
    assert (await figures()).last_event_at is not None


async def test_figures_of_an_instance_without_anything_are_nothing(gateway: Gateway) -> None:
    made = await gateway.create("generic")
    assert await store.figures(database(gateway), [made["id"]]) == {made["id"]: NOTHING}


async def test_a_change_that_is_not_agreed_to_changes_nothing(sqlite_gateway: Gateway) -> None:
    caller, made = await caller_of(sqlite_gateway), (await sqlite_gateway.create("generic"))["id"]
    rooms, seen = sqlite_gateway.running.services, list[str]()

    def agreed(found: Details) -> None:
        seen.append(found.instance.name)
        raise Conflict("not like this")

    with pytest.raises(Conflict, match="not like this"):
        await instances.change(rooms, caller, made, Draft(name="another"), agreed=agreed)
    assert seen == ["generic"]
    assert (await details(rooms.runtime, caller, made)).instance.name == "generic"
