"""Monthly periods from an account's billing date, in UTC; a month that is too short ends on its last day. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gateway.accounts.model import Account

DAY_MS = 86_400_000
#: Dates that are taken; from here to there every month can be counted.
EARLIEST, LATEST = 1970, 2999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bills:
    """When an account was billed last and is next, and the day of the month on which its periods begin."""

    last: int
    next: int
    day: int


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment to the one at which the next period begins."""

    start: int
    end: int

    @property
    def last_day(self) -> int:
        """The day before the next period, at its time of day."""
        return self.end - DAY_MS


def first(created_at: int, next_at: int | None = None) -> Bills:
    """The dates of a fresh account: it counts as billed when it was made."""
    if next_at is not None:
        return Bills(created_at, next_at, _day(next_at))
    return Bills(created_at, _months_on(created_at, 1, _day(created_at)), _day(created_at))


def moved(bills: Bills, next_at: int) -> Bills:
    """The dates where somebody sets the next one."""
    return Bills(bills.last, next_at, _day(next_at))


def rolled(bills: Bills, now: int) -> Bills:
    """The dates as they are now: the next one lies ahead, and the last one a month before it where a period ended."""
    if bills.next > now:
        return bills
    number = max(1, _month(now) - _month(bills.next))
    if _months_on(bills.next, number, bills.day) <= now:
        number += 1
    return Bills(_months_on(bills.next, number - 1, bills.day), _months_on(bills.next, number, bills.day), bills.day)


def of_account(account: Account, now: int) -> Bills:
    """An account's dates as they are stored; those of one without any run from its creation."""
    if account.next_bill_at is None:
        return rolled(first(account.created_at), now)
    last = account.created_at if account.last_bill_at is None else account.last_bill_at
    return Bills(last, account.next_bill_at, account.billing_day or _day(account.next_bill_at))


def current(bills: Bills) -> Period:
    """From the last billing date to the next; a month, where the next was set to a day before the last."""
    return Period(bills.last, bills.next) if bills.next > bills.last else since(bills, bills.last)


def since(bills: Bills, start: int | date) -> Period:
    """A month from a moment, or from a date at the time of day of the billing dates."""
    if not isinstance(start, int):
        start = _ms(datetime(start.year, start.month, start.day, tzinfo=UTC)) + bills.next % DAY_MS
    at = _date(start)
    # The last day of a short month may stand for a later one.
    day = bills.day if at.day == min(bills.day, monthrange(at.year, at.month)[1]) else at.day
    return Period(start, _months_on(start, 1, day))


def in_range(at: datetime | date) -> bool:
    """Whether periods can be counted from this date."""
    return EARLIEST <= at.year <= LATEST


def _months_on(at: int, number: int, day: int) -> int:
    """The same time of day so many months later, on this day of the month or the last that there is."""
    moment = _date(at)
    year, month = divmod(_month(at) + number, 12)
    return _ms(moment.replace(year=year, month=month + 1, day=min(day, monthrange(year, month + 1)[1]))) + at % 1000


def _month(at: int) -> int:
    moment = _date(at)
    return moment.year * 12 + moment.month - 1


def _day(at: int) -> int:
    return _date(at).day


def _date(at: int) -> datetime:
    return _EPOCH + timedelta(seconds=at // 1000)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1) * 1000
