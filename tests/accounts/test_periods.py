"""Billing periods: a month each, by the billing day, whatever the month has; nothing between them, nothing twice."""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.metering import periods
from gateway.accounts.metering.periods import DAY_MS, Bills
from gateway.accounts.model import Account, AccountId, PartnerId

MOMENTS = st.integers(0, 32_000_000_000_000)
SECOND = 1000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def said(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def account(**values: Any) -> Account:
    return Account(id=AccountId("a"), partner_id=PartnerId("p"), name="A", **values)


# As the older wire prints them


def test_a_date_begins_a_month_at_the_time_of_day_of_the_billing_dates() -> None:
    bills = periods.first(ms("2016-11-09T10:00:00"), ms("2017-01-09T16:23:08"))
    period = periods.since(bills, date(2016, 12, 9))
    assert (said(period.start), said(period.last_day)) == ("2016-12-09T16:23:08", "2017-01-08T16:23:08")


def test_a_moment_begins_a_month_as_it_is() -> None:
    bills = periods.first(ms("2016-11-09T10:00:00"))
    period = periods.since(bills, ms("2016-12-01T08:00:00"))
    assert (said(period.start), said(period.end)) == ("2016-12-01T08:00:00", "2017-01-01T08:00:00")


def test_a_fresh_account_was_billed_when_it_was_made() -> None:
    made = ms("2017-02-09T16:23:08")
    assert periods.first(made) == Bills(made, ms("2017-03-09T16:23:08"), 9)
    assert periods.first(made, ms("2017-02-20T00:00:00")) == Bills(made, ms("2017-02-20T00:00:00"), 20)


# Short months


def test_a_month_that_is_too_short_ends_on_its_last_day_and_the_day_comes_back() -> None:
    bills, ends = periods.first(ms("2025-01-31T12:00:00")), []
    for _ in range(4):
        ends.append(said(bills.next))
        bills = periods.rolled(bills, bills.next)
    assert ends == ["2025-02-28T12:00:00", "2025-03-31T12:00:00", "2025-04-30T12:00:00", "2025-05-31T12:00:00"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2025, 1, 31), "2025-02-28T12:00:00"),
        (date(2025, 2, 28), "2025-03-31T12:00:00"),
        (date(2024, 2, 29), "2024-03-31T12:00:00"),
        (date(2025, 3, 30), "2025-04-30T12:00:00"),
        (date(2025, 4, 15), "2025-05-15T12:00:00"),
    ],
)
def test_the_last_day_of_a_short_month_stands_for_the_billing_day(start: date, end: str) -> None:
    bills = periods.first(ms("2024-12-31T12:00:00"))
    assert said(periods.since(bills, start).end) == end


# The dates of an account


def test_dates_whose_next_one_lies_ahead_stay() -> None:
    bills = periods.first(ms("2025-01-10T00:00:00"))
    assert periods.rolled(bills, bills.next - 1) == bills


def test_a_next_date_of_long_ago_leads_to_the_month_of_now() -> None:
    bills = periods.first(ms("2026-11-22T00:00:00"), ms("2017-03-09T16:23:08"))
    found = periods.rolled(bills, ms("2026-11-22T01:00:00"))
    assert (said(found.last), said(found.next), found.day) == ("2026-11-09T16:23:08", "2026-12-09T16:23:08", 9)


def test_the_current_period_ends_with_the_next_date_unless_that_lies_before_the_last() -> None:
    made = ms("2026-11-22T00:00:00")
    assert periods.current(periods.first(made, ms("2026-12-01T00:00:00"))).end == ms("2026-12-01T00:00:00")
    assert periods.current(periods.first(made, ms("2017-03-09T00:00:00"))).end == ms("2026-12-22T00:00:00")


def test_an_account_without_dates_is_billed_monthly_from_its_creation() -> None:
    found = periods.of_account(account(created_at=ms("2026-01-31T09:00:00")), ms("2026-03-05T00:00:00"))
    assert (said(found.last), said(found.next), found.day) == ("2026-02-28T09:00:00", "2026-03-31T09:00:00", 31)


def test_an_account_with_dates_has_them_as_they_are() -> None:
    bills = Bills(5, 7, 1)
    mine = account(created_at=1, last_bill_at=bills.last, next_bill_at=bills.next, billing_day=bills.day)
    assert periods.of_account(mine, ms("2026-01-01T00:00:00")) == bills


# Whatever the dates


@given(MOMENTS, MOMENTS, MOMENTS)
def test_the_period_of_now_holds_now_and_is_a_month(made: int, next_at: int, now: int) -> None:
    bills = periods.rolled(periods.first(made, next_at), now)
    assert now < bills.next
    if next_at <= now:
        assert bills.last <= now
        assert 28 * DAY_MS <= bills.next - bills.last <= 31 * DAY_MS


@given(MOMENTS, st.integers(1, 40))
def test_periods_follow_one_another_without_a_gap_on_the_billing_day(made: int, number: int) -> None:
    first = bills = periods.first(made)
    for _ in range(number):
        after = periods.rolled(bills, bills.next)
        assert after.last == bills.next
        assert after.next % DAY_MS == first.last % DAY_MS
        at = datetime.fromtimestamp(after.next // SECOND, UTC)
        assert at.day == min(first.day, monthrange(at.year, at.month)[1])
        bills = after


@given(MOMENTS, st.lists(st.integers(1, 90 * DAY_MS), min_size=1, max_size=20))
def test_it_does_not_matter_how_often_dates_are_rolled(made: int, steps: list[int]) -> None:
    often, now = periods.first(made), made
    for step in steps:
        now += step
        often = periods.rolled(often, now)
    assert often == periods.rolled(periods.first(made), now)


@given(MOMENTS, st.dates(date(1970, 1, 1), date(2990, 1, 1)))
def test_a_period_since_any_date_is_a_month_that_begins_on_it(made: int, day: date) -> None:
    period = periods.since(periods.first(made), day)
    assert datetime.fromtimestamp(period.start // SECOND, UTC).date() == day
    assert 28 * DAY_MS <= period.end - period.start <= 31 * DAY_MS
