"""Dead letters in the console: counted by destination, sent again or laid down, a few or all of them."""

import re

import pytest

from tests.api.asking import eventually
from tests.console.person import Page, Person, signed_in
from tests.delivery.road import until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays import parts

PATH = "/console/dead-letters"
_TICKS = re.compile(r'name="letter" value="([0-9a-f]{32})"')
_LOOKED = re.compile(r'name="looked" value="([0-9a-f]*)"')


async def dead(gateway: Gateway, receiver: Consumer, number: int = 3) -> int:
    """So many dead letters at an instance's callback, which is well again; its number."""
    receiver.status = 500
    made = await gateway.create("github", receiver.url())
    await parts.send(gateway, made, *range(number))
    await until(gateway, dead=number)
    receiver.status = 200
    receiver.arrived.clear()
    return await parts.destination_of(gateway, made)


async def audited(person: Person) -> str:
    return (await person.get("/console/settings/audit")).shown


async def one_by_one(person: Person, destination: int) -> tuple[str, list[str]]:
    path = f"{PATH}?destination_id={destination}"
    return path, _TICKS.findall((await person.get(path)).text)


async def test_an_account_without_any_says_that_all_is_well(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        assert "No dead letters" in (await person.get(PATH)).shown


async def test_letters_are_counted_by_their_destination(gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(gateway, receiver)
    async with signed_in(gateway) as person:
        page = await person.get(PATH)
        assert f"{PATH}?destination_id={destination}" in page.text
        assert "github" in page.shown
        assert re.search(r'<td class="number">3</td>', page.text)
        one = await person.get(f"{PATH}?destination_id={destination}")
        assert len(_TICKS.findall(one.text)) == 3
        assert "500" in one.shown


async def test_what_is_ticked_is_sent_again_and_written_down(gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(gateway, receiver)
    async with signed_in(gateway, "limited_power_user") as person:
        path, letters = await one_by_one(person, destination)
        page = await person.post(path, [("letter", letters[0]), ("letter", letters[1]), ("act", "again")])
        assert page.status == 200
        assert "2 are sent again." in page.shown
        assert _TICKS.findall(page.text) == letters[2:]
    await receiver.wait(2)
    async with signed_in(gateway, "power_user") as person:
        assert "Sent dead letters again" in await audited(person)


async def test_what_is_ticked_is_laid_down_for_a_reason(gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(gateway, receiver)
    async with signed_in(gateway, "power_user") as person:
        path, letters = await one_by_one(person, destination)
        page = await person.post(path, {"letter": letters[0], "act": "down", "reason": "order <b>cancelled</b>"})
        assert "It is discarded." in page.shown
        assert letters[0] not in page.text
        log = await person.get("/console/settings/audit")
        assert "order <b>cancelled</b>" in log.shown.replace("&lt;", "<")
        assert "<b>cancelled" not in log.text


@pytest.mark.parametrize("reason", ["", "x" * 501, "a\x00b", "two\nlines"])
async def test_laying_down_wants_a_reason_and_keeps_the_ticks(
    sqlite_gateway: Gateway, receiver: Consumer, reason: str
) -> None:
    destination = await dead(sqlite_gateway, receiver, 1)
    async with signed_in(sqlite_gateway) as person:
        path, letters = await one_by_one(person, destination)
        page = await person.post(path, {"letter": letters[0], "act": "down", "reason": reason})
        assert page.status == 400
        assert 'id="reason-problem"' in page.text
        assert re.search(rf'value="{letters[0]}"[^>]* checked', page.text)


async def test_nothing_ticked_and_too_much_ticked_are_refused(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(sqlite_gateway, receiver, 1)
    async with signed_in(sqlite_gateway) as person:
        path, _ = await one_by_one(person, destination)
        for fields in ([], [("letter", f"{n:032x}") for n in range(51)], [("letter", "../x")]):
            page = await person.post(path, [*fields, ("act", "again")])
            assert page.status == 400
            assert "Tick up to 50" in page.shown


async def test_one_that_is_no_dead_letter_any_more_is_told(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(sqlite_gateway, receiver, 2)
    async with signed_in(sqlite_gateway) as person:
        path, letters = await one_by_one(person, destination)
        await person.post(path, {"letter": letters[0], "act": "again"})
        page = await person.post(path, [("letter", letters[0]), ("letter", letters[1]), ("act", "again")])
        assert page.status == 400
        assert "1 were sent again, 1 were not." in page.shown
        assert "no dead letter any more" in page.shown


async def test_all_are_sent_again_by_a_job_after_a_look(gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(gateway, receiver)
    async with signed_in(gateway, "power_user") as person:
        query = f"act=again&destination_id={destination}"
        asked = await person.get(f"{PATH}/all?{query}")
        assert "3 match" in asked.shown
        looked = _LOOKED.findall(asked.text)[0]
        fields = {"act": "again", "destination_id": destination, "rate": "1000", "looked": looked}
        page = await person.post(f"{PATH}/all", fields)
        assert page.path.startswith("/console/replays/"), page.shown
        assert "The replay has started." in page.shown

        async def done() -> Page:
            return await person.get(page.path)

        await eventually(done, lambda found: 'data-state="done"' in found.text)
        assert "Started a job" in await audited(person)
    await receiver.wait(3)


async def test_all_are_laid_down_for_a_reason(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    await dead(sqlite_gateway, receiver)
    async with signed_in(sqlite_gateway) as person:
        asked = await person.get(f"{PATH}/all?act=down")
        assert "All events" in asked.shown
        looked = _LOOKED.findall(asked.text)[0]
        without = await person.post(f"{PATH}/all", {"act": "down", "looked": looked})
        assert without.status == 400
        assert 'id="reason-problem"' in without.text
        page = await person.post(f"{PATH}/all", {"act": "down", "looked": looked, "reason": "not wanted"})
        assert page.path.startswith("/console/replays/"), page.shown
        await until(sqlite_gateway, cancelled=3)
        assert "No dead letters" in (await person.get(PATH)).shown


async def test_what_was_not_looked_at_is_looked_at_first(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(sqlite_gateway, receiver)
    async with signed_in(sqlite_gateway) as person:
        everything = _LOOKED.findall((await person.get(f"{PATH}/all?act=again")).text)[0]
        fields = {"act": "again", "destination_id": destination, "rate": "50", "looked": everything}
        page = await person.post(f"{PATH}/all", fields)
        assert page.status == 200
        assert page.path == f"{PATH}/all"
        assert _LOOKED.findall(page.text)[0] != everything
        assert "No replays yet" in (await person.get("/console/replays")).shown


@pytest.mark.parametrize(
    "query",
    [
        "destination_id=x",
        "since=yesterday",
        "destination_id=999999",
        "instance_id=999999",
        "since=2026-02-02&until=2026-01-01",
    ],
)
async def test_a_filter_that_cannot_be_used_is_told(sqlite_gateway: Gateway, query: str) -> None:
    async with signed_in(sqlite_gateway) as person:
        for path in (f"{PATH}?{query}", f"{PATH}/all?act=again&{query}", f"{PATH}/all?act=down&{query}"):
            assert (await person.get(path)).status in (400, 404), path


async def test_another_account_s_destination_is_not_there(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    destination = await dead(sqlite_gateway, receiver)
    async with signed_in(sqlite_gateway) as person:
        made = await person.post("/console/settings/accounts/new", {"name": "Two", "timezone": "UTC"})
        assert made.status == 200
        found = re.findall(r'name="account" value="([0-9a-f]{32})"', made.text)
        await person.post("/console/account", {"account": found[0]})
        assert "No dead letters" in (await person.get(PATH)).shown
        assert (await person.get(f"{PATH}?destination_id={destination}")).status == 404
        assert (await person.get(f"{PATH}/all?act=again&destination_id={destination}")).status == 404
