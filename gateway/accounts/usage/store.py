"""Calls as rows; every question names its tenant."""

from collections.abc import Sequence

from gateway.accounts.model import Caller
from gateway.accounts.usage.model import Asked, Use
from gateway.errors import NotFound
from gateway.ids import first_at
from gateway.storage.database import Reader, Statement, Value
from gateway.storage.patterns import literal

_COLUMNS = tuple(Use.__dataclass_fields__)
_TYPES = (
    *("text", "text", "text", "text", "bigint", "bigint", "text", "text", "text", "text"),
    *("integer", "integer", "bigint", "integer", "bigint"),
)
_INSERT = f"INSERT INTO calls ({', '.join(_COLUMNS)}) SELECT * FROM ({{rows}}) AS v"  # noqa: S608


def add(use: Use) -> Statement:
    """Keep a call."""
    return Statement(_INSERT, tuple([getattr(use, name) for name in _COLUMNS]), types=_TYPES)


async def get(reader: Reader, caller: Caller, request_id: str) -> Use:
    """The caller's call with this request id; NotFound where there is none."""
    row = await reader.one(
        "SELECT * FROM calls WHERE partner_id = $1 AND ($2 = '' OR account_id = $2) AND request_id = $3",
        caller.partner_id,
        caller.account_id or "",
        request_id,
    )
    if row is None:
        raise NotFound(f"No usage found with ID {request_id}")
    return Use.from_row(row)


async def page(reader: Reader, caller: Caller, asked: Asked, *, before: str, offset: int, size: int) -> Sequence[Use]:
    """The caller's calls with ids below `before`, newest first, without the first `offset`."""
    clauses, args = _where(caller, asked, before)
    place = len(args)
    rows = await reader.all(
        f"SELECT * FROM calls WHERE {clauses} ORDER BY id DESC LIMIT ${place + 1} OFFSET ${place + 2}",  # noqa: S608
        *args,
        size,
        offset,
    )
    return [Use.from_row(row) for row in rows]


def _where(caller: Caller, asked: Asked, before: str) -> tuple[str, list[Value]]:
    clauses = ["partner_id = $1", "($2 = '' OR account_id = $2)", "id >= $3"]
    args: list[Value] = [caller.partner_id, caller.account_id or "", first_at(asked.since)]

    def narrow(clause: str, *values: Value) -> None:
        names = [f"${len(args) + n}" for n in range(1, len(values) + 1)]
        args.extend(values)
        clauses.append(clause.format(*names, listed=", ".join(names)))

    if before:
        narrow("id < {}", before)
    if asked.until is not None:
        narrow("id < {}", first_at(asked.until + 1))
    for column, values in (("instance_id", asked.instance_ids), ("connector", asked.connectors)):
        if values is not None:
            narrow(f"{column} IN ({{listed}})" if values else "1 = 0", *values)
    if asked.statuses is not None:
        narrow("status BETWEEN {} AND {}", *asked.statuses)
    if asked.search:
        narrow("lower(path) LIKE lower({}) ESCAPE '!'", f"%{literal(asked.search)}%")
    return " AND ".join(clauses), args
