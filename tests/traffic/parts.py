"""Days of made-up figures, the same each time: quiet nights, busy noons, and an hour in which much failed."""

import math

from gateway.storage.database import Database
from gateway.traffic import store
from gateway.traffic.count import Owner
from gateway.traffic.histogram import bucket_of
from gateway.traffic.model import DAY_MS, HOUR_MS, MINUTE_MS, PLACES, TOOK_AT, WAY_AT, WIDTH
from gateway.traffic.rows import Owed

_AT_ONCE = 400


async def days(database: Database, owner: Owner, until: int, number: int = 1) -> None:
    """So many days of every minute's figures before a moment."""
    owed = Owed()
    for minute in range(number * DAY_MS // MINUTE_MS):
        at = until - until % MINUTE_MS - minute * MINUTE_MS
        owed.add({(owner, at): _minute(at, away=5 * HOUR_MS < until - at < 6 * HOUR_MS)})
    rows = list(owed.rows.items())
    for begin in range(0, len(rows), _AT_ONCE):
        await database.write(store.added(rows[begin : begin + _AT_ONCE], ()))


def _minute(at: int, *, away: bool) -> list[int]:
    place = at // MINUTE_MS
    accepted = round(40 + 30 * math.sin(at / DAY_MS * 2 * math.pi - 2) + 4 * math.sin(place) + 3 * math.sin(place / 7))
    lost = accepted // 3 if away else 0
    counts = {
        "accepted": accepted,
        "duplicate": place % 5 == 0,
        "refused": place % 37 == 0,
        "ignored": place % 11 == 0,
        "attempts_ok": accepted - lost,
        "attempts_failed": 3 * lost,
        "delivered": accepted - lost,
        "dead": lost // 8,
        "polls_ok": 2,
        "polls_failed": place % 601 == 0,
    }
    numbers = [0] * WIDTH
    for name, count in counts.items():
        numbers[PLACES[name]] = int(count)
    for number in range(accepted - lost):
        ms = round(35 * math.exp(3 * (number / accepted) ** 6)) * (40 if away else 1)
        numbers[WAY_AT + bucket_of(ms)] += 1
        numbers[TOOK_AT + bucket_of(ms // 2)] += 1
    return numbers
