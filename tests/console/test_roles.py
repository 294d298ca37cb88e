"""Who may send what: every form of the console, for every role; a new form without a line here fails."""

import re
from contextlib import AsyncExitStack
from typing import get_args

from aiohttp import web

from gateway.accounts.model import Role
from gateway.console import surface
from gateway.console.roles import Act, may
from tests.console.person import Person, signed_in
from tests.kit.gateway import Gateway

SETTINGS = "/console/settings"
THIRD = SETTINGS + "/third-party-connectors"
INSTANCE = "/console/instances/{id}"
#: For everybody, signed in or not.
OPEN = {"/console/sign-in", "/console/theme"}
FORMS: dict[str, Act] = {
    "/console/sign-out": "read",
    "/console/account": "partner",
    "/console/connectors/{key}/authenticate": "change",
    f"{INSTANCE}/test": "change",
    f"{INSTANCE}/edit": "change",
    f"{INSTANCE}/enabled": "change",
    f"{INSTANCE}/registration": "change",
    f"{INSTANCE}/poll": "change",
    f"{INSTANCE}/resume": "change",
    f"{INSTANCE}/destination": "change",
    f"{INSTANCE}/rotate/{{what}}": "change",
    f"{INSTANCE}/delete": "change",
    f"{INSTANCE}/docs/{{operation}}": "change",
    f"{THIRD}/activate": "change",
    f"{THIRD}/disable": "change",
    f"{THIRD}/new": "change",
    f"{THIRD}/preview": "change",
    f"{THIRD}/test": "change",
    f"{THIRD}/{{id}}/edit": "change",
    f"{THIRD}/{{id}}/rotate": "change",
    f"{THIRD}/{{id}}/delete": "change",
    "/console/events/{id}/replay": "change",
    "/console/events/{id}/deliveries/{delivery}/again": "change",
    "/console/where": "read",
    "/console/dead-letters": "change",
    "/console/dead-letters/all": "bulk",
    "/console/replays/new": "bulk",
    "/console/replays/{id}/cancel": "bulk",
    "/console/replays/{id}/resume": "bulk",
    f"{SETTINGS}/account": "people",
    f"{SETTINGS}/account/retention": "partner",
    f"{SETTINGS}/account/password": "read",
    f"{SETTINGS}/users/new": "people",
    f"{SETTINGS}/users/{{id}}": "people",
    f"{SETTINGS}/users/{{id}}/sign-out": "people",
    f"{SETTINGS}/users/{{id}}/remove": "people",
    f"{SETTINGS}/accounts/new": "partner",
    f"{SETTINGS}/accounts/{{id}}": "partner",
    f"{SETTINGS}/accounts/{{id}}/remove": "partner",
}
#: Pages that only lead to what the role must allow.
PAGES: dict[str, Act] = {
    "/console/connectors/{key}/authenticate": "change",
    f"{INSTANCE}/edit": "change",
    f"{INSTANCE}/delete": "change",
    f"{THIRD}/new": "change",
    "/console/dead-letters/all": "bulk",
    "/console/replays/new": "bulk",
    f"{SETTINGS}/users": "people",
    f"{SETTINGS}/users/new": "people",
    f"{SETTINGS}/users/{{id}}": "people",
    f"{SETTINGS}/users/{{id}}/remove": "people",
    f"{SETTINGS}/accounts": "partner",
    f"{SETTINGS}/accounts/new": "partner",
    f"{SETTINGS}/accounts/{{id}}": "partner",
    f"{SETTINGS}/accounts/{{id}}/remove": "partner",
    f"{SETTINGS}/audit": "people",
}
_VALUES = {"key": "generic", "what": "webhook-url", "operation": "1", "delivery": "0" * 32}
_LONG = ("/console/events/", "/console/replays/")


def sending() -> set[str]:
    """The patterns of all routes that take something."""
    app = web.Application()
    app.add_routes(surface.surface().routes)
    changing = [route for route in app.router.routes() if route.method not in ("GET", "HEAD", "OPTIONS")]
    return {route.resource.canonical for route in changing if route.resource is not None}


def place(pattern: str) -> str:
    """An address that the pattern takes, of something that is not there."""
    number = "0" * 32 if pattern.startswith(_LONG) else "999999"
    return re.sub(r"{(\w+)}", lambda found: _VALUES.get(found[1], number), pattern)


async def refused(person: Person, method: str, pattern: str) -> bool:
    """Whether the role is what is wrong with it."""
    ask = person.post if method == "POST" else person.get
    page = await ask(place(pattern), allow_redirects=False)
    assert page.status < 500, (method, pattern, page.status)
    assert page.status != 405, (method, pattern)
    return page.status == 403


def test_every_form_has_a_line_that_says_who_may_send_it() -> None:
    assert sending() - OPEN == set(FORMS)


async def test_every_role_sends_what_it_may_and_nothing_else(sqlite_gateway: Gateway) -> None:
    wrong = []
    async with AsyncExitStack() as stack:
        for role in get_args(Role):
            person = await stack.enter_async_context(signed_in(sqlite_gateway, role))
            for method, table in (("GET", PAGES), ("POST", FORMS)):
                for pattern, act in table.items():
                    # Who signs out sends nothing more.
                    if pattern != "/console/sign-out" and await refused(person, method, pattern) == may(role, act):
                        wrong.append((role, method, pattern))
    assert wrong == []


async def test_nothing_is_sent_without_the_session_s_token(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        person.csrf = "0" * 40
        without = [pattern for pattern in FORMS if not await refused(person, "POST", pattern)]
        assert without == []
        assert (await person.get("/console/settings/account")).status == 200


async def test_nobody_who_is_not_signed_in_sends_or_sees_anything(sqlite_gateway: Gateway) -> None:
    person = Person(sqlite_gateway, sqlite_gateway.session)
    for pattern in FORMS:
        assert (await person.post(place(pattern), allow_redirects=False)).status == 401, pattern
    for pattern in PAGES:
        page = await person.get(place(pattern), allow_redirects=False)
        assert page.headers.get("Location", "").startswith("/console/sign-in"), pattern
