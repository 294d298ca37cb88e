"""The ledger's sums, on both engines: of a tenant, an instance, a destination."""

from typing import Any

import pytest

from gateway.accounts.model import Caller
from gateway.errors import NotFound
from gateway.history.ledgers import store
from gateway.history.ledgers.model import Ledger
from gateway.storage.database import Database
from tests.history.parts import caller, numbered, refused, stored, tenants

STATES: tuple[tuple[Any, ...], ...] = (
    (),
    ("delivered",),
    ("dead",),
    ("dead", "delivered"),
    ("pending",),
    ("cancelled",),
)


async def filled(database: Database) -> None:
    """Every instance gets each of these once, and one refusal."""
    await tenants(database)
    for instance_id in (1, 2, 3, 4):
        for place, states in enumerate(STATES):
            await stored(database, numbered(10 * instance_id + place, instance_id=instance_id), states)
        await refused(database, instance_id=instance_id)


def is_of(found: Ledger, instances: int) -> bool:
    """Whether it is the ledger of so many of these instances, and balances."""
    arrived, gone = found.events, found.deliveries
    assert arrived["received"] == sum(arrived[name] for name in ("accepted", "duplicate", "refused", "ignored"))
    assert arrived["accepted"] == arrived["routed"] + arrived["unrouted"]
    assert gone["created"] == sum(gone[name] for name in ("delivered", "pending", "dead", "cancelled"))
    plain = {"received": 7, "accepted": 6, "refused": 1, "routed": 5, "unrouted": 1, "duplicate": 0, "ignored": 0}
    left = {"created": 6, "delivered": 2, "pending": 1, "dead": 2, "cancelled": 1}
    same = arrived == {name: number * instances for name, number in plain.items()}
    return same and gone == {name: number * instances for name, number in left.items()}


@pytest.mark.parametrize(
    ("who", "instance_id", "destination_id", "instances"),
    [
        (caller(), None, None, 3),
        (caller(account="a1"), None, None, 2),
        (caller("p2"), None, None, 1),
        (caller(), 1, None, 1),
        (caller(), None, 2, 1),
        (caller(), 2, 2, 1),
    ],
)
async def test_the_sums_are_those_of_what_was_asked_for(
    database: Database, who: Caller, instance_id: int | None, destination_id: int | None, instances: int
) -> None:
    await filled(database)
    assert is_of(await store.ledger(database, who, instance_id, destination_id), instances)


async def test_before_anything_has_happened_all_sums_are_nought(database: Database) -> None:
    await tenants(database)
    assert is_of(await store.ledger(database, caller(), None, None), 0)


async def test_the_ledger_of_others_is_not_found(database: Database) -> None:
    await filled(database)
    for who, instance_id, destination_id in (
        (caller("p2"), 1, None),
        (caller("p2"), None, 1),
        (caller(account="a1"), 3, None),
        (caller(account="a1"), None, 3),
        (caller(), 1, 2),
        (caller(), 10**15 - 1, None),
        (caller(), None, 10**15 - 1),
    ):
        with pytest.raises(NotFound):
            await store.ledger(database, who, instance_id, destination_id)


async def test_an_instance_that_was_deleted_keeps_its_ledger(database: Database) -> None:
    await filled(database)
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE instances SET deleted_at = 1 WHERE id = 1")
    assert is_of(await store.ledger(database, caller(), 1, None), 1)
    assert is_of(await store.ledger(database, caller(), None, None), 3)


async def test_destinations_are_told_page_by_page_with_their_half_of_the_ledger(database: Database) -> None:
    await filled(database)
    first, position = await store.goals_after(database, caller(), None, 0, 2)
    assert [one.id for one in first] == [1, 2]
    assert position == 2
    second, position = await store.goals_after(database, caller(), None, position, 2)
    assert [one.id for one in second] == [3]
    assert position is None
    for one in (*first, *second):
        assert one.deliveries == {"created": 6, "delivered": 2, "pending": 1, "dead": 2, "cancelled": 1}
    [other], _ = await store.goals_after(database, caller("p2"), None, 0, 2)
    assert other.id == 4
    assert [one.id for one in (await store.goals_after(database, caller(), 3, 0, 2))[0]] == [3]
    with pytest.raises(NotFound):
        await store.goals_after(database, caller(), 4, 0, 2)


async def test_a_destination_that_got_nothing_has_noughts(database: Database) -> None:
    await tenants(database)
    [first, *_], _ = await store.goals_after(database, caller(), None, 0, 5)
    assert set(first.deliveries.values()) == {0}
