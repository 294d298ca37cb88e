"""SQLite behind the waist: one process owns the file, one connection writes, some read (WAL, synchronous=FULL)."""

import asyncio
import fcntl
import functools
import os
import re
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import aiosqlite

from gateway.errors import Conflict, StartRefused, StorageDown
from gateway.storage import group
from gateway.storage.database import Engine, Row, Statement, StatementError, Transaction, Value, Write

T = TypeVar("T")

READERS = 2
_LARGEST_TABLE = 64
OLDEST_LIBRARY = (3, 35, 0)  # RETURNING
_WRITING = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA cache_size=-16000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
    # A file that cannot be written is found out now, not with the first event.
    "BEGIN IMMEDIATE",
    "ROLLBACK",
)
_READING = (*_WRITING, "PRAGMA query_only=ON")


class _Connection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function on its thread: one hop for a batch, not one a statement."""

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise StorageDown("The store is closed.")
        execute: Callable[..., Awaitable[T]] = self._execute
        with _translated():
            return await execute(function, self._connection)

    async def ended(self) -> None:
        """Wait for the thread after a failed start; else it ends by speaking to an event loop that is closed."""
        await asyncio.to_thread(self._thread.join)


class SqliteDatabase:
    """One SQLite file; see `Database` for the contract."""

    engine: Engine = "sqlite"

    def __init__(self, writer: _Connection, readers: Sequence[_Connection], free: Callable[[], None]) -> None:
        self._writer = writer
        self._readers = readers
        self._turn = 0
        self._free = free
        self._lock = asyncio.Lock()
        self.group = group.GroupCommit(self._commit)

    async def one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.all(sql, *args)
        return rows[0] if rows else None

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        self._turn = (self._turn + 1) % len(self._readers)
        return await self._readers[self._turn].run(functools.partial(_fetch, sql=sql, args=args))

    async def write(self, write: Write[T], *, urgent: bool = True) -> T:
        value: T = await self.group.submit(write, urgent=urgent)
        return value

    def submit(self, write: Write[T]) -> asyncio.Future[T]:
        return self.group.submit(write, urgent=False)

    @asynccontextmanager
    async def transaction(self, *, patient: bool = False) -> AsyncIterator[Transaction]:
        del patient  # nothing here is impatient
        self._free()
        async with self._lock:
            await self._writer.run(_begin)
            try:
                yield _SqliteTransaction(self._writer)
            except BaseException:
                await asyncio.shield(self._writer.run(_rollback))
                raise
            await asyncio.shield(self._writer.run(_finish))

    async def _commit(self, writes: Sequence[Write[Any]]) -> list[Any]:
        self._free()
        async with self._lock:
            return await self._writer.run(functools.partial(_commit_group, writes=writes))


class _SqliteTransaction:
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.all(sql, *args)
        return rows[0] if rows else None

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        return await self._connection.run(functools.partial(_fetch, sql=sql, args=args))

    async def execute(self, sql: str, *args: Value) -> int:
        return await self._connection.run(lambda connection: max(0, connection.execute(_numbered(sql), args).rowcount))


@asynccontextmanager
async def open_sqlite(path: Path, *, min_free: int) -> AsyncIterator[SqliteDatabase]:
    """Open the file as its only process; StartRefused says why that cannot be."""
    if sqlite3.sqlite_version_info < OLDEST_LIBRARY:
        raise StartRefused(f"SQLite 3.35 or newer is needed; this Python comes with {sqlite3.sqlite_version}.")
    async with AsyncExitStack() as stack:
        stack.enter_context(_sole_owner(path))
        writer = await stack.enter_async_context(_connected(path, _WRITING))
        readers = [await stack.enter_async_context(_connected(path, _READING)) for _ in range(READERS)]
        database = SqliteDatabase(writer, readers, _watch_free(path.parent, min_free))
        try:
            yield database
        finally:
            await database.group.close()


def copy_file(path: Path, target: Path) -> None:
    """A consistent copy of a SQLite file that no process is writing to; from the start its owner's alone."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as problem:
        raise StorageDown(f"{target} cannot be written: {problem.strerror}.") from problem
    with _translated(), closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


@asynccontextmanager
async def _connected(path: Path, beginning: Sequence[str]) -> AsyncIterator[_Connection]:
    connection = _Connection(lambda: _open(path, beginning), iter_chunk_size=64)
    try:
        with _refused(path):
            await connection
    except BaseException:
        await connection.ended()
        raise
    try:
        yield connection
    finally:
        await connection.close()


def _open(path: Path, beginning: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.row_factory = sqlite3.Row
    try:
        for statement in beginning:
            connection.execute(statement)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def _sole_owner(name: Path) -> Iterator[None]:
    path = name.resolve()  # one file has one lock, by whichever link it is reached
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock: IO[bytes] = path.with_name(path.name + ".lock").open("ab")
        if not path.exists():
            path.touch(0o600)
    except OSError as problem:
        raise StartRefused(f"{path.parent} cannot be written ({problem.strerror}); set storage.data_dir.") from problem
    with lock:
        if not os.access(path, os.W_OK):
            raise StartRefused(f"{path} is read-only; make it writable or set storage.data_dir to another folder.")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise StartRefused(
                f"Another gateway owns {path}. Stop it, set storage.data_dir to another folder, "
                "or use postgresql:// in storage.url for several nodes."
            ) from problem
        yield


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as problem:
        raise StartRefused(f"{path} cannot be opened as a SQLite database: {problem}.") from problem


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as problem:
        # What it says names tables and values.
        raise Conflict from problem
    except (sqlite3.DataError, OverflowError, UnicodeEncodeError) as problem:
        raise Conflict("SQLite refuses a value.") from problem
    except sqlite3.Error as problem:
        if isinstance(problem, sqlite3.ProgrammingError) or problem.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise StatementError(f"SQLite: {problem}") from problem
        raise StorageDown(f"SQLite: {problem}") from problem


def _watch_free(folder: Path, min_free: int) -> Callable[[], None]:
    checked = -1.0

    def check() -> None:
        nonlocal checked
        if time.monotonic() - checked < 1:
            return
        free = shutil.disk_usage(folder).free
        if free < min_free:
            raise StorageDown(f"{free >> 20} MiB are free in {folder}, less than storage.min_free.")
        checked = time.monotonic()

    return check


@functools.cache
def _numbered(sql: str) -> str:
    # sqlite3 takes `$1` for a named parameter; `?1` is numbered and takes a tuple.
    return re.sub(r"\$(\d+)", r"?\1", sql)


def _fetch(connection: sqlite3.Connection, *, sql: str, args: tuple[Value, ...]) -> list[Any]:
    return connection.execute(_numbered(sql), args).fetchall()


def _begin(connection: sqlite3.Connection) -> None:
    # A caller that was cancelled while it began is gone, and its transaction still stands open.
    _rollback(connection)
    connection.execute("BEGIN IMMEDIATE")


def _finish(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("COMMIT")
    except BaseException:
        _rollback(connection)
        raise


def _rollback(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _commit_group(connection: sqlite3.Connection, *, writes: Sequence[Write[Any]]) -> list[Any]:
    _begin(connection)
    try:
        values = _apply(connection, writes)
        _finish(connection)
    except BaseException:
        _rollback(connection)
        raise
    return values


def _apply(connection: sqlite3.Connection, writes: Sequence[Write[Any]]) -> list[Any]:
    rows: list[list[list[Any]]] = [[[] for _ in write.first] for write in writes]
    for statement, members in group.staged(writes):
        if statement.returns:
            _run_counted(connection, statement, members, rows)
        else:
            _run(connection, statement.sql, statement.types, [one.args for _, _, one in members])
    found = group.effects(writes, rows)
    for sql, types, arguments in group.followers(found):
        _run(connection, sql, types, arguments)
    return [effect.value for effect in found]


def _run(
    connection: sqlite3.Connection, sql: str, types: tuple[str, ...], arguments: Sequence[tuple[Value, ...]]
) -> int:
    """Run a statement for all arguments; how many rows it changed.

    Every step of SQLite lets go of the interpreter's lock and waits to have it back, so as one statement
    a batch is not slowed by a busy event loop.
    """
    if not types:
        return connection.executemany(_numbered(sql), arguments).rowcount
    changed, start = 0, 0
    while start < len(arguments):
        # Sizes are powers of two, so that few texts stay prepared.
        size = min(_LARGEST_TABLE, 1 << ((len(arguments) - start).bit_length() - 1))
        values = [value for args in arguments[start : start + size] for value in args]
        changed += connection.execute(_table(sql, size, len(types)), values).rowcount
        start += size
    return changed


def _run_counted(
    connection: sqlite3.Connection, statement: Statement, members: list[group.Member], rows: list[list[list[Any]]]
) -> None:
    """Run it for all members and note whose rows changed; one by one only where not all of them did."""
    sql = statement.sql.rpartition(" RETURNING ")[0]
    if statement.types:
        connection.execute("SAVEPOINT members")
        changed = _run(connection, sql, statement.types, [one.args for _, _, one in members])
        if changed != len(members):
            connection.execute("ROLLBACK TO members")
        connection.execute("RELEASE members")
        if changed == len(members):
            for index, place, one in members:
                rows[index][place] = [one.args[:1]]
            return
    for index, place, one in members:
        rows[index][place] = [one.args[:1]] * _run(connection, sql, statement.types, [one.args])


@functools.cache
def _table(sql: str, size: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return sql.replace("{rows}", "VALUES " + ", ".join([row] * size))
