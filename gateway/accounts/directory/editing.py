"""Accounts as people make and change them: who comes second is told, and nothing is overwritten."""

from dataclasses import dataclass, replace
from functools import cache
from zoneinfo import available_timezones

from gateway.accounts.directory import store
from gateway.accounts.metering import periods
from gateway.accounts.metering import store as metering
from gateway.accounts.model import Account, AccountId, PartnerId
from gateway.accounts.reception import Reception
from gateway.clock import now_ms
from gateway.errors import Conflict, Invalid, NotFound, Problem
from gateway.ids import time_ordered
from gateway.storage.database import Database

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 4_000
OVERTAKEN = "Somebody has changed this account meanwhile; look at what it says now, and change it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What people say of an account."""

    name: str
    timezone: str = "UTC"
    description: str = ""
    external_id: str = ""


@cache
def zones() -> tuple[str, ...]:
    """The names of time zones, in order."""
    return tuple(sorted(available_timezones()))


async def created(database: Database, reception: Reception, partner_id: PartnerId, wanted: Wanted) -> Account:
    """Add an account; Invalid says what is wrong with it, Conflict that its external id is taken."""
    _check(wanted, known="")
    now = now_ms()
    bills = periods.first(now)
    account = Account(
        id=AccountId(time_ordered()),
        partner_id=partner_id,
        name=wanted.name,
        external_id=wanted.external_id or None,
        timezone=wanted.timezone,
        description=wanted.description,
        last_bill_at=bills.last,
        next_bill_at=bills.next,
        billing_day=bills.day,
        created_at=now,
        updated_at=now,
    )
    async with database.transaction() as transaction:
        await store.add(transaction, account)
    reception.forget()
    return account


async def changed(
    database: Database, reception: Reception, account: Account, wanted: Wanted, version: int
) -> tuple[Account, Account]:
    """Let an account say this, but its external id: as it was, and as it is; Conflict where it is not this version."""
    _check(wanted, known=account.timezone)
    async with database.transaction() as transaction:
        # Two changes at once take turns, and the later one sees what the former has written.
        await metering.lock_bills(transaction, account.id)
        current = await store.find(transaction, account.partner_id, account.id)
        if current is None:
            raise NotFound("The account was removed.")
        if current.updated_at != version:
            raise Conflict(OVERTAKEN)
        after = replace(
            current,
            name=wanted.name,
            timezone=wanted.timezone,
            description=wanted.description,
            updated_at=max(now_ms(), current.updated_at + 1),
        )
        await store.change(transaction, after)
    reception.forget()
    return current, after


def differences(before: Account, after: Account) -> list[str]:
    """The names of what people have changed."""
    return [name for name in ("name", "timezone", "description") if getattr(before, name) != getattr(after, name)]


def _check(wanted: Wanted, known: str) -> None:
    problems = []
    if not wanted.name or len(wanted.name) > LONGEST_NAME or not wanted.name.isprintable():
        problems.append(Problem("name", f"expected a name of 1 to {LONGEST_NAME} printable characters"))
    # A zone that another wire has set may be one that no list holds.
    if wanted.timezone != known and wanted.timezone not in zones():
        problems.append(Problem("timezone", "expected the name of a time zone, such as Europe/London"))
    if len(wanted.description) > LONGEST_DESCRIPTION or not _is_text(wanted.description):
        problems.append(Problem("description", f"expected a text of at most {LONGEST_DESCRIPTION} characters"))
    if len(wanted.external_id) > store.LONGEST_ID or not wanted.external_id.isprintable():
        problems.append(Problem("external_id", f"expected at most {store.LONGEST_ID} printable characters"))
    if problems:
        raise Invalid("; ".join(f"{one.field}: {one.message}" for one in problems) + ".", tuple(problems))


def _is_text(value: str) -> bool:
    return not any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in value)
