"""Accounts in the console: what one says of itself, and a partner's accounts for its administrators."""

import re

import pytest

from tests.accounts.parts import account as another
from tests.accounts.parts import partner
from tests.console.person import Page, Person, add_user, first_account, signed_in
from tests.kit.gateway import Gateway

OWN = "/console/settings/account"
PATH = "/console/settings/accounts"
_VERSION = re.compile(r'name="version" value="([0-9]+)"')


def version(page: Page) -> str:
    found = _VERSION.search(page.text)
    assert found is not None
    return found[1]


async def change(person: Person, **fields: str) -> Page:
    shown = await person.get(OWN)
    return await person.post(OWN, {"name": "Shop", "timezone": "UTC", "version": version(shown), **fields})


async def test_an_account_s_name_and_zone_are_changed_and_every_time_follows(gateway: Gateway) -> None:
    async with signed_in(gateway, "power_user") as person:
        page = await change(person, name="Shop & Söhne", timezone="Asia/Kolkata", description="one\r\ntwo")
        assert "The account is saved." in page.shown
        account = await first_account(gateway)
        assert (account.name, account.timezone, account.description) == ("Shop & Söhne", "Asia/Kolkata", "one\ntwo")
        log = await person.get("/console/settings/audit")
        assert "changed name, timezone, description" in log.shown
        utc, local = re.findall(r'title="[-0-9]+ ([0-9]+):[^"]*UTC">[^<]*, ([0-9]+):', log.text)[0]
        assert (int(local) - int(utc)) % 24 in (5, 6)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"description": "x" * 4_001}, "description"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    sqlite_gateway: Gateway, fields: dict[str, str], field: str
) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await change(person, **{"description": "kept <i>", **fields})
        assert page.status == 400
        assert f'id="{field}-problem"' in page.text
        if "description" not in fields:
            assert "kept &lt;i&gt;" in page.text


async def test_of_two_who_edit_the_second_is_told_and_loses_nothing(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as first, signed_in(sqlite_gateway, "power_user") as second:
        before = version(await second.get(OWN))
        await change(first, name="By the first")
        page = await change(second, name="By the second", version=before)
        assert page.status == 409
        assert "Somebody has changed this account meanwhile" in page.shown
        assert 'value="By the second"' in page.text
        assert "By the first" in page.shown
        assert (await first_account(sqlite_gateway)).name == "By the first"
        again = await change(second, name="By the second")
        assert again.status == 200
    assert (await first_account(sqlite_gateway)).name == "By the second"


async def test_how_long_events_are_kept_is_the_partner_s_to_say(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(f"{OWN}/retention", {"events": "90d", "payloads": "12h"})
        assert 'value="90d"' in page.text
        wrong = await person.post(f"{OWN}/retention", {"events": "2d", "payloads": "3d"})
        assert wrong.status == 400
        assert 'id="payloads-problem"' in wrong.text
        none = await person.post(f"{OWN}/retention", {"events": "", "payloads": ""})
        assert 'value="90d"' not in none.text
    async with signed_in(sqlite_gateway, "power_user") as person:
        assert (await person.post(f"{OWN}/retention", {"events": "1d"})).status == 403


async def test_who_only_reads_sees_the_account_without_a_form(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "end_user") as person:
        page = await person.get(OWN)
        assert "Default" in page.shown
        assert f'action="{OWN}"' not in page.text
        assert f'action="{OWN}/password"' in page.text
        assert (await person.post(OWN, {"name": "Mine", "timezone": "UTC", "version": "0"})).status == 403


async def test_an_account_is_made_entered_and_deleted(gateway: Gateway) -> None:
    async with signed_in(gateway) as person:
        made = await person.post(f"{PATH}/new", {"name": "Two", "external_id": "c-2", "timezone": "Europe/London"})
        assert "The account Two is created." in made.shown
        account_id = re.findall(r'name="account" value="([0-9a-f]{32})"', made.text)[0]
        entered = await person.post("/console/account", {"account": account_id})
        assert "Two" in entered.shown
        refused = await person.post(f"{PATH}/{account_id}/remove", {"name": "Two"})
        assert refused.status == 409
        await person.post("/console/account", {"account": (await first_account(gateway)).id})
        wrong = await person.post(f"{PATH}/{account_id}/remove", {"name": "Too"})
        assert wrong.status == 400
        assert 'id="name-problem"' in wrong.text
        gone = await person.post(f"{PATH}/{account_id}/remove", {"name": "Two"})
        assert "The account Two is deleted." in gone.shown
        assert (await person.get(f"{PATH}/{account_id}")).status == 404
        log = (await person.get("/console/settings/audit")).shown
        for act in ("Created an account", "Looked at another account", "Deleted an account"):
            assert act in log


async def test_the_account_of_the_administrators_stays(sqlite_gateway: Gateway) -> None:
    first = await first_account(sqlite_gateway)
    async with signed_in(sqlite_gateway) as person:
        assert (await person.post(f"{PATH}/{first.id}/remove", {"name": first.name})).status == 409


async def test_an_own_id_that_is_taken_is_told_at_its_field(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        fields = {"name": "Two", "external_id": "c-2", "timezone": "UTC"}
        await person.post(f"{PATH}/new", fields)
        page = await person.post(f"{PATH}/new", {**fields, "name": "Three"})
        assert page.status == 409
        assert 'id="external_id-problem"' in page.text


async def test_accounts_are_listed_in_pages_sorted_and_searched(sqlite_gateway: Gateway) -> None:
    database, first = sqlite_gateway.running.services.runtime.database, await first_account(sqlite_gateway)
    for number in range(30):
        await another(database, first.partner_id, f"Customer {number:02d}%", external_id=f"c-{number}")
    await another(database, (await partner(database, "Other")).partner.id, "Customer of another")
    async with signed_in(sqlite_gateway) as person:
        page = await person.get(PATH)
        assert "1 to 25 of 31" in page.shown
        assert "Customer 29" in (await person.get(f"{PATH}?page=2")).shown
        assert "Customer 29" in (await person.get(f"{PATH}?sort=name&down=1")).shown
        for wanted in ("customer 07", "c-7", "07%"):
            found = await person.get(f"{PATH}?q={wanted.replace('%', '%25').replace(' ', '+')}")
            assert "Customer 07%" in found.shown
            assert "Customer 08%" not in found.shown
        assert "of another" not in (await person.get(f"{PATH}?q=customer+of")).shown
        assert (await person.get(f"{PATH}?page=99")).status == 200
        for bad in ("page=x", "size=0"):
            assert (await person.get(f"{PATH}?{bad}")).status == 400


async def test_another_partner_s_account_is_not_there(sqlite_gateway: Gateway) -> None:
    stranger = (await partner(sqlite_gateway.running.services.runtime.database, "Other")).account
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get(f"{PATH}/{stranger.id}")).status == 404
        assert (await person.post(f"{PATH}/{stranger.id}", {"name": "x", "timezone": "UTC"})).status == 404
        assert (await person.post(f"{PATH}/{stranger.id}/remove", {"name": stranger.name})).status == 404
        assert (await person.post("/console/account", {"account": stranger.id})).status == 404


async def test_accounts_are_for_administrators(sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "x", "end_user")
    async with signed_in(sqlite_gateway, "power_user") as person:
        assert (await person.get(PATH)).status == 403
        assert f'href="{PATH}"' not in (await person.get(OWN)).text
