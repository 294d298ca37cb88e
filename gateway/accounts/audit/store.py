"""The audit log as rows: written once, read newest first, forgotten when it is old."""

import asyncio
from dataclasses import dataclass

import msgspec
import structlog

from gateway.accounts.audit.model import LONGEST_TEXT, SIGN_IN_FAILED, Entry, Wanted
from gateway.accounts.model import Caller
from gateway.ids import first_at, time_ordered
from gateway.storage.database import Database, Effect, Reader, Statement, Value, Write

KEPT_MS = 400 * 86_400_000
#: Who guesses at a name fills no log: so many failures of one name are kept in an hour.
MOST_FAILURES = 20
HOUR_MS = 3_600_000
#: So many partners may have somebody of the same name, and are told.
MOST_PARTNERS = 5
#: Rows that one page looks at; a page of a rare thing may be short, and go on.
LOOKED = 5_000
_AT_ONCE = 200
#: Above every id.
_END = "g"
_COLUMNS = tuple(Entry.__dataclass_fields__)
_PLACES = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))
_ADD = f"INSERT INTO audit ({', '.join(_COLUMNS)}) VALUES ({_PLACES})"  # noqa: S608
_ADD_FAILURE = (
    f"INSERT INTO audit ({', '.join(_COLUMNS)}) SELECT CAST($1 AS TEXT), users.partner_id, users.account_id, "  # noqa: S608
    "users.id, users.username, CAST($3 AS BIGINT), 'console', CAST($4 AS TEXT), 'user', CAST(users.id AS TEXT), "
    "users.username, '{}', CAST($5 AS TEXT) FROM users WHERE users.username = $2 AND users.deleted_at IS NULL "
    "AND users.password_hash IS NOT NULL AND (SELECT count(*) FROM (SELECT audit.id FROM audit "
    "WHERE audit.partner_id = users.partner_id AND audit.id > $6 AND audit.act = $4 AND audit.username = $2 "
    f"LIMIT {MOST_FAILURES}) AS recent) < {MOST_FAILURES} ORDER BY users.id LIMIT 1 OFFSET $7"
)
_FORGET = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2) RETURNING $1"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, the newest first, and before which id there may be more."""

    items: list[Entry]
    before: str | None


async def add(database: Database, made: Entry, *, urgent: bool = True) -> None:
    """Keep an entry; it is durable when this is over."""
    values = [_value(made, name) for name in _COLUMNS]
    await database.write(Write([Statement(_ADD, tuple(values))], lambda _: Effect(None)), urgent=urgent)


def note_failure(database: Database, username: str, at: int, remote: str) -> None:
    """Keep with the next commit that a sign-in by this name failed, for each partner that has somebody so called.

    Nobody waits, so that a name which exists takes no longer than one which does not. Who fails often is kept seldom.
    """
    if len(username) > LONGEST_TEXT or not username.isprintable():
        return
    for number in range(MOST_PARTNERS):
        failure = Statement(
            _ADD_FAILURE, (time_ordered(at), username, at, SIGN_IN_FAILED, remote, first_at(at - HOUR_MS), number)
        )
        database.submit(Write([failure], lambda _: Effect(None))).add_done_callback(_settled)


def _settled(future: asyncio.Future[None]) -> None:
    problem = None if future.cancelled() else future.exception()
    if problem is not None:
        log.warning("audit.lost", act=SIGN_IN_FAILED, problem=str(problem))


async def page(reader: Reader, caller: Caller, wanted: Wanted, *, before: str = "", size: int = 50) -> Page:
    """The entries that the caller may see, the newest first: a caller of one account sees that account's."""
    account_id = caller.account_id or wanted.account_id
    high = min(before or _END, _END if wanted.until is None else first_at(wanted.until))
    low = "" if wanted.since is None else first_at(wanted.since)
    floor = await _floor(reader, caller.partner_id, account_id, low, high)
    clauses, args = _where(caller.partner_id, account_id, wanted, floor or low, high)
    rows = await reader.all(
        f"SELECT * FROM audit WHERE {clauses} ORDER BY id DESC LIMIT {size + 1}",  # noqa: S608
        *args,
    )
    found = [Entry.from_row(row) for row in rows]
    if len(found) > size:
        return Page(found[:size], found[size - 1].id)
    return Page(found, floor)


async def _floor(reader: Reader, partner_id: str, account_id: str, low: str, high: str) -> str | None:
    """The id behind which a page that looks at so many does not come; None where it comes to the end."""
    column, value = ("account_id", account_id) if account_id else ("partner_id", partner_id)
    row = await reader.one(
        f"SELECT id FROM audit WHERE {column} = $1 AND id >= $2 AND id < $3 "  # noqa: S608
        "ORDER BY id DESC LIMIT 1 OFFSET $4",
        value,
        low,
        high,
        LOOKED,
    )
    return None if row is None else row["id"]


def _where(partner_id: str, account_id: str, wanted: Wanted, low: str, high: str) -> tuple[str, list[Value]]:
    # An expression is no way into an index: the walk goes along the account's or the partner's.
    clauses = ["partner_id || '' = $1" if account_id else "partner_id = $1", "id >= $2", "id < $3"]
    args: list[Value] = [partner_id, low, high]
    given = {"account_id": account_id, "username": wanted.username, "act": wanted.act}
    given |= {"subject": wanted.subject, "subject_id": wanted.subject_id}
    for column, value in given.items():
        if value:
            args.append(value)
            clauses.append(f"{column} = ${len(args)}")
    return " AND ".join(clauses), args


async def forget(database: Database, now: int, rounds: int = 20) -> int:
    """Remove some of what is older than it is kept, in small steps; how many entries went."""
    gone = 0
    old = Statement(_FORGET, (first_at(now - KEPT_MS), _AT_ONCE), returns=True)
    for _ in range(rounds):
        number = await database.write(Write([old], lambda rows: Effect(len(rows[0]))), urgent=False)
        gone += number
        if number < _AT_ONCE:
            break
    return gone


def _value(made: Entry, name: str) -> Value:
    found: Value = msgspec.json.encode(made.details).decode() if name == "details" else getattr(made, name)
    return found
