"""A person at the console without a browser: a session's cookie, pages as text, forms with the session's token."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from typing import Any

import aiohttp
from argon2 import PasswordHasher

from gateway.accounts import people, store
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, Role
from tests.kit.gateway import Gateway

PASSWORD = "correct horse battery staple"
_CSRF = re.compile(r'<meta name="csrf" content="([0-9a-f]+)">')


@dataclass(frozen=True)
class Page:
    """A page as it was answered."""

    status: int
    path: str
    headers: Mapping[str, str]
    text: str

    @property
    def shown(self) -> str:
        """Its text without tags."""
        return " ".join(
            unescape(re.sub(r"<(script|style|template).*?</\1>|<[^>]*>", " ", self.text, flags=re.S)).split()
        )


@dataclass
class Person:
    """Somebody who is signed in."""

    gateway: Gateway
    session: aiohttp.ClientSession
    csrf: str = ""

    async def get(self, path: str, **options: Any) -> Page:
        """Look at a page, wherever it leads."""
        return await self._ask("GET", path, **options)

    async def post(
        self, path: str, fields: Mapping[str, Any] | list[tuple[str, str]] | None = None, **options: Any
    ) -> Page:
        """Send a form with the session's token."""
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields or [])
        return await self._ask("POST", path, data=[("csrf", self.csrf), *pairs], **options)

    async def _ask(self, method: str, path: str, **options: Any) -> Page:
        async with self.session.request(method, self.gateway.url + path, **options) as answer:
            text = await answer.text()
            return Page(answer.status, answer.url.path_qs, answer.headers, text)


async def first_account(gateway: Gateway) -> Account:
    """The account that the first start made."""
    database = gateway.running.services.runtime.database
    row = await database.one("SELECT account_id FROM users ORDER BY id LIMIT 1")
    assert row is not None
    found = await directory.get(database, row["account_id"])
    assert found is not None
    return found


async def add_user(gateway: Gateway, username: str, role: Role, account: Account | None = None) -> None:
    """Let somebody have a name and PASSWORD."""
    rooms, whose = gateway.running.services, account or await first_account(gateway)
    async with rooms.runtime.database.transaction() as transaction:
        await people.add(transaction, whose, username, role, _hash())


@cache
def _hash() -> str:
    """The password's hash, made quickly: with the gateway's own effort it would take longer than most tests."""
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


@asynccontextmanager
async def signed_in(
    gateway: Gateway, role: Role = "administrator", account: Account | None = None
) -> AsyncIterator[Person]:
    """Somebody of this role who has signed in with a password."""
    username = f"{role}@example.com"
    if (
        await store.user_named(
            gateway.running.services.runtime.database, (await first_account(gateway)).partner_id, username
        )
        is None
    ):
        await add_user(gateway, username, role, account)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        person = Person(gateway, session)
        page = await person.post(
            "/console/sign-in", {"username": username, "password": PASSWORD, "next": "/console/nowhere"}
        )
        assert page.path == "/console/nowhere", page.text
        match = _CSRF.search(page.text)
        assert match is not None
        person.csrf = match[1]
        yield person
