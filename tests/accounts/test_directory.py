"""Accounts: under which ids they are found, how they are listed, and what goes with one that is removed."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.accounts import people, sign_in
from gateway.accounts import store as callers
from gateway.accounts.directory import store
from gateway.accounts.directory.listing import Listing
from gateway.accounts.model import ErrorWebhook
from gateway.errors import Conflict
from gateway.storage.database import Database
from tests.accounts.parts import account, partner


async def test_an_account_is_found_by_its_guid_in_either_spelling_and_by_the_partners_own_id(
    database: Database,
) -> None:
    mine, other = await partner(database), await partner(database, "Other")
    made = await account(database, mine.partner.id, external_id="JO-1")
    for given in (made.id, str(UUID(made.id)), str(UUID(made.id)).upper(), "JO-1"):
        found = await store.find(database, mine.partner.id, given)
        assert found == made
        assert await store.find(database, other.partner.id, given) is None
    for given in ("", "jo-1", "JO-1\x00", "\ud800", f"{{{UUID(made.id)}}}", made.id[:-1], "x" * 5000):
        assert await store.find(database, mine.partner.id, given) is None


async def test_what_is_kept_of_an_account_comes_back_as_it_was(database: Database) -> None:
    mine = await partner(database)
    parent = await account(database, mine.partner.id)
    made = await account(
        database,
        mine.partner.id,
        "Zoë & Söhne",
        external_id="ext",
        parent_id=parent.id,
        description="",
        timezone="Europe/London",
        price_plan=3,
        audit_info=None,
        task_audit_info="t",
        last_bill_at=1,
        next_bill_at=2,
        billing_day=31,
        success_hours=0,
        errored_hours=744,
        error_webhook=ErrorWebhook(enabled=True, url="https://a.example", include_warnings=True),
        created_at=5,
        updated_at=6,
    )
    assert await store.get(database, made.id) == made
    assert await store.children(database, parent) == [made]
    changed = replace(made, name="New", audit_info="a", price_plan=None, error_webhook=ErrorWebhook())
    async with database.transaction() as transaction:
        await store.change(transaction, changed)
    assert await store.get(database, made.id) == changed


async def test_an_external_id_is_one_accounts_alone_among_a_partners(database: Database) -> None:
    mine, other = await partner(database), await partner(database, "Other")
    made = await account(database, mine.partner.id, external_id="ext")
    await account(database, other.partner.id, external_id="ext")
    for taken in ("ext", made.id, str(UUID(made.id))):
        with pytest.raises(Conflict, match="ID already in use"):
            await account(database, mine.partner.id, external_id=taken)
    second = await account(database, mine.partner.id, external_id="second")
    with pytest.raises(Conflict):
        async with database.transaction() as transaction:
            await store.change(transaction, replace(second, external_id="ext"))
    async with database.transaction() as transaction:
        await store.remove(transaction, made, 1)
        await store.change(transaction, replace(second, external_id="ext"))
    found = await store.find(database, mine.partner.id, "ext")
    assert found is not None
    assert found.id == second.id


async def test_pages_of_any_order_are_cut_from_the_whole_and_follow_changes(database: Database) -> None:
    mine, other = await partner(database), await partner(database, "Other")
    await account(database, other.partner.id, "b")
    names = ["d", "B", "a", "c", "E"]
    made = [mine.account, *[await account(database, mine.partner.id, name) for name in names]]
    listing = Listing(database)

    async def shown(**asked: Any) -> list[str]:
        page = await listing.page(mine.partner.id, **asked)
        assert page.total == len(made)
        return [one.name for one in page.items]

    by_id = [one.name for one in sorted(made, key=lambda one: one.id)]
    assert await shown() == by_id
    assert await shown(ascending=False) == by_id[::-1]
    assert await shown(order="name") == ["a", "B", "c", "d", "Default", "E"]
    assert await shown(order="name", page=2, size=4) == ["Default", "E"]
    assert await shown(order="name", page=2, size=4, ascending=False) == ["B", "a"]
    assert await shown(page=3, size=4) == await shown(page=10**9, size=1000) == []
    async with database.transaction() as transaction:
        await store.change(transaction, replace(made[1], name="A first"))
        await store.remove(transaction, made[3], 1)
    del made[3]
    assert await shown(order="name") == ["A first", "B", "c", "Default", "E"]
    made.append(await account(database, mine.partner.id, "f"))
    assert "f" in await shown()


async def test_users_tokens_and_children_of_a_removed_account_lose_it(database: Database) -> None:
    mine = await partner(database)
    made = await account(database, mine.partner.id)
    child = await account(database, mine.partner.id, "Child", parent_id=made.id)
    async with database.transaction() as transaction:
        user = await people.add(transaction, made, "bob", "end_user")
    link = await sign_in.make(database, made, "bob")
    assert await callers.caller_by_secrets(database, user.secret, mine.organization_secret) is not None
    async with database.transaction() as transaction:
        await store.remove(transaction, made, 1)
    assert await store.find(database, mine.partner.id, made.id) is None
    assert await callers.caller_by_secrets(database, user.secret, mine.organization_secret) is None
    assert await callers.caller_by_user(database, user.secret) is None
    assert await sign_in.redeem(database, link.token) == "unknown"
    found = await store.get(database, child.id)
    assert found is not None
    assert found.parent_id is None


async def test_the_account_of_the_only_administrators_stays(database: Database) -> None:
    mine = await partner(database)
    with pytest.raises(Conflict):
        async with database.transaction() as transaction:
            await store.remove(transaction, mine.account, 1)
    elsewhere = await account(database, mine.partner.id)
    async with database.transaction() as transaction:
        await people.add(transaction, elsewhere, "second", "administrator")
        await store.remove(transaction, mine.account, 1)
    assert await store.get(database, mine.account.id) is None
