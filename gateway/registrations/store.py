"""Registrations as rows: wished for, claimed by a lease, settled under its epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from gateway.instances import store as instances
from gateway.registrations.model import NOTHING_KEPT, Kept, Registration, State, Status
from gateway.seal import Seal
from gateway.storage.database import Database, Reader, Row, Transaction

_NEW = (
    "INSERT INTO registrations (instance_id, state, since, next_at, attempts, wishes, lease_until, epoch) "
    "VALUES ($1, 'wanted', $2, $2, 0, 0, 0, 0) ON CONFLICT (instance_id) DO NOTHING"
)
_CLAIM = (
    "UPDATE registrations SET lease_owner = $1, lease_until = $2, epoch = epoch + 1 WHERE instance_id IN ("
    "SELECT instance_id FROM registrations WHERE next_at <= $3 AND lease_until <= $3 ORDER BY next_at LIMIT $4{lock}) "
    "RETURNING *"
)
_CLAIM_ONE = (
    "UPDATE registrations SET lease_owner = $1, lease_until = $2, epoch = epoch + 1 "
    "WHERE instance_id = $4 AND next_at <= $3 AND lease_until <= $3 RETURNING *"
)
_SETTLE = (
    "UPDATE registrations SET since = CASE WHEN state = $3 THEN since ELSE $4 END, state = $3, reason = $5, "
    "vendor_id = $6, callback_hash = $7, public_url = $8, expires_at = $9, checked_at = $10, renew_at = $17, "
    # Somebody wished for something while it was worked on: it is looked at again at once.
    "next_at = CASE WHEN wishes = $11 THEN $12 ELSE $4 END, "
    "attempts = $13, asked_id = $14, sealed = $15, lease_owner = CASE WHEN $16 = 1 THEN lease_owner END, "
    "lease_until = CASE WHEN $16 = 1 THEN lease_until ELSE 0 END WHERE instance_id = $1 AND epoch = $2"
)


async def wish(transaction: Transaction, instance_id: int, now: int, *, wanted: bool) -> None:
    """The instance changed: look at its registration now; one is begun only where it is wanted."""
    if wanted:
        await transaction.execute(_NEW, instance_id, now)
    await transaction.execute(
        "UPDATE registrations SET wishes = wishes + 1, next_at = $2, attempts = 0 WHERE instance_id = $1",
        instance_id,
        now,
    )


async def ask_for_check(transaction: Transaction, instance_id: int) -> None:
    """Believe nothing of what was verified before."""
    await transaction.execute("UPDATE registrations SET checked_at = 0 WHERE instance_id = $1", instance_id)


async def depart(transaction: Transaction, seal: Seal, row: Registration, kept: Kept, now: int) -> None:
    """The instance is deleted: what its removal at the vendor needs is kept; whoever works on it loses the lease."""
    await transaction.execute(
        "UPDATE registrations SET state = 'removing', reason = 'instance deleted', since = $2, next_at = $2, "
        "attempts = 0, sealed = $3, wishes = wishes + 1, lease_owner = NULL, lease_until = 0, epoch = epoch + 1 "
        "WHERE instance_id = $1",
        row.instance_id,
        now,
        _sealed(seal, row.instance_id, kept),
    )


async def get(reader: Reader, seal: Seal, instance_id: int) -> Registration | None:
    """The registration of an instance; None where there was never one."""
    row = await reader.one("SELECT * FROM registrations WHERE instance_id = $1", instance_id)
    return None if row is None else _opened(seal, row)


async def statuses(reader: Reader, instance_ids: Sequence[int]) -> dict[int, Status]:
    """What owners are told of the registrations of instances."""
    if not instance_ids:
        return {}
    places = ", ".join(f"${place}" for place in range(1, len(instance_ids) + 1))
    rows = await reader.all(f"SELECT * FROM registrations WHERE instance_id IN ({places})", *instance_ids)  # noqa: S608
    return {row["instance_id"]: Status.from_row(row) for row in rows}


async def claim(
    database: Database, seal: Seal, *, owner: str, now: int, until: int, most: int
) -> Sequence[Registration]:
    """Take some that are due and that nobody works on; the longest due first."""
    sql = _CLAIM.format(lock=" FOR UPDATE SKIP LOCKED" if database.engine == "postgresql" else "")
    due = await database.one(
        "SELECT 1 AS due FROM registrations WHERE next_at <= $1 AND lease_until <= $1 LIMIT 1", now
    )
    if due is None:
        return []
    async with database.transaction() as transaction:
        rows = await transaction.all(sql, owner, until, now, most)
    return [_opened(seal, row) for row in sorted(rows, key=lambda row: (row["next_at"], row["instance_id"]))]


async def claim_one(
    database: Database, seal: Seal, instance_id: int, *, owner: str, now: int, until: int
) -> Registration | None:
    """Take this one where it is due and nobody works on it."""
    due = "SELECT 1 AS due FROM registrations WHERE instance_id = $1 AND next_at <= $2 AND lease_until <= $2"
    if await database.one(due, instance_id, now) is None:
        return None
    async with database.transaction() as transaction:
        row = await transaction.one(_CLAIM_ONE, owner, until, now, instance_id)
    return None if row is None else _opened(seal, row)


async def settle(transaction: Transaction, seal: Seal, after: Registration, now: int, *, goes_on: bool = False) -> bool:
    """Write down what became of a claimed one; False where it is somebody else's by now.

    With `goes_on` the lease stays, else it is given back.
    """
    changed = await transaction.execute(
        _SETTLE,
        after.instance_id,
        after.epoch,
        after.state,
        now,
        after.reason,
        after.vendor_id,
        after.callback_hash,
        after.public_url,
        after.expires_at,
        after.checked_at,
        after.wishes,
        after.next_at,
        after.attempts,
        after.asked_id,
        _sealed(seal, after.instance_id, after.kept),
        int(goes_on),
        after.renew_at,
    )
    return changed == 1


async def remove(transaction: Transaction, row: Registration) -> bool:
    """There is none any more; False where it is somebody else's by now, or is wanted again."""
    removed = await transaction.execute(
        "DELETE FROM registrations WHERE instance_id = $1 AND epoch = $2 AND wishes = $3",
        row.instance_id,
        row.epoch,
        row.wishes,
    )
    return removed == 1


async def forget(transaction: Transaction, instance_id: int) -> None:
    """The instance is gone, and left nothing at the vendor."""
    await transaction.execute("DELETE FROM registrations WHERE instance_id = $1", instance_id)


async def give_back(transaction: Transaction, owner: str) -> None:
    """Let go of everything that a leaving node works on."""
    await transaction.execute(
        "UPDATE registrations SET lease_owner = NULL, lease_until = 0 WHERE lease_owner = $1", owner
    )


async def begin(transaction: Transaction, public_url: str, now: int, *, alone: bool) -> None:
    """A node starts: look at what points to a former address, and at what was refused; alone, no lease counts."""
    await transaction.execute(
        "UPDATE registrations SET next_at = $2, wishes = wishes + 1 WHERE state = 'refused' "
        "OR (state <> 'removing' AND public_url IS NOT NULL AND public_url <> $1)",
        public_url,
        now,
    )
    if alone:
        await transaction.execute("UPDATE registrations SET lease_owner = NULL, lease_until = 0")


async def counts(reader: Reader) -> Mapping[str, int]:
    """How many there are in each state."""
    rows = await reader.all("SELECT state, count(*) AS number FROM registrations GROUP BY state")
    return {row["state"]: row["number"] for row in rows}


async def inbound_token(reader: Reader, seal: Seal, instance_id: int, now: int) -> str | None:
    """The newest token of the instance's URL."""
    found = await instances.secrets(reader, seal, instance_id, now)
    return next((secret.value for secret in found if secret.kind == "inbound"), None)


def moved(row: Registration, state: State, reason: str | None, next_at: int | None) -> Registration:
    """The registration in another state, looked at again at a time."""
    return replace(row, state=state, reason=None if reason is None else reason[:500], next_at=next_at)


def _sealed(seal: Seal, instance_id: int, kept: Kept) -> bytes | None:
    if kept == NOTHING_KEPT:
        return None
    return seal.close(msgspec.json.encode(kept).decode(), _place(instance_id))


def _opened(seal: Seal, row: Row) -> Registration:
    sealed = row["sealed"]
    if sealed is None:
        return Registration.from_row(row, NOTHING_KEPT)
    text = seal.open(bytes(sealed), _place(row["instance_id"]))
    return Registration.from_row(row, msgspec.json.decode(text, type=Kept))


def _place(instance_id: int) -> str:
    return f"registrations:{instance_id}"
