"""Sign-in tokens: for whom there is one, and that it counts once."""

import asyncio

import pytest

from gateway.accounts import people, sign_in, store
from gateway.accounts.reception import Reception
from gateway.accounts.sign_in import SESSION_MS, TOKEN_MS, SignedIn
from gateway.clock import now_ms
from gateway.errors import Conflict, Invalid
from gateway.storage.database import Database
from tests.accounts.parts import account, partner


async def test_an_unknown_user_becomes_a_power_user_of_the_account(database: Database) -> None:
    mine = await partner(database)
    made = await account(database, mine.partner.id)
    before = now_ms()
    link = await sign_in.make(database, made, "  user@example.com ")
    assert before + TOKEN_MS <= link.expires_at <= now_ms() + TOKEN_MS
    user = await store.user_named(database, mine.partner.id, "user@example.com")
    assert user is not None
    assert (user.account_id, user.role) == (made.id, "power_user")
    found = await sign_in.redeem(database, link.token)
    assert isinstance(found, SignedIn)
    assert (found.session.user, found.account.id) == (user, made.id)
    assert found.session.expires_at - found.session.created_at == SESSION_MS
    assert await sign_in.session_of(database, found.secret) == found.session


async def test_a_token_works_once_however_many_come_at_once(database: Database) -> None:
    mine = await partner(database)
    link = await sign_in.make(database, mine.account, "admin")
    outcomes = await asyncio.gather(*(sign_in.redeem(database, link.token) for _ in range(5)))
    assert sorted(one for one in outcomes if isinstance(one, str)) == ["used"] * 4


async def test_a_token_that_is_late_is_told_from_one_that_never_was(database: Database) -> None:
    mine = await partner(database)
    link = await sign_in.make(database, mine.account, "admin")
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE sign_in_tokens SET expires_at = created_at - 1")
    assert await sign_in.redeem(database, link.token) == "expired"
    assert await sign_in.redeem(database, link.token[:-1]) == "unknown"


async def test_only_an_administrator_is_signed_in_to_an_account_of_others(database: Database) -> None:
    mine = await partner(database)
    first, second = await account(database, mine.partner.id), await account(database, mine.partner.id)
    await sign_in.make(database, first, "bob")
    with pytest.raises(Conflict):
        await sign_in.make(database, second, "bob")
    assert isinstance(await sign_in.redeem(database, (await sign_in.make(database, second, "admin")).token), SignedIn)
    # The same name at another partner is somebody else.
    other = await partner(database, "Other")
    await sign_in.make(database, other.account, "bob")


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "x" * 201, "\ud800"])
async def test_what_is_no_user_name_gets_no_token(database: Database, name: str) -> None:
    mine = await partner(database)
    with pytest.raises(Invalid):
        await sign_in.make(database, mine.account, name)


async def test_a_removed_user_is_signed_out_and_may_be_added_anew(database: Database) -> None:
    mine, reception = await partner(database), Reception(database)
    waiting = await sign_in.make(database, mine.account, "bob")
    used = await sign_in.redeem(database, (await sign_in.make(database, mine.account, "bob")).token)
    assert isinstance(used, SignedIn)
    await people.removed(database, reception, used.session.user)
    assert await sign_in.session_of(database, used.secret) is None
    assert await sign_in.redeem(database, waiting.token) == "unknown"
    made = await people.added(database, reception, mine.account, "bob", "end_user", None)
    assert made.user.role == "end_user"
    assert await sign_in.session_of(database, used.secret) is None
