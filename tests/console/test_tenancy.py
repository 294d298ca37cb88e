"""What another account or partner has: nothing of it is seen and nothing done to it, at no address of the console."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from gateway.accounts.model import Role
from tests.accounts.parts import account, partner
from tests.console.person import Page, Person, first_account, signed_in
from tests.console.scene import MARK, Scene, routes, scene
from tests.console.thirdparty_parts import filled
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

THIRD = "/console/settings/third-party-connectors"
#: What a change would show in.
_TABLES = ("instances", "third_parties", "destinations", "deliveries", "events", "jobs", "users", "accounts")


@asynccontextmanager
async def stranger(gateway: Gateway, whose: str) -> AsyncIterator[Person]:
    """Somebody who may as much as anybody, elsewhere: at another partner, or in another account of this one."""
    database = gateway.running.services.runtime.database
    if whose == "partner":
        elsewhere = signed_in(gateway, "administrator", (await partner(database, "Elsewhere")).account)
    else:
        beside = await account(database, (await first_account(gateway)).partner_id, "Elsewhere")
        elsewhere = signed_in(gateway, "power_user", beside)
    async with elsewhere as person:
        yield person


async def state(gateway: Gateway) -> dict[str, Any]:
    database = gateway.running.services.runtime.database
    return {name: await database.all(f"SELECT * FROM {name} ORDER BY id") for name in _TABLES}


def queries(there: Scene) -> list[str]:
    """Addresses that name what is there in their query."""
    return [
        f"/console/events?instance_id={there.instance}",
        f"/console/events?account_id={there.account}",
        f"/console/events/rows?id={there.event}",
        f"/console/events/live?instance_id={there.instance}",
        f"/console/dead-letters?destination_id={there.destination}",
        f"/console/dead-letters?instance_id={there.instance}",
        f"/console/dead-letters/all?act=again&destination_id={there.destination}",
        f"/console/dead-letters/all?act=down&instance_id={there.instance}",
        f"/console/replays/new?instance_id={there.instance}&destination={there.connector}",
        f"/console/replays/new?instance_id={there.instance}&destination={there.destination}",
        f"/console/where?q={there.event}",
        f"/console/settings/audit?account_id={there.account}",
        f"/console/settings/audit?subject_id={there.instance}",
        "/console/settings/users?all=1&q=admin",
        f"/console/settings/accounts?q={there.account}",
        f"{THIRD}/new?copy={there.connector}",
        f"/console/oauth/start?instance={there.instance}",
        f"/console/oauth/done?instance={there.instance}",
        f"/console/oauth/callback?code=x&state={there.instance}.0.99999999999999.00.00",
        f"/console/instances?before={there.instance + 1}",
        "/console?of=partner",
    ]


def sent(there: Scene) -> list[tuple[str, list[tuple[str, str]]]]:
    """Forms that name what is there in a field."""
    instance, connector, destination = str(there.instance), str(there.connector), str(there.destination)
    return [
        ("/console/account", [("account", there.account)]),
        (f"{THIRD}/activate", [("id", connector)]),
        (f"{THIRD}/disable", [("id", connector)]),
        (f"{THIRD}/new", filled(("copy", connector))),
        (f"{THIRD}/new", filled(("fires.instance_ids", instance))),
        (f"{THIRD}/preview", filled(("id", connector))),
        (f"{THIRD}/preview", filled(("event", there.event))),
        (f"{THIRD}/test", filled(("id", connector))),
        (f"{THIRD}/test", filled(("event", there.event))),
        ("/console/dead-letters", [("letter", there.delivery), ("act", "again")]),
        ("/console/dead-letters", [("letter", there.delivery), ("act", "down"), ("reason", "why not")]),
        ("/console/dead-letters/all", [("act", "again"), ("destination_id", destination)]),
        ("/console/replays/new", [("instance_id", instance), ("go", "1")]),
        ("/console/replays/new", [("everything", "1"), ("destination", connector), ("go", "1")]),
        ("/console/replays/new", [("everything", "1"), ("destination", destination), ("go", "1")]),
        ("/console/where", [("body", '{"a":1}'), ("q", there.event)]),
    ]


def tells(page: Page) -> bool:
    return MARK in page.text or "octo/hello" in page.text


@pytest.mark.parametrize("whose", ["partner", "account"])
async def test_no_address_leads_to_what_others_have(gateway: Gateway, receiver: Consumer, whose: str) -> None:
    there = await scene(gateway, receiver)
    before, wrong = await state(gateway), []
    async with stranger(gateway, whose) as person:
        before |= {name: (await state(gateway))[name] for name in ("users", "accounts")}
        for method, ask in (("GET", person.get), ("POST", person.post)):
            named = [one for one in routes(method) if "{id}" in one]
            assert named
            for pattern in named:
                page = await ask(there.place(pattern), allow_redirects=False)
                if page.status not in (403, 404) or tells(page):
                    wrong.append((method, pattern, page.status))
    assert wrong == []
    assert await state(gateway) == before


@pytest.mark.parametrize("whose", ["partner", "account"])
async def test_no_field_leads_to_what_others_have(sqlite_gateway: Gateway, receiver: Consumer, whose: str) -> None:
    there = await scene(sqlite_gateway, receiver)
    wrong: list[object] = []
    async with stranger(sqlite_gateway, whose) as person:
        before = await state(sqlite_gateway)
        for path in queries(there):
            page = await person.get(path, allow_redirects=False, timeout=5) if "live" not in path else None
            if page is not None and (page.status >= 500 or tells(page)):
                wrong.append((path, page.status))
        live = await person.session.get(f"{sqlite_gateway.url}/console/events/live?instance_id={there.instance}")
        assert live.status == 404
        for path, fields in sent(there):
            page = await person.post(path, fields, allow_redirects=False)
            if page.status >= 500 or tells(page):
                wrong.append((path, fields, page.status))
        after = await state(sqlite_gateway)
    assert wrong == []
    ours = {name: [row for row in after[name] if row in before[name]] for name in _TABLES}
    assert ours == before


@pytest.mark.parametrize("role", ["end_user", "administrator"])
async def test_no_page_tells_what_opens_something(
    sqlite_gateway: Gateway, receiver: Consumer, role: Role, capfd: pytest.CaptureFixture[str]
) -> None:
    there, told = await scene(sqlite_gateway, receiver), []
    async with signed_in(sqlite_gateway, role) as person:
        for pattern in routes("GET"):
            if not pattern.endswith("/live"):
                page = await person.get(there.place(pattern), allow_redirects=False)
                told += [(pattern, place) for place, secret in enumerate(there.secrets) if secret in page.text]
    # Who may change an instance finds the token of its API on its page, folded away.
    assert told == ([] if role == "end_user" else [("/console/instances/{id}", there.secrets.index(there.token))])
    written = "".join(capfd.readouterr())
    assert [secret for secret in there.secrets if secret in written] == []


async def test_the_owner_sees_all_of_it(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    there = await scene(sqlite_gateway, receiver)
    async with signed_in(sqlite_gateway) as person:
        for pattern in ("/console/instances/{id}", THIRD + "/{id}", "/console/events/{id}", "/console/replays/{id}"):
            page = await person.get(there.place(pattern))
            assert page.status == 200, pattern
        assert tells(await person.get("/console/instances"))
        assert there.event in (await person.get(f"/console/where?q={urlencode({'q': there.event})[2:]}")).text
