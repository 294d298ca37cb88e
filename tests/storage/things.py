"""A table of no meaning, and writes to it."""

from collections.abc import Sequence

from gateway.storage.database import Database, Effect, Row, Statement, Tally, Write

THINGS = "CREATE TABLE things (id TEXT PRIMARY KEY, number BIGINT CHECK (number <> -1), text TEXT, bytes BYTEA)"
PUT = "INSERT INTO things (id, number) VALUES ($1, $2)"
PUT_ONCE = "INSERT INTO things (id, number) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id"
PUT_ROWS = (
    "INSERT INTO things (id, number, bytes) SELECT * FROM ({rows}) AS v WHERE true "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
)
COUNT = (
    "INSERT INTO counts (id, a, b) VALUES ($1, $2, $3) "
    "ON CONFLICT (id) DO UPDATE SET a = counts.a + excluded.a, b = counts.b + excluded.b"
)


async def table(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(THINGS)
        await transaction.execute("CREATE TABLE counts (id TEXT PRIMARY KEY, a BIGINT NOT NULL, b BIGINT NOT NULL)")


def put(key: str, number: int = 0) -> Write[str]:
    """Store one thing; its key comes back."""
    return Write([Statement(PUT, (key, number))], lambda _: Effect(key))


def put_once(key: str, number: int = 0) -> Write[bool]:
    """Store one thing where it is new, with a companion; whether it was."""

    def then(rows: Sequence[Sequence[Row]]) -> Effect[bool]:
        new = bool(rows[0])
        companion = [Statement(PUT, (key + "'", number))] if new else []
        return Effect(new, companion, [Tally(COUNT, ("new" if new else "old",), (1, number))])

    return Write([Statement(PUT_ONCE, (key, number), returns=True)], then)


async def keys(database: Database) -> list[str]:
    return [row["id"] for row in await database.all("SELECT id FROM things ORDER BY id")]


async def count(database: Database) -> int:
    row = await database.one("SELECT count(*) AS number FROM things")
    assert row is not None
    return int(row["number"])
