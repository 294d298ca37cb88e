"""What is taken away for good is gone with all that hangs on it, and the ledger knows how much it was."""

import pytest

from gateway.clock import now_ms
from gateway.delivery.model import Settlement, State
from gateway.events import removal, store
from gateway.events.model import Event
from gateway.events.refusal import Refusal
from gateway.ids import time_ordered
from gateway.storage.database import Database, Effect, Write
from tests.delivery.parts import DESTINATION, INSTANCE, attempt, event, insert, job, settle

TABLES = ("events", "deliveries", "attempts")


async def settled(
    database: Database, state: State, number: int = 1, *, destination_id: int = DESTINATION
) -> list[Event]:
    """Events with one delivery each that came to this."""
    made = [event() for _ in range(number)]
    jobs = [job(one, destination_id=destination_id) for one in made]
    await insert(database, jobs, due_at=1)
    for one in jobs if state != "pending" else []:
        assert await settle(database, one, attempt(500), Settlement(state=state, reason="so", due_at=0))
    return made


def owned(*events: Event) -> list[removal.Owned]:
    return [(one.id, one.instance_id) for one in events]


async def counts(database: Database) -> list[int]:
    found = []
    for table in TABLES:
        row = await database.one(f"SELECT count(*) AS number FROM {table}")
        found.append(0 if row is None else int(row["number"]))
    return found


async def removed(database: Database) -> dict[str, int]:
    """What the ledger says was taken away, over all shards."""
    events = await database.one("SELECT coalesce(sum(removed), 0) AS events FROM ledger_events")
    deliveries = await database.one(
        "SELECT coalesce(sum(removed_delivered), 0) AS delivered, coalesce(sum(removed_dead), 0) AS dead, "
        "coalesce(sum(removed_cancelled), 0) AS cancelled FROM ledger_deliveries"
    )
    return {name: int(value) for row in (events, deliveries) for name, value in dict(row or {}).items()}


async def test_an_event_goes_with_its_deliveries_and_attempts_and_each_is_counted(database: Database) -> None:
    every = [*await settled(database, "delivered", 70), *await settled(database, "dead", 3, destination_id=8)]
    every += await settled(database, "cancelled", 2)
    kept = await settled(database, "delivered")
    assert await database.write(removal.removal(owned(*every))) == 75
    assert await counts(database) == [1, 1, 1]
    assert await removed(database) == {"events": 75, "delivered": 70, "dead": 3, "cancelled": 2}
    assert await store_has(database, kept[0])


async def store_has(database: Database, one: Event) -> bool:
    return await database.one("SELECT id FROM events WHERE id = $1", one.id) is not None


async def test_what_is_on_its_way_stays_whole(database: Database) -> None:
    [waiting] = await settled(database, "pending")
    [gone] = await settled(database, "dead")
    assert await database.write(removal.removal(owned(waiting, gone))) == 1
    assert await counts(database) == [1, 1, 0]
    assert (await removed(database))["dead"] == 1


async def test_an_event_with_one_pending_delivery_beside_a_settled_one_stays_whole(database: Database) -> None:
    [one] = await settled(database, "delivered")
    await insert(database, [job(one, event=None, destination_id=8)], due_at=1)
    assert await database.write(removal.removal(owned(one))) == 0
    assert await counts(database) == [1, 2, 1]
    assert set((await removed(database)).values()) == {0}


async def test_two_removals_of_one_event_count_it_once(database: Database) -> None:
    every = await settled(database, "delivered", 5)
    futures = [database.submit(removal.removal(owned(*every, *every))) for _ in range(3)]
    assert sorted([await one for one in futures]) == [0, 0, 5]
    assert await removed(database) == {"events": 5, "delivered": 5, "dead": 0, "cancelled": 0}


async def test_the_removals_of_each_instance_are_its_own(database: Database) -> None:
    first, second = event(instance_id=3), event(instance_id=4)
    await database.write(Write([store.accept(one, routed=False) for one in (first, second)], lambda _: Effect(None)))
    await database.write(removal.removal(owned(first, second)))
    rows = await database.all("SELECT instance_id, sum(removed) AS n FROM ledger_events GROUP BY instance_id")
    assert {row["instance_id"]: int(row["n"]) for row in rows} == {3: 1, 4: 1}


async def test_nothing_to_remove_is_nothing(database: Database) -> None:
    assert await database.write(removal.removal([])) == 0
    assert await database.write(removal.removal([("0" * 32, INSTANCE)])) == 0
    assert await database.write(removal.emptying([], 1)) == 0


async def test_an_emptied_event_keeps_its_row_and_its_deliveries_and_loses_its_contents(database: Database) -> None:
    [one] = await settled(database, "dead")
    [waiting] = await settled(database, "pending")
    now = now_ms()
    assert await database.write(removal.emptying([one.id, waiting.id], now)) == 1
    assert await database.write(removal.emptying([one.id], now + 1)) == 0
    rows = {row["id"]: row for row in await database.all("SELECT id, payload, request, emptied_at FROM events")}
    assert (bytes(rows[one.id]["payload"]), rows[one.id]["request"], rows[one.id]["emptied_at"]) == (b"", None, now)
    assert (bytes(rows[waiting.id]["payload"]), rows[waiting.id]["emptied_at"]) == (waiting.payload, None)
    attempts = await database.all("SELECT answer, headers, status FROM attempts")
    assert [tuple(dict(row).values()) for row in attempts] == [(None, None, 500)]


@pytest.mark.parametrize(("object_id", "left"), [("7", 3), (None, 1)])
async def test_refusals_of_an_object_or_of_all_go_in_batches(database: Database, object_id: str, left: int) -> None:
    def row(instance_id: int, of: str) -> Refusal:
        return Refusal(
            id=time_ordered(), instance_id=instance_id, at=0, check="duplicate", detail="", remote="", body_hash="",
            outcome="duplicate", object_id=of,
        )  # fmt: skip

    rows = [store.refuse(row(3, "7")) for _ in range(5)] + [store.refuse(row(3, "8")) for _ in range(2)]
    rows.append(store.refuse(row(4, "7")))
    await database.write(Write((), lambda _: Effect(None, rows)))
    done = 0
    while number := await database.write(removal.refusals_removal(3, object_id, 2)):
        done += number
    found = await database.all("SELECT id FROM refusals")
    assert (done, len(found)) == (8 - left, left)
