"""What every database engine offers: read, grouped write, fenced transaction. SQL with `$1` placeholders."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

T = TypeVar("T")

Value = str | int | float | bytes | None
Row = Mapping[str, Any]
Engine = Literal["sqlite", "postgresql"]


class StatementError(Exception):
    """A statement that the database does not understand: a mistake in the program, no outage."""


class Statement(msgspec.Struct, frozen=True):
    """One statement of a grouped write.

    With `returns`, its rows come back: they have one column, which is the statement's first argument.
    With `types`, the text takes its arguments as the row of a table, `({rows}) AS v` with the columns `column1`,
    `column2` and so on, so that all statements of a group with this text run as one; `types` are PostgreSQL's names.
    """

    sql: str
    args: tuple[Value, ...]
    returns: bool = False
    types: tuple[str, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """An upsert whose numbers are added up over all writes of a group, so that a hot row is touched once.

    The statement takes the key's values first, then the sums.
    """

    sql: str
    key: tuple[Value, ...]
    add: tuple[int, ...]


class Effect(msgspec.Struct, Generic[T], frozen=True):
    """What follows from the rows of a write's first statements: further statements, and the caller's value."""

    value: T
    statements: Sequence[Statement] = ()
    tallies: Sequence[Tally] = ()


class Write(msgspec.Struct, Generic[T], frozen=True):
    """A piece of work for the group commit: all of it or nothing, together with whatever else is waiting.

    `then` gets the rows of `first`, statement by statement, and must be pure: it may run again. Statements of one text
    run together, over all writes of the group; texts run in the order in which they first appear.
    """

    first: Sequence[Statement]
    then: Callable[[Sequence[Sequence[Row]]], Effect[T]]


class Reader(Protocol):
    """Statements that see one state of the database."""

    async def one(self, sql: str, *args: Value) -> Row | None: ...

    async def all(self, sql: str, *args: Value) -> Sequence[Row]: ...


class Transaction(Reader, Protocol):
    """Statements that happen together or not at all, alone on the writing side."""

    async def execute(self, sql: str, *args: Value) -> int: ...


class Database(Reader, Protocol):
    """One database, as every room above sees it."""

    engine: Engine

    async def write(self, write: Write[T], *, urgent: bool = True) -> T:
        """Commit the write with the group; one that is not urgent waits a moment for company.

        Raises Conflict where a constraint or a value forbids it, StorageDown where nothing can be committed now.
        """
        ...

    def submit(self, write: Write[T]) -> asyncio.Future[T]:
        """Queue a write that is not urgent, without waiting; its future ends as `write` would."""
        ...

    def transaction(self, *, patient: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of its own, committed on leaving, rolled back on an exception.

        In a patient one a statement may take as long as it needs, as a migration does.
        """
        ...
