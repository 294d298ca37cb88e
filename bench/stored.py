"""A gateway's data directory with very many events that were delivered long ago."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import servers
from gateway.clock import now_ms

DAY_MS = 86_400_000
_PAYLOAD = b'{"action":"opened","issue":{"id":%d,"title":"' + 300 * b"x" + b'"}}'


async def fill(options: dict[str, Any]) -> dict[str, Any]:
    """Events of twenty days, each delivered at its first attempt; tells the instance that they are of."""
    context, _, made = await servers.opened({**options, "callbacks": [options["url"]]})
    await context.__aexit__(None, None, None)
    number, since = options["number"], now_ms() - 22 * DAY_MS
    with sqlite3.connect(Path(options["folder"]) / "gateway.db") as connection:
        connection.execute("PRAGMA synchronous=OFF")
        account = connection.execute("SELECT account_id FROM instances").fetchone()[0]
        places = list(_places(number, since))
        connection.executemany(
            "INSERT INTO events (id, account_id, instance_id, connector, source, type, action, object_type, object_id, "
            "vendor_event_id, identity, filter_nulls, received_at, backfill, routed, body_hash, request, payload) "
            "VALUES (?, ?, ?, 'github', 'webhook', 'issues.opened', 'CREATED', 'issues', ?, ?, ?, 1, ?, 0, 1, ?, ?, ?)",
            (_event(one, at, id_, account, made[0]["id"]) for one, at, id_ in places),
        )
        connection.executemany(
            "INSERT INTO deliveries (id, event_id, instance_id, destination_id, state, attempts, due_at, lease_until, "
            "epoch, created_at, settled_at) VALUES (?, ?, ?, 1, 'delivered', 1, ?, 0, 1, ?, ?)",
            ((id_, id_, made[0]["id"], at, at, at) for _, at, id_ in places),
        )
        connection.executemany(
            "INSERT INTO attempts (delivery_id, number, at, duration_ms, status, answer) VALUES (?, 1, ?, 5, 200, ?)",
            ((id_, at, b"{}") for _, at, id_ in places),
        )
        connection.execute(
            "INSERT INTO ledger_events (instance_id, shard, received, accepted, duplicate, refused, ignored, routed, "
            "unrouted) VALUES (?, 0, ?, ?, 0, 0, 0, ?, 0)",
            (made[0]["id"], number, number, number),
        )
        connection.execute(
            "INSERT INTO ledger_deliveries (destination_id, shard, created, delivered, pending, dead, cancelled) "
            "VALUES (1, 0, ?, ?, 0, 0, 0)",
            (number, number),
        )
    connection.close()
    return {"stored": made}


async def fill_accounts(options: dict[str, Any]) -> int:
    """A gateway's data directory with so many accounts of the first partner."""
    context, _, _ = await servers.opened(options)
    await context.__aexit__(None, None, None)
    dice = random.Random(5)
    with sqlite3.connect(Path(options["folder"]) / "gateway.db") as connection:
        partner, created = connection.execute("SELECT partner_id, created_at FROM accounts").fetchone()
        connection.executemany(
            "INSERT INTO accounts (id, partner_id, name, created_at) VALUES (?, ?, ?, ?)",
            (
                (f"{dice.getrandbits(128):032x}", partner, f"Customer {one}", created)
                for one in range(options["number"])
            ),
        )
    connection.close()
    return int(options["number"])


def _places(number: int, since: int) -> Iterator[tuple[int, int, str]]:
    dice = random.Random(7)
    for one in range(number):
        at = since + 20 * DAY_MS * one // number
        yield one, at, f"{at:012x}{dice.getrandbits(80):020x}"


def _event(one: int, at: int, id_: str, account: str, instance_id: int) -> tuple[Any, ...]:
    known = f"{one * 2_654_435_761 % (1 << 32):08x}-{one}"
    request = '{"method":"POST","query":"","headers":[["x-github-event","issues"]],"remote":"127.0.0.1"}'
    return (
        *(id_, account, instance_id, str(one % 50_000), known, f"d:{known}", at),
        *(id_[::-1], request, _PAYLOAD % one),
    )
