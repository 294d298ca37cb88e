"""Metering as rows: hours that are added to with the group commit, and how many event flows were active."""

from gateway.accounts.metering.model import Used
from gateway.accounts.metering.periods import Bills
from gateway.accounts.model import AccountId
from gateway.storage.database import Reader, Tally, Transaction

HOUR_MS = 3_600_000
_COUNT = (
    "INSERT INTO metering (account_id, hour, calls, polls, events) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (account_id, hour) DO UPDATE SET calls = metering.calls + excluded.calls, "
    "polls = metering.polls + excluded.polls, events = metering.events + excluded.events"
)


def hour_of(at: int) -> int:
    """The beginning of the hour."""
    return at - at % HOUR_MS


def counted(account_id: AccountId, at: int, *, calls: int = 0, polls: int = 0, events: int = 0) -> Tally:
    """That an account used so much more."""
    return Tally(_COUNT, (account_id, hour_of(at)), (calls, polls, events))


async def used(reader: Reader, account_id: AccountId, start: int, end: int) -> Used:
    """What an account used from one moment to another.

    Each counts with the beginning of its hour, so that of periods that follow one another every hour belongs to one.
    """
    row = await reader.one(
        "SELECT CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(polls) AS BIGINT) AS polls, "
        "CAST(sum(events) AS BIGINT) AS events FROM metering WHERE account_id = $1 AND hour >= $2 AND hour < $3",
        account_id,
        hour_of(start),
        hour_of(end),
    )
    sums = {name: (row[name] if row is not None else None) or 0 for name in ("calls", "polls", "events")}
    return Used(**sums, flows=await _most_flows(reader, account_id, start, end))


async def _most_flows(reader: Reader, account_id: AccountId, start: int, end: int) -> int:
    """The most within the stretch, or as many as there were when it began."""
    row = await reader.one(
        "SELECT max(most) AS most FROM flows WHERE account_id = $1 AND hour >= $2 AND hour < $3",
        account_id,
        hour_of(start),
        hour_of(end),
    )
    before = await reader.one(
        "SELECT last FROM flows WHERE account_id = $1 AND hour < $2 ORDER BY hour DESC LIMIT 1",
        account_id,
        hour_of(start),
    )
    most: int = (row["most"] if row is not None else None) or 0
    return most if before is None else max(most, before["last"])


async def lock_flows(transaction: Transaction, account_id: AccountId, at: int) -> None:
    """Let nobody else count this account's flows until the transaction ends."""
    await transaction.execute(
        "INSERT INTO flows (account_id, hour, most, last) VALUES ($1, $2, 0, 0) "
        "ON CONFLICT (account_id, hour) DO UPDATE SET most = flows.most",
        account_id,
        hour_of(at),
    )


async def put_flows(transaction: Transaction, account_id: AccountId, at: int, number: int) -> None:
    """That so many flows are active now; the hour is locked."""
    await transaction.execute(
        "UPDATE flows SET most = CASE WHEN most > $3 THEN most ELSE $3 END, last = $3 "
        "WHERE account_id = $1 AND hour = $2",
        account_id,
        hour_of(at),
        number,
    )


async def lock_bills(transaction: Transaction, account_id: AccountId) -> None:
    """Let nobody else change the account until the transaction ends; what is read after it stays true."""
    await transaction.execute("UPDATE accounts SET next_bill_at = next_bill_at WHERE id = $1", account_id)


async def put_bills(transaction: Transaction, account_id: AccountId, seen: int | None, bills: Bills) -> bool:
    """Let the billing dates be these; False where the next one is not any more what was `seen`."""
    changed = await transaction.execute(
        "UPDATE accounts SET last_bill_at = $3, next_bill_at = $4, billing_day = $5 "
        "WHERE id = $1 AND coalesce(next_bill_at, -1) = $2 AND deleted_at IS NULL",
        account_id,
        -1 if seen is None else seen,
        bills.last,
        bills.next,
        bills.day,
    )
    return changed == 1
