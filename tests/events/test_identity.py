"""When two equal bodies are one event: within ten minutes, wherever those begin."""

import pytest

from gateway.events import store
from gateway.events.model import Event
from gateway.events.store import BODY_WINDOW_MS, body_identity
from gateway.storage.database import Database, Effect, Write
from tests.delivery.parts import event

START = 1_000 * BODY_WINDOW_MS


def by_body(at: int, digest: str = "abc.0", instance_id: int = 3) -> Event:
    return event(identity=body_identity(digest, at), received_at=at, instance_id=instance_id)


async def stored(database: Database, *events: Event) -> list[bool]:
    """Which of them were new."""
    statements = [store.accept(one, routed=False) for one in events]
    return await database.write(Write(statements, lambda rows: Effect([bool(found) for found in rows])))


@pytest.mark.parametrize("begin", [START, START + 1, START + BODY_WINDOW_MS // 2, START + BODY_WINDOW_MS - 1])
@pytest.mark.parametrize(
    ("later", "is_new"),
    [(0, False), (1, False), (BODY_WINDOW_MS - 1, False), (BODY_WINDOW_MS, True), (3 * BODY_WINDOW_MS, True)],
)
async def test_the_window_slides(database: Database, begin: int, later: int, is_new: bool) -> None:
    assert await stored(database, by_body(begin)) == [True]
    assert await stored(database, by_body(begin + later)) == [is_new]


async def test_a_duplicate_does_not_lengthen_the_window(database: Database) -> None:
    found = [await stored(database, by_body(START + minutes * 60_000)) for minutes in (5, 14, 15, 24, 25)]
    assert found == [[True], [False], [True], [False], [True]]


async def test_another_body_and_another_instance_are_other_events(database: Database) -> None:
    assert (
        await stored(database, by_body(START), by_body(START, "other.0"), by_body(START, instance_id=4)) == [True] * 3
    )


async def test_equal_ones_of_one_group_are_one(database: Database) -> None:
    assert sorted(await stored(database, *(by_body(START) for _ in range(50)))) == [False] * 49 + [True]


async def test_the_identity_of_a_change_counts_for_ever_and_none_is_never_equal(database: Database) -> None:
    def change(identity: str | None, at: int) -> Event:
        return event(identity=identity, received_at=at)

    assert await stored(database, change("issues:7:1", START), change(None, START), change(None, START)) == [True] * 3
    assert await stored(database, change("issues:7:1", START + 900 * BODY_WINDOW_MS)) == [False]
