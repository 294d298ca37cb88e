"""The overview: the first steps while nothing has come, then the numbers of the ledger, and what needs somebody."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.accounts.metering.model import Used
from gateway.accounts.metering.periods import Period
from gateway.accounts.model import Account, AccountId, PartnerId, Role
from gateway.clock import now_ms
from gateway.config import PricePlan
from gateway.console.overview import ranges
from gateway.console.overview.reasons import told
from gateway.console.overview.usage import plan_of, usage
from gateway.traffic.count import Owner
from gateway.traffic.flush import Flushing
from gateway.traffic.model import DAY_MS, HOUR_MS
from tests.console.person import Page, first_account, signed_in
from tests.delivery.road import body, send, until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started
from tests.traffic.parts import days

PLANS = (PricePlan(id=2, name="Starter", tasks=10), PricePlan(id=3, name="Pro"))


async def flushed(gateway: Gateway) -> None:
    runtime = gateway.running.services.runtime
    await Flushing(runtime.traffic, runtime.database).flush()


def tile(page: Page, name: str) -> str:
    """The value of a tile."""
    found = re.search(rf'tile-label">{name}</p>\s*<p class="tile-value">([^<]*)<', page.text)
    assert found, page.shown
    return found[1]


async def traffic(gateway: Gateway, receiver: Consumer) -> dict[str, Any]:
    """Two events delivered, one dead, one request refused."""
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, 1)
    await send(gateway, made, 2)
    await until(gateway, delivered=2)
    receiver.status = 500
    await send(gateway, made, 3)
    assert (await gateway.send(made["webhookUrl"], body(4), {})).status == 401
    await until(gateway, dead=1, refused=1)
    await flushed(gateway)
    return made


async def test_an_empty_gateway_shows_how_to_begin_and_not_a_single_number(gateway: Gateway) -> None:
    async with signed_in(gateway) as person:
        page = await person.get("/console")
    assert page.status == 200
    assert "Authenticate an instance" in page.shown
    assert 'href="/console/connectors"' in page.text
    assert "tile-value" not in page.text
    assert "badge-done" not in page.text


async def test_each_step_shows_itself_done_and_the_first_event_ends_them(gateway: Gateway, receiver: Consumer) -> None:
    async with signed_in(gateway) as person:
        made = await gateway.create("github", receiver.url())
        page = await person.get("/console")
        assert page.text.count("badge-done") == 1
        assert page.text.count(f'href="/console/instances/{made["id"]}/next"') == 2
        assert (await gateway.send(made["webhookUrl"], body(), {})).status == 401
        await until(gateway, refused=1)
        assert (await person.get("/console")).text.count("badge-done") == 2
        await send(gateway, made)
        page = await person.get("/console")
        assert "badge-done" not in page.text
        assert "tile-value" in page.text


async def test_who_may_only_read_is_told_who_begins(gateway: Gateway) -> None:
    async with signed_in(gateway, "end_user") as person:
        page = await person.get("/console")
    assert "A power user or an administrator" in page.shown
    assert "Choose a connector" not in page.shown


@pytest.mark.parametrize("name", ["hour", "day", "week"])
async def test_the_numbers_are_those_of_the_ledger(gateway: Gateway, receiver: Consumer, name: str) -> None:
    await traffic(gateway, receiver)
    ledger = await gateway.ledger()
    async with signed_in(gateway) as person:
        page = await person.get(f"/console?range={name}")
    assert tile(page, "Events in") == str(ledger["accepted"]) == "3"
    assert "1 refused" in page.shown
    assert (tile(page, "Delivered"), tile(page, "Dead letters"), tile(page, "Pending")) == ("2", "1", "0")
    assert tile(page, "Success rate") == "33\u2009%"
    assert "of 6 attempts" in page.shown
    assert "It answered 500." in page.shown
    assert tile(page, "Tasks") == "3"


async def test_tiles_lead_to_the_lists_that_they_count(gateway: Gateway, receiver: Consumer) -> None:
    await traffic(gateway, receiver)
    async with signed_in(gateway) as person:
        page = await person.get("/console?range=hour")
    assert 'href="/console/events?status=pending"' in page.text
    assert 'href="/console/dead-letters"' in page.text
    assert re.search(r'href="/console/events\?status=delivered&amp;since=2\d{3}-\d\d-\d\dT', page.text)


async def test_a_range_that_is_none_is_the_usual_one(gateway: Gateway, receiver: Consumer) -> None:
    await traffic(gateway, receiver)
    async with signed_in(gateway) as person:
        page = await person.get("/console?range=%00%3Cscript%3E&of=%ff")
    assert page.status == 200
    assert 'href="/console?range=day" aria-current="page"' in page.text


async def test_all_accounts_are_an_administrator_s_alone(gateway: Gateway, receiver: Consumer) -> None:
    await traffic(gateway, receiver)
    roles: tuple[tuple[Role, bool], ...] = (("administrator", True), ("power_user", False), ("end_user", False))
    for role, sees in roles:
        async with signed_in(gateway, role) as person:
            page = await person.get("/console?of=all")
        assert ("All accounts" in page.shown) is sees
        assert ('href="/console/events?status=pending"' in page.text) is not sees
        assert tile(page, "Events in") == "3"


async def test_events_that_go_nowhere_are_said_to(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await send(gateway, made)
    async with signed_in(gateway) as person:
        page = await person.get("/console")
    assert "not sent anywhere" in page.shown


async def test_what_needs_somebody_stands_first_and_markup_in_it_is_shown(gateway: Gateway, receiver: Consumer) -> None:
    made = await traffic(gateway, receiver)
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE instances SET name = '<script>alert(1)</script>' WHERE id = $1", made["id"])
        await transaction.execute(
            "UPDATE destinations SET state = 'off', reason = '<img src=x>' WHERE instance_id = $1", made["id"]
        )
    async with signed_in(gateway) as person:
        page = await person.get("/console")
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "<script>alert(1)</script> Its destination is switched off. <img src=x>" in page.shown
    assert page.text.index("Needs attention") < page.text.index("tile-value")


async def test_a_page_of_full_days_weighs_little_even_uncompressed(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    await traffic(sqlite_gateway, receiver)
    account = await first_account(sqlite_gateway)
    await days(sqlite_gateway.running.services.runtime.database, Owner(account.partner_id, account.id), now_ms(), 2)
    async with signed_in(sqlite_gateway) as person:
        texts = [(await person.get(f"/console?range={name}")).text for name in ("hour", "day", "week")]
    # The clock goes on meanwhile, and the last step may be an empty one.
    assert all(text.count("<title>") > 4 * (steps - 2) for text, steps in zip(texts, (60, 96, 24), strict=True))
    assert max(map(len, texts)) < 190_000


# Pure parts


def account(price_plan: int | None) -> Account:
    return Account(id=AccountId("a"), partner_id=PartnerId("p"), name="A", price_plan=price_plan)


def test_usage_stands_beside_what_the_plan_holds() -> None:
    found = usage(Period(0, 1), plan_of(account(None), PLANS), Used(calls=4, polls=3, events=5, flows=1))
    assert [(one.kind, one.used, one.limit, one.over) for one in found.gauges] == [
        ("tasks", 12, 10, True),
        ("events", 5, 0, False),
        ("calls", 4, 0, False),
        ("polls", 3, 0, False),
        ("flows", 1, 0, False),
    ]
    assert found.tasks.high == 8


@pytest.mark.parametrize(("given", "name"), [(None, "Starter"), (3, "Pro"), (9, None)])
def test_the_plan_is_the_account_s_or_the_first(given: int | None, name: str | None) -> None:
    plan = plan_of(account(given), PLANS)
    assert (plan and plan.name) == name


def test_without_plans_there_is_no_limit() -> None:
    found = usage(Period(0, 1), plan_of(account(None), ()), Used(calls=1, polls=0, events=0, flows=0))
    assert (found.plan, found.tasks.limit, found.tasks.over) == (None, 0, False)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("status 503", "It answered 503."),
        ("timeout", "It did not answer in time."),
        ("other", "Failed: other"),
        ("cannot be rendered", "Failed: cannot be rendered"),
        (None, ""),
    ],
)
def test_a_reason_is_told_in_words(reason: str | None, words: str) -> None:
    assert told(reason) == words


def test_ranges_are_cut_into_steps_that_fill_them() -> None:
    assert [one.length // one.step for one in ranges.RANGES] == [60, 96, 84]
    assert [one.length for one in ranges.RANGES] == [HOUR_MS, DAY_MS, 7 * DAY_MS]
    assert all(one.length % one.step == 0 for one in ranges.RANGES)


async def test_what_was_used_beside_a_limit_is_a_meter_and_without_one_a_number(
    tmp_path: Path, receiver: Consumer
) -> None:
    plans = (PricePlan(id=2, name="Starter", tasks=10, events=2),)
    async with started(msgspec.structs.replace(settings(tmp_path, ""), price_plans=plans)) as gateway:
        await traffic(gateway, receiver)
        async with signed_in(gateway) as person:
            page = await person.get("/console")
    assert "Price plan Starter" in page.shown
    assert page.text.count("<meter ") == 2
    assert '<meter min="0" max="10" high="8" low="8" optimum="0" value="3" aria-labelledby="usage-tasks">' in page.text
    assert '<dd class="gauge-number over">3 <span class="muted">of 2</span></dd>' in page.text
