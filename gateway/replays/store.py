"""Jobs as rows: made once, claimed by a lease, moved on under its epoch."""

from collections.abc import Callable, Sequence

import msgspec

from gateway.accounts.model import Caller
from gateway.errors import Conflict, NotFound
from gateway.replays.model import Fenced, Job, Kind, Progress
from gateway.storage.database import Database, Effect, Reader, Row, Statement, T, Transaction, Write

_ADD = (
    "INSERT INTO jobs (id, partner_id, account_id, user_id, kind, state, reason, wanted, wanted_hash, position, seen, "
    "done, skipped, expected, created_at, updated_at, finished_at, next_at, lease_owner, lease_until, epoch) "
    "VALUES ($1, $2, $3, $4, $5, 'running', NULL, $6, $7, $8, 0, 0, 0, $9, $10, $10, NULL, $10, NULL, 0, 0) "
    "ON CONFLICT DO NOTHING"
)
_MINE = "partner_id = $1 AND ($2 = '' OR account_id = $2)"
_TWIN = "SELECT * FROM jobs WHERE partner_id = $1 AND kind = $2 AND wanted_hash = $3 AND state = 'running'"
_DUE = "SELECT id FROM jobs WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT $2"
# A job that is leased is due when its lease ends, so that a dead node's job comes back by itself.
_CLAIM = (
    "UPDATE jobs SET lease_owner = $1, lease_until = $2, next_at = $2, epoch = epoch + 1 "
    "WHERE id = $3 AND state = 'running' AND lease_until <= $4 RETURNING *"
)
_GUARD = "UPDATE jobs SET updated_at = $3 WHERE id = $1 AND epoch = $2 AND state = 'running' RETURNING id"
_STEP = (
    "UPDATE jobs SET position = $3, seen = seen + $4, done = done + $5, skipped = skipped + $6, state = $7, "
    "reason = $8, updated_at = $9, finished_at = CASE WHEN $7 = 'done' THEN CAST($9 AS BIGINT) END, "
    "next_at = CASE WHEN $7 = 'running' THEN CAST($10 AS BIGINT) END, "
    "lease_until = CASE WHEN $7 = 'running' THEN CAST($10 AS BIGINT) ELSE 0 END WHERE id = $1 AND epoch = $2"
)
_FAIL = (
    "UPDATE jobs SET state = 'failed', reason = $4, updated_at = $3, next_at = NULL, lease_owner = NULL, "
    "lease_until = 0, epoch = epoch + 1 WHERE id = $1 AND epoch = $2 AND state = 'running'"
)
_FREE = "UPDATE jobs SET next_at = $1, lease_owner = NULL, lease_until = 0, epoch = epoch + 1 WHERE state = 'running'"


async def add(transaction: Transaction, job: Job) -> Job | None:
    """Store a new job; where one like it is running, nothing is stored and that one comes back."""
    made = await transaction.execute(
        _ADD,
        job.id,
        job.partner_id,
        job.account_id,
        job.user_id,
        job.kind,
        msgspec.json.encode(job.wanted).decode(),
        job.hash,
        msgspec.json.encode(job.position).decode(),
        job.expected,
        job.created_at,
    )
    if made:
        return None
    found = await twin(transaction, job)
    if found is None:
        raise Conflict("A job like this one has just come to its end; ask again.")
    return found


async def twin(reader: Reader, job: Job) -> Job | None:
    """The running job that does the same."""
    row = await reader.one(_TWIN, job.partner_id, job.kind, job.hash)
    return None if row is None else Job.from_row(row)


async def number_running(reader: Reader, partner_id: str) -> int:
    """How many jobs of a partner run."""
    row = await reader.one(
        "SELECT count(*) AS number FROM jobs WHERE next_at IS NOT NULL AND partner_id = $1", partner_id
    )
    return 0 if row is None else int(row["number"])


async def running(reader: Reader, caller: Caller, kinds: Sequence[Kind]) -> list[Job]:
    """The caller's jobs of some kinds that have not ended, newest first."""
    places = ", ".join(f"${place}" for place in range(3, 3 + len(kinds)))
    rows = await reader.all(
        f"SELECT * FROM jobs WHERE {_MINE} AND next_at IS NOT NULL AND kind IN ({places}) ORDER BY id DESC",  # noqa: S608
        caller.partner_id,
        caller.account_id or "",
        *kinds,
    )
    return [Job.from_row(row) for row in rows]


async def page(
    reader: Reader, caller: Caller, kinds: Sequence[Kind], *, before: str, size: int
) -> tuple[list[Job], str | None]:
    """The caller's jobs of some kinds, newest first; with where the next page begins."""
    places = ", ".join(f"${place}" for place in range(5, 5 + len(kinds)))
    rows = await reader.all(
        f"SELECT * FROM jobs WHERE {_MINE} AND ($3 = '' OR id < $3) AND kind IN ({places}) "  # noqa: S608
        "ORDER BY id DESC LIMIT $4",
        caller.partner_id,
        caller.account_id or "",
        before,
        size + 1,
        *kinds,
    )
    more = rows[size - 1]["id"] if len(rows) > size else None
    return [Job.from_row(row) for row in rows[:size]], more


async def get(reader: Reader, caller: Caller, job_id: str, kinds: Sequence[Kind]) -> Job:
    """The caller's job."""
    row = await reader.one(
        f"SELECT * FROM jobs WHERE {_MINE} AND id = $3",  # noqa: S608
        caller.partner_id,
        caller.account_id or "",
        job_id,
    )
    if row is None or row["kind"] not in kinds:
        raise NotFound(f"No {kinds[0]} found with ID {job_id[:64]}")
    return Job.from_row(row)


async def current_any_account(reader: Reader, job_id: str) -> Job | None:
    """A job as it stands."""
    row = await reader.one("SELECT * FROM jobs WHERE id = $1", job_id)
    return None if row is None else Job.from_row(row)


async def cancel(transaction: Transaction, job: Job, now: int) -> bool:
    """End a job that has not ended; whoever works on it finds that out with its next step."""
    changed = await transaction.execute(
        "UPDATE jobs SET state = 'cancelled', updated_at = $2, finished_at = $2, next_at = NULL, lease_owner = NULL, "
        "lease_until = 0, epoch = epoch + 1 WHERE id = $1 AND state IN ('running', 'failed')",
        job.id,
        now,
    )
    return changed == 1


async def resume(transaction: Transaction, job: Job, now: int) -> bool:
    """Let a failed job go on from where it stood; Conflict where another one like it runs."""
    changed = await transaction.execute(
        "UPDATE jobs SET state = 'running', reason = NULL, updated_at = $2, finished_at = NULL, next_at = $2, "
        "lease_owner = NULL, lease_until = 0, epoch = epoch + 1 WHERE id = $1 AND state = 'failed'",
        job.id,
        now,
    )
    return changed == 1


async def claim(database: Database, *, owner: str, now: int, until: int, most: int) -> list[Job]:
    """Take up to `most` jobs that nobody works on, the longest due first."""
    due = await database.all(_DUE, now, most)
    if not due:
        return []
    async with database.transaction() as transaction:
        rows = [await transaction.one(_CLAIM, owner, until, row["id"], now) for row in due]
    return [Job.from_row(row) for row in rows if row is not None]


def step(job: Job, inner: Write[T], progress: Progress | Callable[[T], Progress], now: int, until: int) -> Write[T]:
    """A piece of a job's work with its progress, all in one commit; Fenced where the job is not this node's now."""
    guard = Statement(_GUARD, (job.id, job.epoch, now), returns=True)

    def then(rows: Sequence[Sequence[Row]]) -> Effect[T]:
        if not rows[0]:
            raise Fenced
        effect = inner.then(rows[1:])
        found = progress if isinstance(progress, Progress) else progress(effect.value)
        return Effect(effect.value, [*effect.statements, _moved(job, found, now, until)], effect.tallies)

    return Write([guard, *inner.first], then)


def _moved(job: Job, progress: Progress, now: int, until: int) -> Statement:
    return Statement(
        _STEP,
        (
            job.id,
            job.epoch,
            msgspec.json.encode(progress.position).decode(),
            progress.seen,
            progress.done,
            progress.skipped,
            progress.state,
            progress.reason,
            now,
            until,
        ),
    )


def nothing() -> Write[frozenset[str]]:
    """The work of a step that only moves its job on."""
    return Write([], lambda _: Effect(frozenset()))


async def fail(transaction: Transaction, job: Job, now: int, reason: str) -> None:
    """A job cannot go on; it may be taken up again."""
    await transaction.execute(_FAIL, job.id, job.epoch, now, reason)


async def give_back(transaction: Transaction, owner: str, now: int) -> None:
    """Let go of everything that a leaving node works on; others may take it at once."""
    await transaction.execute(f"{_FREE} AND lease_owner = $2", now, owner)


async def begin(transaction: Transaction, now: int) -> None:
    """The only node of a store starts: nobody else can work on anything."""
    await transaction.execute(_FREE, now)
