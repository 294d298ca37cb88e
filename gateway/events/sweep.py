"""Retention: what is old and settled goes, in small batches that let the road pass between them."""

import asyncio
import time
from collections.abc import Sequence

from gateway.accounts import store as accounts
from gateway.events.removal import emptying, removal
from gateway.events.spans import Kept, Place, Places, Span, spans, worth
from gateway.ids import first_at
from gateway.storage.database import Database, Effect, Row, Statement, Write

BATCH = 200
#: How many events are taken away in one commit; the road waits for no more than these.
AT_ONCE = 10
MOST_BATCHES = 500
#: A sweep ends before the next one begins; what it has not come to is the next one's.
LONGEST_S = 480.0
#: After which another node takes it up, where the one that had begun is gone.
TURN_MS = 900_000
#: So many times as long as a sweep writes, the road has the store alone.
REST = 3.0
REFUSALS_KEPT_MS = 7 * 86_400_000
MOST_REFUSALS = 10_000
#: Longer than any vendor's tolerance for old deliveries, and than a day of retries.
NONCES_KEPT_MS = 2 * 86_400_000

# One node at a time: two that take away the same rows would wait for each other, and the road behind them.
_TURN = (
    "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value "
    "WHERE CAST(meta.value AS BIGINT) < $3 RETURNING key"
)
_TURN_OVER = "UPDATE meta SET value = '0' WHERE key = $1 AND value = $2"
_TURN_NAME = "swept_until"
_COLUMNS = (
    "SELECT id, instance_id, account_id, emptied_at, EXISTS (SELECT 1 FROM deliveries AS d "
    "WHERE d.event_id = events.id AND d.state || '' = 'pending') AS pending FROM events WHERE "
)
_OLD = _COLUMNS + "id > $1 AND id < $2 ORDER BY id LIMIT $3"
_OLD_OF_ACCOUNT = _COLUMNS + "account_id = $4 AND id > $1 AND id < $2 ORDER BY id LIMIT $3"
_REFUSALS = "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE id < $1 ORDER BY id LIMIT $2) RETURNING $1"
_FLOODED = "SELECT instance_id FROM refusals GROUP BY instance_id HAVING count(*) > $1"
_NONCES = (
    "DELETE FROM nonces WHERE (instance_id, nonce) IN "
    "(SELECT instance_id, nonce FROM nonces WHERE at < $1 ORDER BY at LIMIT $2) RETURNING $1"
)
_CALLS = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE id < $1 ORDER BY id LIMIT $2) RETURNING $1"
_TOO_MANY = (
    "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE instance_id = $1 AND id <= "
    "(SELECT id FROM refusals WHERE instance_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2) LIMIT $3) RETURNING $1"
)

SWEPT = ("events", "payloads", "refusals", "nonces", "calls")


async def sweep(
    database: Database, now: int, events_kept_ms: int, payloads_kept_ms: int | None = None, places: Places | None = None
) -> dict[str, int]:
    """Remove what is older than its time, and refusals that are too many; how many of each.

    `places` are where earlier sweeps of this process have come to, so that what stays is not looked at each time.
    While another node sweeps, nothing is done.
    """
    until = str(now + TURN_MS)
    turn = Statement(_TURN, (_TURN_NAME, until, now), returns=True)
    if not await database.write(Write([turn], lambda rows: Effect(len(rows[0])))):
        return dict.fromkeys(SWEPT, 0)
    try:
        kept = Kept(events_ms=events_kept_ms, payloads_ms=payloads_kept_ms or events_kept_ms)
        return await _sweep(database, now, kept, {} if places is None else places)
    finally:
        over = Statement(_TURN_OVER, (_TURN_NAME, until))
        await database.write(Write([over], lambda _: Effect(None)))


async def _sweep(database: Database, now: int, kept: Kept, places: Places) -> dict[str, int]:
    refusals = await _deleted(database, Statement(_REFUSALS, (first_at(now - REFUSALS_KEPT_MS), BATCH), returns=True))
    for row in await database.all(_FLOODED, MOST_REFUSALS):
        too_many = Statement(_TOO_MANY, (row["instance_id"], MOST_REFUSALS, BATCH), returns=True)
        refusals += await _deleted(database, too_many)
    nonces = await _deleted(database, Statement(_NONCES, (now - NONCES_KEPT_MS, BATCH), returns=True))
    calls = await _deleted(database, Statement(_CALLS, (first_at(now - kept.events_ms), BATCH), returns=True))
    events = await _events(database, now, kept, places)
    return {**events, "refusals": refusals, "nonces": nonces, "calls": calls}


async def _events(database: Database, now: int, kept: Kept, places: Places) -> dict[str, int]:
    own = await accounts.every_retention(database)
    left = spans(kept, own)
    done, ends_at = {"events": 0, "payloads": 0}, time.monotonic() + LONGEST_S
    for gone in places.keys() - {(span.what, span.account_id) for span in left}:
        del places[gone]
    # By turns, so that one account's millions are in nobody's way.
    while left and time.monotonic() < ends_at:
        left = [span for span in left if await _step(database, now, span, places, done)]
    return done


async def _step(database: Database, now: int, span: Span, places: Places, done: dict[str, int]) -> bool:
    """One batch of a span; whether there may be more of it."""
    place = span.place(places, now)
    rows = await _old(database, span, place.after, now)
    found = [row for row in rows if worth(span, row)]
    for start in range(0, len(found), AT_ONCE):
        began = time.perf_counter()
        done[span.what] += await database.write(_write(span, found[start : start + AT_ONCE], now), urgent=False)
        await asyncio.sleep(REST * (time.perf_counter() - began))
    after = rows[-1]["id"] if rows else place.after
    places[span.what, span.account_id] = Place(after, span, place.begun_at)
    return len(rows) == BATCH


async def _old(database: Database, span: Span, after: str, now: int) -> Sequence[Row]:
    before = first_at(now - span.kept_ms)
    if span.account_id is None:
        return await database.all(_OLD, after, before, BATCH)
    return await database.all(_OLD_OF_ACCOUNT, after, before, BATCH, span.account_id)


def _write(span: Span, found: Sequence[Row], now: int) -> Write[int]:
    if span.what == "payloads":
        return emptying([row["id"] for row in found], now)
    return removal([(row["id"], row["instance_id"]) for row in found])


async def _deleted(database: Database, batch: Statement) -> int:
    def count(rows: Sequence[Sequence[Row]]) -> Effect[int]:
        return Effect(len(rows[0]))

    removed = 0
    for _ in range(MOST_BATCHES):
        number = await database.write(Write([batch], count), urgent=False)
        removed += number
        if number < BATCH:
            break
    return removed
