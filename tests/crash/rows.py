"""The full count of the rows, beside what the ledger says."""

from gateway.storage.database import Database
from gateway.storage.open import connect

_LEDGERS = {
    "ledger_events": ("received", "accepted", "duplicate", "refused", "ignored", "routed", "unrouted"),
    "ledger_deliveries": ("created", "delivered", "pending", "dead", "cancelled"),
}


async def problems(url: str, shown: dict[str, int]) -> list[str]:
    """What does not add up between the rows, the ledger's tables and the metrics of the stopped gateway."""
    async with connect(url, min_free=0) as database:
        kept = await _ledger(database)
        counted = await _counted(database)
    found = [
        f"/metrics said {name} {shown[name]}, the table {kept[name]}" for name in kept if shown[name] != kept[name]
    ]
    found += [
        f"{counted[name]} rows are {name}, the ledger has {kept[name]}"
        for name in counted
        if counted[name] != kept[name]
    ]
    return found + unbalanced(kept)


def unbalanced(ledger: dict[str, int]) -> list[str]:
    """Which of the three equations of conservation do not hold."""
    sums = {
        "received": ("accepted", "duplicate", "refused", "ignored"),
        "accepted": ("routed", "unrouted"),
        "created": ("delivered", "pending", "dead", "cancelled"),
    }
    return [
        f"{whole} {ledger[whole]} is not the sum of {', '.join(f'{part} {ledger[part]}' for part in parts)}"
        for whole, parts in sums.items()
        if ledger[whole] != sum(ledger[part] for part in parts)
    ]


async def _ledger(database: Database) -> dict[str, int]:
    found: dict[str, int] = {}
    for table, columns in _LEDGERS.items():
        sums = ", ".join(f"CAST(coalesce(sum({column}), 0) AS BIGINT) AS {column}" for column in columns)
        row = await database.one(f"SELECT {sums} FROM {table}")
        assert row is not None
        found |= {column: int(row[column]) for column in columns}
    return found


async def _counted(database: Database) -> dict[str, int]:
    found = dict.fromkeys(("delivered", "pending", "dead", "cancelled"), 0)
    for row in await database.all("SELECT state, count(*) AS number FROM deliveries GROUP BY state"):
        found[row["state"]] = row["number"]
    for name, sql in (
        ("created", "SELECT count(*) AS number FROM deliveries"),
        ("accepted", "SELECT count(*) AS number FROM events"),
        ("routed", "SELECT count(DISTINCT event_id) AS number FROM deliveries"),
    ):
        counted = await database.one(sql)
        assert counted is not None
        found[name] = counted["number"]
    return found
