"""What needs somebody: each trouble of an account's instances, and of nobody else's."""

from gateway.accounts.model import Caller
from gateway.doctor.attention import store
from gateway.storage.database import Database
from tests.history.parts import caller, tenants

NOW = 1_767_268_800_000


async def run(database: Database, *statements: str) -> None:
    async with database.transaction() as transaction:
        for sql in statements:
            await transaction.execute(sql)


def poller(instance_id: int, state: str, enabled: int = 1) -> str:
    name = f"{state}{enabled}"
    values = f"'{instance_id}{name}', {instance_id}, '{name}', {enabled}, '{state}', 'so', 5, 1, 0, 0, 0, 0, 0, '{{}}'"
    return (
        "INSERT INTO pollers (id, instance_id, name, enabled, state, reason, since, failures, records_total, "
        "lease_until, epoch, wishes, updated_at, cursor) "
        f"VALUES ({values})"
    )


def login(instance_id: int, state: str) -> str:
    columns = "instance_id, state, reason, since, tries, lease_until"
    return f"INSERT INTO logins ({columns}) VALUES ({instance_id}, '{state}', 'invalid_grant', 4, 0, 0)"


def registration(instance_id: int, state: str, expires_at: int) -> str:
    columns = "instance_id, state, reason, since, expires_at, attempts, wishes, lease_until, epoch"
    values = f"{instance_id}, '{state}', 'refused by the vendor', 3, {expires_at}, 0, 0, 0, 0"
    return f"INSERT INTO registrations ({columns}) VALUES ({values})"


async def told(database: Database, who: Caller) -> list[tuple[str, int, str]]:
    found = await store.needs(database, who, ends_before=NOW + 3_600_000)
    return [(one.what, one.instance_id, one.part) for one in found]


async def test_each_trouble_is_told_with_its_instance_the_newest_first(database: Database) -> None:
    await tenants(database)
    await run(
        database,
        poller(1, "disabled"),
        poller(1, "ok"),
        poller(1, "paused"),
        poller(1, "failing", enabled=0),
        login(1, "reauth"),
        registration(1, "refused", NOW + 86_400_000),
        registration(2, "active", NOW + 60_000),
        "UPDATE destinations SET state = 'off', reason = 'gone', since = 2 WHERE id = 2",
    )
    assert await told(database, caller(account="a1")) == [
        ("ending", 2, ""),
        ("poller", 1, "disabled1"),
        ("credentials", 1, ""),
        ("registration", 1, "refused"),
        ("destination", 2, ""),
    ]


async def test_what_is_well_needs_nobody(database: Database) -> None:
    await tenants(database)
    await run(database, login(1, "ok"), registration(1, "active", NOW + 86_400_000), poller(1, "ok"))
    assert await told(database, caller(account="a1")) == []


async def test_an_instance_that_is_switched_off_or_gone_or_another_s_needs_nobody_here(database: Database) -> None:
    await tenants(database)
    await run(
        database,
        *(login(number, "reauth") for number in (1, 2, 3, 4)),
        "UPDATE instances SET enabled = 0 WHERE id = 1",
        "UPDATE instances SET deleted_at = 1 WHERE id = 2",
    )
    assert await told(database, caller(account="a1")) == []
    assert await told(database, caller(account="a2")) == [("credentials", 3, "")]
    assert await told(database, caller("p2", account="a2")) == []


async def test_of_very_many_only_the_newest_are_told(database: Database) -> None:
    await tenants(database)
    await run(database, login(1, "reauth"), login(2, "reauth"), poller(1, "failing"))
    found = await store.needs(database, caller(account="a1"), ends_before=NOW, most=2)
    assert [one.what for one in found] == ["poller", "credentials"]
