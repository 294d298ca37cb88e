"""Group commit: the batch is cut in the event loop when the last commit returns, so nobody waits for a window."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from gateway.errors import StorageDown
from gateway.storage.database import Effect, Row, Statement, Tally, Write

LINGER_S = 0.005
MAX_BATCH = 512

Outcome = Any | Exception


class _Waiting(NamedTuple):
    write: Write[Any]
    future: asyncio.Future[Any]


class GroupCommit:
    """Collects writes and commits those that gathered while the last commit ran, as one transaction.

    `commit` takes the writes of one transaction and answers their values, or raises for the transaction as a whole:
    StorageDown fails all of them; anything else may be the fault of a single one, which is then looked for.
    """

    def __init__(self, commit: Callable[[Sequence[Write[Any]]], Awaitable[list[Any]]]) -> None:
        self._commit = commit
        self._waiting: list[_Waiting] = []
        self._urgent = asyncio.Event()
        self._any = asyncio.Event()
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="storage.group")

    def submit(self, write: Write[Any], *, urgent: bool) -> asyncio.Future[Any]:
        """Queue a write; the future has its value once it is durable."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(StorageDown("The store is closed."))
            return future
        self._waiting.append(_Waiting(write, future))
        self._any.set()
        if urgent:
            self._urgent.set()
        return future

    async def close(self) -> None:
        """Commit what waits, then stop."""
        self._closed = True
        self._any.set()
        self._urgent.set()
        await self._task

    async def _run(self) -> None:
        while not (self._closed and not self._waiting):
            await self._any.wait()
            await self._linger()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting and not self._closed:
                self._any.clear()
                self._urgent.clear()
            if batch:
                await self._settle(batch)

    async def _linger(self) -> None:
        if self._urgent.is_set():
            return
        try:
            async with asyncio.timeout(LINGER_S):
                await self._urgent.wait()
        except TimeoutError:
            return

    async def _settle(self, batch: list[_Waiting]) -> None:
        outcomes = await self._attempt([waiting.write for waiting in batch])
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.future.done():
                continue
            if isinstance(outcome, Exception):
                waiting.future.set_exception(outcome)
            else:
                waiting.future.set_result(outcome)

    async def _attempt(self, writes: list[Write[Any]]) -> list[Outcome]:
        try:
            return await self._commit(writes)
        except StorageDown as problem:
            return [StorageDown(str(problem)) for _ in writes]
        except Exception as problem:  # noqa: BLE001 - the loop that everybody waits for survives a mistake in one write
            if len(writes) == 1:
                return [problem]
            # Halving finds the one that is to blame, which then fails alone, in few commits.
            half = len(writes) // 2
            return [*await self._attempt(writes[:half]), *await self._attempt(writes[half:])]


Member = tuple[int, int, Statement]


def staged(writes: Sequence[Write[Any]]) -> Iterator[tuple[Statement, list[Member]]]:
    """The first statements of all writes, gathered by their text: (one of them, [(write, place, statement)])."""
    groups: dict[str, list[tuple[int, int, Statement]]] = {}
    for index, write in enumerate(writes):
        for place, statement in enumerate(write.first):
            groups.setdefault(statement.sql, []).append((index, place, statement))
    for members in groups.values():
        yield members[0][2], members


def effects(writes: Sequence[Write[Any]], rows: Sequence[Sequence[Sequence[Row]]]) -> list[Effect[Any]]:
    """What every write makes of its rows."""
    return [write.then(found) for write, found in zip(writes, rows, strict=True)]


def followers(found: Iterable[Effect[Any]]) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    """The statements that follow from all effects as (sql, types, arguments), tallies added up and in a fixed order."""
    types: dict[str, tuple[str, ...]] = {}
    groups: dict[str, list[tuple[Any, ...]]] = {}
    sums: dict[tuple[str, tuple[Any, ...]], list[int]] = {}
    for effect in found:
        for statement in effect.statements:
            types[statement.sql] = statement.types
            groups.setdefault(statement.sql, []).append(statement.args)
        for tally in effect.tallies:
            _add(sums, tally)
    # Two nodes that add to the same rows lock them in the same order.
    for (sql, key), numbers in sorted(sums.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        groups.setdefault(sql, []).append((*key, *numbers))
    for sql, arguments in groups.items():
        yield sql, types.get(sql, ()), arguments


def _add(sums: dict[tuple[str, tuple[Any, ...]], list[int]], tally: Tally) -> None:
    numbers = sums.setdefault((tally.sql, tally.key), [0] * len(tally.add))
    for place, number in enumerate(tally.add):
        numbers[place] += number
