"""The standing of instances with their vendors, and the lease of the node that logs in."""

from collections.abc import Sequence

from gateway.access.model import Standing
from gateway.storage.database import Reader, Transaction

# Nothing is known against whoever was never tried.
_NEW = (
    "INSERT INTO logins (instance_id, state, reason, since, renew_at, check_at, tries, lease_owner, lease_until) "
    "VALUES ($1, 'good', NULL, $2, NULL, NULL, 0, NULL, 0) ON CONFLICT (instance_id) DO NOTHING"
)


async def standing(reader: Reader, instance_id: int) -> Standing | None:
    """How the instance stands; None where nothing was ever tried."""
    row = await reader.one("SELECT * FROM logins WHERE instance_id = $1", instance_id)
    return None if row is None else Standing.from_row(row)


async def standings(reader: Reader, instance_ids: Sequence[int]) -> dict[int, Standing]:
    """The same for many, in one look."""
    if not instance_ids:
        return {}
    places = ", ".join(f"${place}" for place in range(1, len(instance_ids) + 1))
    rows = await reader.all(f"SELECT * FROM logins WHERE instance_id IN ({places})", *instance_ids)  # noqa: S608
    return {row["instance_id"]: Standing.from_row(row) for row in rows}


async def take_lease(transaction: Transaction, instance_id: int, owner: str, now: int, until: int) -> bool:
    """Become the one who logs in; False while somebody else is at it."""
    await transaction.execute(_NEW, instance_id, now)
    taken = await transaction.execute(
        "UPDATE logins SET lease_owner = $2, lease_until = $4 "
        "WHERE instance_id = $1 AND (lease_until <= $3 OR lease_owner = $2)",
        instance_id,
        owner,
        now,
        until,
    )
    return taken == 1


async def take_due_lease(transaction: Transaction, instance_id: int, owner: str, now: int, until: int) -> bool:
    """The same for a renewal ahead of time, where it is still due."""
    taken = await transaction.execute(
        "UPDATE logins SET lease_owner = $2, lease_until = $4 "
        "WHERE instance_id = $1 AND lease_until <= $3 AND renew_at <= $3",
        instance_id,
        owner,
        now,
        until,
    )
    return taken == 1


async def give_back(transaction: Transaction, instance_id: int, owner: str) -> None:
    """Let the lease go without a result."""
    await transaction.execute(
        "UPDATE logins SET lease_owner = NULL, lease_until = 0 WHERE instance_id = $1 AND lease_owner = $2",
        instance_id,
        owner,
    )


async def settle(transaction: Transaction, instance_id: int, found: Standing) -> None:
    """Write down how the instance stands after a login or a change of credentials; whatever lease there is ends."""
    await transaction.execute(_NEW, instance_id, found.since)
    await transaction.execute(
        "UPDATE logins SET since = CASE WHEN state = $2 THEN since ELSE $4 END, state = $2, reason = $3, "
        "renew_at = $5, check_at = $6, tries = $7, lease_owner = NULL, lease_until = 0 WHERE instance_id = $1",
        instance_id,
        found.state,
        found.reason,
        found.since,
        found.renew_at,
        found.check_at,
        found.tries,
    )


async def postpone(transaction: Transaction, instance_id: int, owner: str, now: int, at: int) -> None:
    """A login failed: the renewal that was due is not before `at`, and the lease is free."""
    await transaction.execute(
        "UPDATE logins SET renew_at = CASE WHEN renew_at <= $3 THEN $4 ELSE renew_at END, "
        "tries = CASE WHEN renew_at <= $3 THEN tries + 1 ELSE tries END, "
        "lease_owner = NULL, lease_until = 0 WHERE instance_id = $1 AND lease_owner = $2",
        instance_id,
        owner,
        now,
        at,
    )


async def renews_never(transaction: Transaction, instance_id: int) -> None:
    """There is no token to renew any more."""
    await transaction.execute("UPDATE logins SET renew_at = NULL WHERE instance_id = $1", instance_id)


async def judge(transaction: Transaction, instance_id: int, found: Standing) -> None:
    """Write down what a call has shown; lease and renewal stay as they are."""
    await transaction.execute(_NEW, instance_id, found.since)
    await transaction.execute(
        "UPDATE logins SET since = CASE WHEN state = $2 THEN since ELSE $4 END, state = $2, reason = $3, "
        "check_at = $5, tries = $6 WHERE instance_id = $1",
        instance_id,
        found.state,
        found.reason,
        found.since,
        found.check_at,
        found.tries,
    )


async def claim_check(transaction: Transaction, instance_id: int, seen: int, until: int) -> bool:
    """Be the only one who tries the credentials now; False where another node was faster, or they were changed."""
    claimed = await transaction.execute(
        "UPDATE logins SET check_at = $3 WHERE instance_id = $1 AND check_at = $2", instance_id, seen, until
    )
    return claimed == 1


async def lock(transaction: Transaction, instance_id: int) -> bool:
    """Keep the row for this transaction alone; False where there is none."""
    return await transaction.execute("UPDATE logins SET tries = tries WHERE instance_id = $1", instance_id) == 1


async def forget(transaction: Transaction, instance_id: int) -> None:
    """The instance is gone."""
    await transaction.execute("DELETE FROM logins WHERE instance_id = $1", instance_id)


async def to_renew_any_account(reader: Reader, now: int, most: int) -> list[int]:
    """Instances whose token is to be renewed, and that nobody logs in for right now; the soonest first."""
    rows = await reader.all(
        "SELECT instance_id FROM logins WHERE renew_at IS NOT NULL AND renew_at <= $1 AND lease_until <= $1 "
        "AND state <> 'reauth' ORDER BY renew_at LIMIT $2",
        now,
        most,
    )
    return [row["instance_id"] for row in rows]


async def to_check_any_account(reader: Reader, now: int, most: int) -> list[tuple[int, Standing]]:
    """Instances whose credentials are to be tried again, the longest due first."""
    rows = await reader.all(
        "SELECT * FROM logins WHERE check_at IS NOT NULL AND check_at <= $1 ORDER BY check_at LIMIT $2", now, most
    )
    return [(row["instance_id"], Standing.from_row(row)) for row in rows]
