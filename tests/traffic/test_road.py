"""What the figures say of real traffic: the same as the ledger, and after a clean stop nothing is missing."""

from pathlib import Path

from gateway.accounts.model import AccountId, Caller, PartnerId, User
from gateway.clock import now_ms
from gateway.storage.database import Database
from gateway.storage.open import open_database
from gateway.traffic import store
from gateway.traffic.model import DAY_MS, HOUR_MS, Figures, Window, total
from tests.delivery.road import body, patch, send, until
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started
from tests.polling.shelf import room


async def everything(database: Database) -> tuple[Figures, Caller]:
    """What was counted in the day before, and for whom."""
    row = await database.one("SELECT id FROM partners")
    assert row is not None
    partner_id = PartnerId(row["id"])
    user = User(id=0, partner_id=partner_id, account_id=AccountId(""), username="u", role="administrator")
    caller = Caller(partner_id=partner_id, account_id=None, user=user)
    window = Window.ending(now_ms(), DAY_MS, HOUR_MS)
    return total(await store.series(database, caller, window)), caller


async def traffic(gateway: Gateway, receiver: Consumer) -> None:
    """Two events delivered, one dead, one met again, one refused, two ignored."""
    good = await gateway.create("github", receiver.url())
    await send(gateway, good, 1)
    twice = signed.github(good["webhookSecret"], body(2))
    for _ in range(2):
        assert (await gateway.send(good["webhookUrl"], body(2), twice)).status == 200
    assert (await gateway.send(good["webhookUrl"], body(3), {})).status == 401
    await until(gateway, delivered=2)
    receiver.status = 500
    await send(gateway, good, 4)
    await until(gateway, dead=1)
    off = await gateway.create("github", receiver.url(), **{"event.notification.enabled": False})
    await send(gateway, off, 5)
    await send(gateway, off, 6)
    await until(gateway, ignored=2)


async def test_the_figures_are_those_of_the_ledger_after_a_clean_stop(
    tmp_path: Path, database_url: str, receiver: Consumer
) -> None:
    async with started(settings(tmp_path, database_url)) as gateway:
        await traffic(gateway, receiver)
        ledger = await gateway.ledger()
    async with open_database(database_url, min_free=0, auto_migrate=False) as database:
        found, caller = await everything(database)
        names = ("received", "accepted", "duplicate", "refused", "ignored", "delivered", "dead")
        assert {name: getattr(found, name) for name in names} == {name: ledger[name] for name in names}
        assert (found.attempts_ok, found.attempts_failed) == (2, 4)
        assert sum(found.way) == 2
        assert sum(found.took) == 6
        [failing] = await store.failing(database, caller, 0)
        assert (failing.name, failing.ok, failing.failed, failing.reason) == ("github", 2, 4, "status 500")


async def test_what_dies_with_its_destination_is_counted_too(
    tmp_path: Path, database_url: str, receiver: Consumer
) -> None:
    receiver.status = 410
    async with started(settings(tmp_path, database_url, delivery={"retry_schedule": ["1h"]})) as gateway:
        made = await gateway.create("github", receiver.url())
        await patch(gateway, made, "http://127.0.0.1:9/nobody")
        for number in range(3):
            await send(gateway, made, number)
        await until(gateway, pending=3)
        await patch(gateway, made, receiver.url())
        await send(gateway, made, 9)
        await until(gateway, dead=4)
    async with open_database(database_url, min_free=0, auto_migrate=False) as database:
        found, _ = await everything(database)
        assert (found.accepted, found.dead, found.delivered) == (4, 4, 0)


async def test_polls_count_by_whether_they_succeeded(tmp_path: Path, database_url: str) -> None:
    async with room(tmp_path, database_url) as found:
        made = await found.hire()
        await found.poll(made)
        found.shelf.answers["things"] = (500, "{}", {})
        await found.poll(made)
    async with open_database(database_url, min_free=0, auto_migrate=False) as database:
        figures, _ = await everything(database)
        assert (figures.polls_ok, figures.polls_failed) == (3, 1)
