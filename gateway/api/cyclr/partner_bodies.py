"""What a body of `/api/partner` says of an account; what is absent or null stays, an empty text clears."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from gateway.accounts.metering import periods
from gateway.accounts.metering.periods import Bills
from gateway.accounts.model import Account
from gateway.api.cyclr.account_bodies import LONGEST_NAME, LONGEST_TEXT, timezone
from gateway.api.cyclr.wire import ABSENT, Given, whole, wrong
from gateway.config import PricePlan
from gateway.errors import Invalid

_LONGEST_DATE = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def changed(account: Account, body: Given, plans: Sequence[PricePlan], now: int) -> Account:
    """The account as the body wants it; Invalid says what cannot be."""
    bills = _bills(account, body, now)
    return replace(
        account,
        name=_name(account, body),
        description=_text(body, "Description", account.description) or "",
        timezone=_timezone(account, body),
        price_plan=_price_plan(account, body, plans),
        audit_info=_text(body, "AuditInfo", account.audit_info),
        last_bill_at=bills.last,
        next_bill_at=bills.next,
        billing_day=bills.day,
        updated_at=now,
    )


def day_or_moment(text: str, name: str) -> date | int:
    """The date that a text is, or with a time of day the moment, in epoch milliseconds; UTC where it names no zone."""
    found = _date(text.strip())
    # A zone may lead out of the years that can be counted in.
    if found is None or not 1 < found.year < 9999:
        raise wrong(name, "must be a date such as 2017-03-09 or 2017-03-09T16:23:08")
    if isinstance(found, datetime):
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if not periods.in_range(found):
        raise wrong(name, f"must be a date from the years {periods.EARLIEST} to {periods.LATEST}")
    return (found - _EPOCH) // timedelta(milliseconds=1) if isinstance(found, datetime) else found


def _date(text: str) -> date | datetime | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        # The plus of a zone that nobody escaped arrives as a space.
        return datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        pass
    try:
        return datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _name(account: Account, body: Given) -> str:
    given = body.text("Name", longest=LONGEST_NAME)
    name = account.name if given is None else given.strip()
    if not name:
        raise Invalid("Name is required.")
    return name


def _text(body: Given, name: str, current: str | None) -> str | None:
    given = body.text(name, longest=LONGEST_TEXT, lines=True)
    return current if given is None else given


def _timezone(account: Account, body: Given) -> str:
    if body.text("Timezone") == "":
        return "UTC"
    return timezone(body) or account.timezone


def _price_plan(account: Account, body: Given, plans: Sequence[PricePlan]) -> int | None:
    value = body.raw("PricePlanId")
    if value is ABSENT or value is None:
        return account.price_plan
    if value == "":
        return None
    number = whole(value)
    if number not in {plan.id for plan in plans}:
        raise wrong("PricePlanId", "must be the Id of a price plan; /api/partner/priceplans lists them")
    return number


def _bills(account: Account, body: Given, now: int) -> Bills:
    bills = periods.of_account(account, now)
    given = body.text("NextBillDate", longest=_LONGEST_DATE)
    if given is None:
        return bills
    if not given.strip():
        return periods.first(bills.last)
    found = day_or_moment(given, "NextBillDate")
    if isinstance(found, date):
        found = (datetime(found.year, found.month, found.day, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
    return periods.moved(bills, found)
