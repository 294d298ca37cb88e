"""Traffic as rows: added to in groups, read by the step, forgotten in time."""

from collections.abc import Iterable, Sequence

from gateway.accounts.model import Caller
from gateway.storage.database import Database, Effect, Reader, Row, Statement, Tally, Write
from gateway.traffic.count import Owner
from gateway.traffic.histogram import BUCKETS
from gateway.traffic.model import (
    COUNTS,
    HOUR_MS,
    HOURS_KEPT_MS,
    MINUTE_MS,
    MINUTES_KEPT_MS,
    Failing,
    Figures,
    Point,
    Window,
    dense,
)
from gateway.traffic.rows import AimRow, Key

_COLUMNS = (
    *COUNTS,
    *(f"way_{place:02d}" for place in range(BUCKETS)),
    *(f"took_{place:02d}" for place in range(BUCKETS)),
)
_PLACES = ", ".join(f"${place}" for place in range(1, 5 + len(_COLUMNS)))
_ADD = (
    f"INSERT INTO traffic (partner_id, account_id, span, at, {', '.join(_COLUMNS)}) VALUES ({_PLACES}) "  # noqa: S608
    "ON CONFLICT (partner_id, account_id, span, at) DO UPDATE SET "
    + ", ".join(f"{name} = traffic.{name} + excluded.{name}" for name in _COLUMNS)
)
_ADD_AIM = (
    "INSERT INTO traffic_destinations (destination_id, hour, partner_id, account_id, ok, failed, reason, failed_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (destination_id, hour) DO UPDATE SET "
    "ok = traffic_destinations.ok + excluded.ok, failed = traffic_destinations.failed + excluded.failed, "
    "reason = coalesce(excluded.reason, traffic_destinations.reason), "
    "failed_at = coalesce(excluded.failed_at, traffic_destinations.failed_at)"
)
_SERIES = (
    f"SELECT at - at % $6 AS step_at, {', '.join(f'CAST(sum({name}) AS BIGINT) AS {name}' for name in _COLUMNS)} "  # noqa: S608
    "FROM traffic WHERE partner_id = $1 AND account_id = $2 AND span = $3 AND at >= $4 AND at < $5 GROUP BY 1"
)
_FAILING = (
    "WITH worst AS (SELECT destination_id, CAST(sum(failed) AS BIGINT) AS failed FROM traffic_destinations "
    "WHERE {scope} AND hour >= $3 AND failed > 0 GROUP BY destination_id ORDER BY 2 DESC, 1 LIMIT $4) "
    "SELECT d.id AS destination_id, d.account_id, d.kind, d.instance_id, "
    "coalesce(i.name, p.name, '') AS name, d.url, d.state, "
    "w.failed, (SELECT CAST(sum(t.ok) AS BIGINT) FROM traffic_destinations AS t "
    "WHERE t.destination_id = d.id AND t.hour >= $3) AS ok, l.reason, l.failed_at "
    "FROM worst AS w JOIN destinations AS d ON d.id = w.destination_id "
    "JOIN traffic_destinations AS l ON l.destination_id = d.id AND l.hour = (SELECT max(t.hour) "
    "FROM traffic_destinations AS t WHERE t.destination_id = d.id AND t.failed > 0) "
    "LEFT JOIN instances AS i ON i.id = d.instance_id AND i.deleted_at IS NULL "
    "LEFT JOIN third_parties AS p ON p.id = d.id AND p.deleted_at IS NULL ORDER BY w.failed DESC, d.id"
)
_FAILING_OF_ALL = _FAILING.format(scope="partner_id = $1 AND $2 = ''")
_FAILING_OF_ONE = _FAILING.format(scope="partner_id = $1 AND account_id = $2")
_FORGET = (
    "DELETE FROM traffic WHERE (partner_id, account_id, span, at) IN "
    "(SELECT partner_id, account_id, span, at FROM traffic WHERE span = $1 AND at < $2 LIMIT $3) RETURNING span"
)
_FORGET_AIMS = (
    "DELETE FROM traffic_destinations WHERE (destination_id, hour) IN "
    "(SELECT destination_id, hour FROM traffic_destinations WHERE hour < $1 LIMIT $2) RETURNING $1"
)
_AT_ONCE = 500


def added(rows: Iterable[tuple[Key, Sequence[int]]], aims: Iterable[AimRow]) -> Write[None]:
    """Add what is new to what every node has counted so far."""
    tallies = [Tally(_ADD, key, tuple(numbers)) for key, numbers in rows]
    # Two nodes that add to the same rows lock them in the same order.
    statements = [Statement(_ADD_AIM, aim.values) for aim in sorted(aims, key=lambda aim: aim.key)]
    return Write([], lambda _: Effect(None, statements, tallies))


async def owners_any_account(reader: Reader, destination_ids: Sequence[int]) -> dict[int, Owner]:
    """Whose destinations these are."""
    found: dict[int, Owner] = {}
    for begin in range(0, len(destination_ids), _AT_ONCE):
        some = destination_ids[begin : begin + _AT_ONCE]
        places = ", ".join(f"${place}" for place in range(1, len(some) + 1))
        rows = await reader.all(
            "SELECT d.id, d.account_id, a.partner_id FROM destinations AS d "  # noqa: S608
            f"JOIN accounts AS a ON a.id = d.account_id WHERE d.id IN ({places})",
            *some,
        )
        found |= {row["id"]: Owner(row["partner_id"], row["account_id"]) for row in rows}
    return found


async def series(reader: Reader, caller: Caller, window: Window) -> list[Point]:
    """What happened in each step of a stretch of time, to the caller's account or to all of the partner's."""
    rows = await reader.all(
        _SERIES, caller.partner_id, caller.account_id or "", window.span, window.since, window.until, window.step
    )
    return dense(window, [_point(row) for row in rows])


async def failing(reader: Reader, caller: Caller, since: int, most: int = 10) -> list[Failing]:
    """The caller's destinations at which most attempts failed in the hours since then."""
    sql = _FAILING_OF_ONE if caller.account_id else _FAILING_OF_ALL
    hour = since - since % HOUR_MS
    rows = await reader.all(sql, caller.partner_id, caller.account_id or "", hour, most)
    return [Failing(**{name: row[name] for name in Failing.__dataclass_fields__}) for row in rows]


async def forget(database: Database, now: int, rounds: int = 20) -> int:
    """Remove some of what is older than it is kept, in small steps; how many rows went."""
    gone = 0
    kept = ((MINUTE_MS, now - MINUTES_KEPT_MS), (HOUR_MS, now - HOURS_KEPT_MS))
    for statement in (
        *(Statement(_FORGET, (span, before, _AT_ONCE), returns=True) for span, before in kept),
        Statement(_FORGET_AIMS, (now - HOURS_KEPT_MS, _AT_ONCE), returns=True),
    ):
        for _ in range(rounds):
            number = await database.write(Write([statement], lambda rows: Effect(len(rows[0]))), urgent=False)
            gone += number
            if number < _AT_ONCE:
                break
    return gone


def _point(row: Row) -> Point:
    return Point(row["step_at"], Figures.of([row[name] for name in _COLUMNS]))
