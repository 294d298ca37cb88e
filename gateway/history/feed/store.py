"""What following reads: which events there are by time, and some of a caller's with everything in them."""

from collections.abc import Sequence

from gateway.accounts.model import Caller
from gateway.events.model import Event
from gateway.history.feed.order import Told
from gateway.history.filter import END
from gateway.storage.database import Reader, Row


async def told_after_any_account(reader: Reader, after: str, most: int) -> list[Told]:
    """The events behind one, oldest first."""
    sql = "SELECT id, instance_id, account_id FROM events WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3"
    return [_told(row) for row in await reader.all(sql, after, END, most)]


async def which_exist_any_account(reader: Reader, ids: Sequence[str]) -> list[Told]:
    """Those of these events that are stored, oldest first."""
    sql = f"SELECT id, instance_id, account_id FROM events WHERE id IN ({_places(ids, 1)}) ORDER BY id"  # noqa: S608
    return [_told(row) for row in await reader.all(sql, *ids)]


async def with_payload(reader: Reader, caller: Caller, ids: Sequence[str]) -> dict[str, Event]:
    """Those of these events that are the caller's, with everything that is stored of them."""
    rows = await reader.all(
        "SELECT events.* FROM events JOIN accounts ON accounts.id = events.account_id "  # noqa: S608
        f"WHERE events.id IN ({_places(ids, 3)}) AND accounts.partner_id = $1 AND ($2 = '' OR events.account_id = $2)",
        caller.partner_id,
        caller.account_id or "",
        *ids,
    )
    return {row["id"]: Event.from_row(row) for row in rows}


def _told(row: Row) -> Told:
    return Told(row["id"], row["instance_id"], row["account_id"])


def _places(ids: Sequence[str], first: int) -> str:
    return ", ".join(f"${place}" for place in range(first, first + len(ids)))
