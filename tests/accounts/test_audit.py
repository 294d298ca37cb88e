"""The audit log: what is kept of a change, who finds it again, and when it goes."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.accounts import people
from gateway.accounts.audit import store
from gateway.accounts.audit.model import LONGEST_DETAILS, Entry, Period, Wanted, entry, period
from gateway.accounts.model import Account, AccountId, Caller, PartnerId, User
from gateway.accounts.reception import Reception
from gateway.clock import now_ms
from gateway.storage.database import Database
from tests.accounts import parts


def made(account: Account, **values: Any) -> Entry:
    plain: dict[str, Any] = {
        "partner_id": account.partner_id,
        "account_id": account.id,
        "user_id": 1,
        "username": "ann",
        "at": now_ms(),
        "via": "console",
        "act": "instance.changed",
        "subject": "instance",
        "subject_id": 7,
        "subject_name": "Shop",
        "details": {},
        "remote": "192.0.2.1",
    }
    return entry(**{**plain, **values})


def caller(account: Account, *, whole_partner: bool = False) -> Caller:
    user = User(id=1, partner_id=account.partner_id, account_id=account.id, username="ann", role="administrator")
    return Caller(partner_id=account.partner_id, account_id=None if whole_partner else account.id, user=user)


async def acts(database: Database, who: Caller, **wanted: Any) -> list[str]:
    return [one.act for one in (await store.page(database, who, Wanted(**wanted))).items]


async def test_a_change_is_found_again_as_it_was_told(database: Database) -> None:
    account = (await parts.partner(database)).account
    told = made(account, details={"changed": ["name", "tags"], "was": "Shop", "number": 2, "whole": True})
    await store.add(database, told)
    found = await store.page(database, caller(account), Wanted())
    assert found.items == [told]
    assert found.before is None


async def test_an_account_sees_its_own_changes_and_its_partner_sees_all(database: Database) -> None:
    first = (await parts.partner(database)).account
    second = await parts.account(database, first.partner_id, "Two")
    stranger = (await parts.partner(database, "Other")).account
    for account, act in ((first, "user.created"), (second, "user.removed"), (stranger, "instance.removed")):
        await store.add(database, made(account, act=act))
    assert await acts(database, caller(first)) == ["user.created"]
    assert await acts(database, caller(first), account_id=second.id) == ["user.created"]
    assert await acts(database, caller(first, whole_partner=True)) == ["user.removed", "user.created"]
    assert await acts(database, caller(first, whole_partner=True), account_id=second.id) == ["user.removed"]
    assert await acts(database, caller(first, whole_partner=True), account_id=stranger.id) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"username": "ben"}, ["user.removed"]),
        ({"act": "user.created"}, ["user.created"]),
        ({"subject": "user"}, ["user.removed", "user.created"]),
        ({"subject": "user", "subject_id": "8"}, ["user.removed"]),
        ({"since": 2_000}, ["instance.changed", "user.removed"]),
        ({"until": 2_000}, ["user.created"]),
        ({"since": 2_000, "until": 3_000}, ["user.removed"]),
    ],
)
async def test_every_condition_narrows(database: Database, wanted: dict[str, Any], expected: list[str]) -> None:
    account = (await parts.partner(database)).account
    await store.add(database, made(account, at=1_000, act="user.created", subject="user"))
    await store.add(database, made(account, at=2_000, act="user.removed", subject="user", subject_id=8, username="ben"))
    await store.add(database, made(account, at=3_000))
    assert await acts(database, caller(account), **wanted) == expected


async def test_pages_follow_one_another_without_a_gap(database: Database) -> None:
    account = (await parts.partner(database)).account
    for number in range(7):
        await store.add(database, made(account, at=1_000 + number, subject_id=number))
    seen, before = list[str](), ""
    for _ in range(4):
        page = await store.page(database, caller(account), Wanted(), before=before, size=3)
        seen += [one.subject_id for one in page.items]
        if page.before is None:
            break
        before = page.before
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_a_rare_thing_is_found_behind_many_others_by_going_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LOOKED", 4)
    account = (await parts.partner(database)).account
    await store.add(database, made(account, at=1_000, act="user.removed"))
    for number in range(10):
        await store.add(database, made(account, at=2_000 + number))
    found, before = list[str](), ""
    for _ in range(5):
        page = await store.page(database, caller(account), Wanted(act="user.removed"), before=before, size=3)
        found += [one.act for one in page.items]
        if page.before is None:
            break
        before = page.before
    assert found == ["user.removed"]


async def test_what_is_old_goes_and_the_rest_stays(database: Database) -> None:
    account, now = (await parts.partner(database)).account, now_ms()
    await store.add(database, made(account, at=now - store.KEPT_MS - 1, act="user.created"))
    await store.add(database, made(account, at=now - store.KEPT_MS + 60_000, act="user.removed"))
    assert await store.forget(database, now) == 1
    assert await acts(database, caller(account)) == ["user.removed"]


async def test_a_failed_sign_in_is_kept_for_each_partner_that_has_the_name(
    database: Database,
) -> None:
    first, second = (await parts.partner(database)).account, (await parts.partner(database, "Other")).account
    for account in (first, second):
        await people.added(database, Reception(database), account, "ann", "end_user", "correct horse")
    store.note_failure(database, "ann", now_ms(), "192.0.2.1")
    store.note_failure(database, "nobody", now_ms(), "192.0.2.1")
    store.note_failure(database, "an\x00n", now_ms(), "192.0.2.1")
    await settled(database, first)
    for account in (first, second):
        found = (await store.page(database, caller(account), Wanted(act="session.failed"))).items
        assert [(one.username, one.remote, one.via) for one in found] == [("ann", "192.0.2.1", "console")]


async def test_who_guesses_at_a_name_does_not_fill_the_log(database: Database) -> None:
    account = (await parts.partner(database)).account
    await people.added(database, Reception(database), account, "ann", "end_user", "correct horse")
    for number in range(store.MOST_FAILURES + 5):
        store.note_failure(database, "ann", now_ms(), f"192.0.2.{number}")
        await settled(database, account)
    found = await store.page(database, caller(account), Wanted(act="session.failed"), size=100)
    assert len(found.items) == store.MOST_FAILURES


async def settled(database: Database, account: Account) -> None:
    """Whatever was handed to the group commit before is durable now."""
    async with asyncio.timeout(5):
        await store.add(database, made(account), urgent=False)


def test_one_change_cannot_fill_the_log() -> None:
    account = Account(id=AccountId("a"), partner_id=PartnerId("p"), name="A")
    told = made(account, subject_name="x" * 10_000, details={f"name{n}": "y" * 10_000 for n in range(100)})
    assert len(told.subject_name) == 200
    assert len(str(told.details)) <= LONGEST_DETAILS + 500


def test_a_name_with_controls_is_kept_as_plain_text() -> None:
    account = Account(id=AccountId("a"), partner_id=PartnerId("p"), name="A")
    assert made(account, subject_name="a\r\nb\x00c\ud800").subject_name == "a  b c "


def test_a_period_of_days_is_meant_with_its_last_day_in_the_zone() -> None:
    found = period("2026-03-29", "2026-03-29", ZoneInfo("Europe/Berlin"))
    # The day on which clocks go forward has 23 hours.
    assert found == Period(1_774_738_800_000, 1_774_738_800_000 + 23 * 3_600_000)
    assert period("", "", ZoneInfo("UTC")) == Period()


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [("x", "", "since"), ("", "2026-02-30", "until"), ("2026-02-02", "2026-02-01", "until"), ("1", "2", "since")],
)
def test_what_is_no_period_is_told_at_its_field(since: str, until: str, field: str) -> None:
    found = period(since, until, ZoneInfo("UTC"))
    assert found.problems[0].field == field
    assert found.since is found.until is None
