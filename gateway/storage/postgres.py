"""PostgreSQL behind the waist: a pool, and one transaction at a time for the group commit of this node."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.errors import Conflict, StartRefused, StorageDown
from gateway.storage import group
from gateway.storage.database import Engine, Row, Statement, Transaction, Value, Write

try:
    import asyncpg
except ModuleNotFoundError:  # the extra `postgres` is not installed
    asyncpg = None

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

T = TypeVar("T")

OLDEST_SERVER = 15
_POOL = 10
_TIMEOUT_S = 30.0


class PostgresDatabase:
    """One PostgreSQL database; see `Database` for the contract."""

    engine: Engine = "postgresql"

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool = pool
        self.group = group.GroupCommit(self._commit)

    async def one(self, sql: str, *args: Value) -> Row | None:
        with _translated():
            row: Row | None = await self._pool.fetchrow(sql, *args)
            return row

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        with _translated():
            rows: Sequence[Row] = await self._pool.fetch(sql, *args)
            return rows

    async def write(self, write: Write[T], *, urgent: bool = True) -> T:
        value: T = await self.group.submit(write, urgent=urgent)
        return value

    def submit(self, write: Write[T]) -> asyncio.Future[T]:
        return self.group.submit(write, urgent=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        with _translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield _PostgresTransaction(connection)

    async def _commit(self, writes: Sequence[Write[Any]]) -> list[Any]:
        with _translated():
            async with self._pool.acquire() as connection, connection.transaction():
                return await _apply(connection, writes)


class _PostgresTransaction:
    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection

    async def one(self, sql: str, *args: Value) -> Row | None:
        with _translated():
            row: Row | None = await self._connection.fetchrow(sql, *args)
            return row

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        with _translated():
            rows: Sequence[Row] = await self._connection.fetch(sql, *args)
            return rows

    async def execute(self, sql: str, *args: Value) -> int:
        with _translated():
            status = await self._connection.execute(sql, *args)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0


@asynccontextmanager
async def open_postgres(url: str) -> AsyncIterator[PostgresDatabase]:
    """Connect to the server; StartRefused says why that cannot be."""
    if asyncpg is None:
        raise StartRefused("storage.url names PostgreSQL; install connector-gateway[postgres].")
    try:
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=_POOL, command_timeout=_TIMEOUT_S, timeout=_TIMEOUT_S, init=_durable, reset=_keep
        )
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise StartRefused(f"PostgreSQL cannot be reached with storage.url: {problem}.") from problem
    try:
        await _check_version(pool)
        database = PostgresDatabase(pool)
        try:
            yield database
        finally:
            await database.group.close()
    finally:
        await _close(pool)


async def _close(pool: "Pool[Any]") -> None:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _check_version(pool: "Pool[Any]") -> None:
    version = await pool.fetchval("SELECT current_setting('server_version_num')")
    if int(version) < OLDEST_SERVER * 10_000:
        raise StartRefused(f"PostgreSQL {OLDEST_SERVER} or newer is needed; this server is {int(version) // 10_000}.")


async def _durable(connection: "Connection[Any]") -> None:
    # An acknowledged event survives a power cut also where the server's default says otherwise.
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )


async def _keep(_: "Connection[Any]") -> None:
    """Sessions carry no state of ours, so giving one back costs no round trip."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as problem:
        raise Conflict(str(problem)) from problem
    except (asyncpg.DataError, asyncpg.exceptions.DataError) as problem:
        raise Conflict(f"PostgreSQL refuses a value: {problem}") from problem
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as problem:
        raise StorageDown(f"PostgreSQL: {problem or type(problem).__name__}") from problem


async def _apply(connection: "Connection[Any]", writes: Sequence[Write[Any]]) -> list[Any]:
    rows: list[list[list[Row]]] = [[[] for _ in write.first] for write in writes]
    for sql, returns, members in group.staged(writes):
        arguments = [statement.args for _, _, statement in members]
        if returns:
            _give_back(rows, members, await connection.fetchmany(sql, arguments))
        else:
            await connection.executemany(sql, arguments)
    found = group.effects(writes, rows)
    for sql, arguments in group.followers(found):
        await connection.executemany(sql, arguments)
    return [effect.value for effect in found]


def _give_back(rows: list[list[list[Row]]], members: list[tuple[int, int, Statement]], found: Sequence[Any]) -> None:
    places = {statement.args[0]: (index, place) for index, place, statement in members}
    for row in found:
        index, place = places[row[0]]
        rows[index][place].append(row)
