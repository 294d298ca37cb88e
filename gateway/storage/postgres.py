"""PostgreSQL behind the waist: a pool, and one transaction at a time for the group commit of this node."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.errors import Conflict, StartRefused, StorageDown
from gateway.storage import group
from gateway.storage.database import Engine, Row, Statement, StatementError, Transaction, Value, Write

INSTALLED = find_spec("asyncpg") is not None  # the extra `postgres`

if TYPE_CHECKING or INSTALLED:
    import asyncpg

if TYPE_CHECKING:
    from asyncpg import Connection, Pool
    from asyncpg.pool import PoolConnectionProxy

    AnyConnection = Connection[Any] | PoolConnectionProxy[Any]

T = TypeVar("T")

OLDEST_SERVER = 15
READERS = 9
_TIMEOUT_S = 30.0
_PATIENT_S = 7 * 86_400.0
_DEADLOCKS = 3
_UNREADABLE = (
    "storage.url cannot be read; it is postgresql://user:password@host:port/database, "
    "and the password in it must be percent-encoded (%2F for a slash, %23 for #, %3F for ?, %40 for @)."
)

_Member = tuple[int, int, Statement]


class PostgresDatabase:
    """One PostgreSQL database; see `Database` for the contract."""

    engine: Engine = "postgresql"

    def __init__(self, pool: "Pool[Any]", writer: "Pool[Any]") -> None:
        self._pool = pool
        # A connection of its own: however busy the surfaces are, an event never waits for one of theirs.
        self._writer = writer
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
    async def transaction(self, *, patient: bool = False) -> AsyncIterator[Transaction]:
        async with AsyncExitStack() as stack:
            with _translated():
                connection = await stack.enter_async_context(self._pool.acquire())
                work = connection.transaction()
                await work.start()
            try:
                yield _PostgresTransaction(connection, _PATIENT_S if patient else _TIMEOUT_S)
            except BaseException:
                # Where the connection is lost, so is the transaction.
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await work.rollback()
                raise
            with _translated():
                await work.commit()

    async def _commit(self, writes: Sequence[Write[Any]]) -> list[Any]:
        with _translated():
            for _ in range(_DEADLOCKS):
                # Two nodes that get the same events in another order wait for each other; one of them begins anew.
                with suppress(asyncpg.DeadlockDetectedError):
                    return await self._commit_once(writes)
            return await self._commit_once(writes)

    async def _commit_once(self, writes: Sequence[Write[Any]]) -> list[Any]:
        async with self._writer.acquire() as connection, connection.transaction():
            return await _apply(connection, writes)


class _PostgresTransaction:
    def __init__(self, connection: "AnyConnection", timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def one(self, sql: str, *args: Value) -> Row | None:
        with _translated():
            row: Row | None = await self._connection.fetchrow(sql, *args, timeout=self._timeout_s)
            return row

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        with _translated():
            rows: Sequence[Row] = await self._connection.fetch(sql, *args, timeout=self._timeout_s)
            return rows

    async def execute(self, sql: str, *args: Value) -> int:
        with _translated():
            status = await self._connection.execute(sql, *args, timeout=self._timeout_s)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0


@asynccontextmanager
async def open_postgres(url: str) -> AsyncIterator[PostgresDatabase]:
    """Connect to the server; StartRefused says why that cannot be."""
    if not INSTALLED:
        raise StartRefused("storage.url names PostgreSQL; install connector-gateway[postgres].")
    async with AsyncExitStack() as stack:
        try:
            pool = await stack.enter_async_context(_pool(url, READERS))
            writer = await stack.enter_async_context(_pool(url, 1))
            refuse_older(int(await pool.fetchval("SELECT current_setting('server_version_num')")))
        except ValueError:
            # What asyncpg says of a URL repeats parts of the password.
            raise StartRefused(_UNREADABLE) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            raise StartRefused(f"PostgreSQL cannot be reached with storage.url: {problem}.") from problem
        database = PostgresDatabase(pool, writer)
        stack.push_async_callback(database.group.close)
        yield database


@asynccontextmanager
async def _pool(url: str, size: int) -> AsyncIterator["Pool[Any]"]:
    pool = await asyncpg.create_pool(
        url, min_size=1, max_size=size, command_timeout=_TIMEOUT_S, timeout=_TIMEOUT_S, init=_durable, reset=_keep
    )
    try:
        yield pool
    finally:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await pool.close()
        except TimeoutError:
            pool.terminate()


def refuse_older(version: int) -> None:
    """StartRefused for a server whose `server_version_num` is too small."""
    if version < OLDEST_SERVER * 10_000:
        raise StartRefused(f"PostgreSQL {OLDEST_SERVER} or newer is needed; this server is {version // 10_000}.")


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
        # What it says names tables and values.
        raise Conflict from problem
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError) as problem:
        raise Conflict("PostgreSQL refuses a value.") from problem
    except asyncpg.InsufficientPrivilegeError as problem:
        raise StorageDown(f"PostgreSQL: {problem}") from problem
    except asyncpg.SyntaxOrAccessError as problem:
        raise StatementError(f"PostgreSQL: {problem}") from problem
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as problem:
        # A value that asyncpg itself cannot send is an InterfaceError and a ValueError.
        if isinstance(problem, ValueError):
            raise Conflict("PostgreSQL cannot take a value.") from problem
        raise StorageDown(f"PostgreSQL: {problem or type(problem).__name__}") from problem


async def _apply(connection: "AnyConnection", writes: Sequence[Write[Any]]) -> list[Any]:
    rows: list[list[list[Row]]] = [[[] for _ in write.first] for write in writes]
    for statement, members in group.staged(writes):
        if not statement.returns:
            await _run(connection, statement.sql, statement.types, [one.args for _, _, one in members])
            continue
        for distinct in _rounds(members):
            _give_back(rows, distinct, await _run_returning(connection, statement, distinct))
    made = group.effects(writes, rows)
    for sql, types, arguments in group.followers(made):
        await _run(connection, sql, types, arguments)
    return [effect.value for effect in made]


async def _run(
    connection: "AnyConnection", sql: str, types: tuple[str, ...], arguments: Sequence[tuple[Value, ...]]
) -> None:
    if types:
        await connection.execute(_table(sql, types), *zip(*arguments, strict=True))
    else:
        await connection.executemany(sql, arguments)


async def _run_returning(connection: "AnyConnection", statement: Statement, members: list[_Member]) -> Sequence[Any]:
    arguments = [one.args for _, _, one in members]
    if statement.types:
        found: Sequence[Any] = await connection.fetch(
            _table(statement.sql, statement.types), *zip(*arguments, strict=True)
        )
    else:
        found = await connection.fetchmany(statement.sql, arguments)
    return found


@functools.cache
def _table(sql: str, types: tuple[str, ...]) -> str:
    arrays = ", ".join(f"${place}::{name}[]" for place, name in enumerate(types, 1))
    columns = ", ".join(f"column{place}" for place in range(1, len(types) + 1))
    return sql.replace("{rows}", f"SELECT * FROM unnest({arrays}) AS t ({columns})")  # noqa: S608 - the words are the program's own


def _rounds(members: list[_Member]) -> list[list[_Member]]:
    """The members in rounds in which each first argument stands once, so that a row tells whose it is."""
    rounds: list[list[_Member]] = []
    seen: dict[Value, int] = {}
    for member in members:
        key = member[2].args[0]
        number = seen[key] = seen.get(key, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(member)
    return rounds


def _give_back(rows: list[list[list[Row]]], members: list[_Member], found: Sequence[Any]) -> None:
    places = {statement.args[0]: (index, place) for index, place, statement in members}
    for row in found:
        index, place = places[row[0]]
        rows[index][place].append(row)
