"""An examination of a real database: it is well, and whatever is broken in it is found."""

from pathlib import Path

import pytest

from gateway import seal
from gateway.clock import now_ms
from gateway.delivery.model import Settlement
from gateway.doctor import store
from gateway.doctor.examine import Patient, examine
from gateway.doctor.model import Finding, worst
from gateway.events import removal
from gateway.seal import Seal
from gateway.sealing_key import check_fingerprint
from gateway.storage.database import Database
from tests.delivery.parts import attempt, event, insert, job, settle

KEYS = Seal((seal.new_key(),))


async def examined(database: Database, *, full: bool = True, partner_id: str = "") -> dict[str, Finding]:
    patient = Patient(database=database, seal=KEYS, folder=None, least_free=0, partner_id=partner_id)
    return {one.check: one for one in await examine(patient, full=full)}


async def run(database: Database, sql: str, *args: str | int | None) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(sql, *args)


async def with_history(database: Database) -> None:
    """Every state of a delivery, some of them removed."""
    await check_fingerprint(database, KEYS)
    for state in ("delivered", "dead", "cancelled", "pending"):
        made = [event() for _ in range(3)]
        jobs = [job(one, attempts=0) for one in made]
        await insert(database, jobs, due_at=now_ms())
        for one in jobs if state != "pending" else []:
            await settle(database, one, attempt(500), Settlement(state=state, reason="so", due_at=0))
        await database.write(removal.removal([(made[0].id, made[0].instance_id)]))


async def test_a_database_with_a_history_is_well_down_to_the_last_row(database: Database) -> None:
    await with_history(database)
    found = await examined(database)
    assert {one.check: one.detail for one in found.values() if one.verdict != "ok"} == {}
    assert found["full_count"].detail == ("as the ledger says: 9 events, 2 delivered, 3 pending, 2 dead, 2 cancelled")
    assert ("clock" in found) == (database.engine == "postgresql")


async def test_an_empty_database_is_well(database: Database) -> None:
    await check_fingerprint(database, KEYS)
    assert worst((await examined(database)).values()) == "ok"


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("UPDATE ledger_events SET accepted = accepted + 1", "ledger"),
        ("UPDATE ledger_events SET received = received - 1", "ledger"),
        ("UPDATE ledger_events SET removed = removed + 1000", "ledger"),
        ("UPDATE ledger_deliveries SET delivered = delivered + 1 WHERE shard = 0", "ledger"),
        ("UPDATE ledger_deliveries SET delivered = delivered + 1, dead = dead - 1 WHERE shard = 0", "full_count"),
        ("DELETE FROM deliveries WHERE state = 'dead'", "full_count"),
        ("UPDATE deliveries SET state = 'delivered' WHERE state = 'dead'", "full_count"),
        ("DELETE FROM events WHERE id = (SELECT min(id) FROM events)", "full_count"),
    ],
)
async def test_a_ledger_that_lies_is_found(database: Database, sql: str, check: str) -> None:
    await with_history(database)
    await run(database, sql)
    found = await examined(database)
    assert found[check].verdict == "failed"
    assert found[check].items or found[check].detail


async def test_without_full_no_row_is_counted(database: Database) -> None:
    await with_history(database)
    await run(database, "DELETE FROM deliveries WHERE state = 'dead'")
    found = await examined(database, full=False)
    assert "full_count" not in found
    assert worst(found.values()) == "ok"


async def test_deliveries_that_nobody_makes_are_found(database: Database) -> None:
    await with_history(database)
    await run(database, "UPDATE deliveries SET due_at = $1 WHERE state = 'pending'", now_ms() - 400_000)
    assert (await examined(database))["deliveries"].verdict == "warning"
    await run(database, "UPDATE deliveries SET due_at = $1 WHERE state = 'pending'", now_ms() - 4_000_000)
    found = (await examined(database))["deliveries"]
    assert (found.verdict, found.items[0].split(":")[0]) == ("failed", "destination 7")


async def instance(database: Database, instance_id: int, partner_id: str) -> None:
    await run(
        database,
        "INSERT INTO instances (id, partner_id, account_id, user_id, connector, name, tags, enabled, "
        "external_authentication, created_at, updated_at) "
        "VALUES ($1, $2, 'a1', 1, 'github', 'n', '[]', 1, 'none', 0, 0)",
        instance_id,
        partner_id,
    )


async def in_trouble(database: Database, instance_id: int) -> None:
    """Everything that can go wrong with an instance."""
    await run(
        database,
        "INSERT INTO destinations (id, account_id, instance_id, kind, url, state, reason, since) "
        "VALUES ($1, 'a1', $1, 'callback', 'http://x/', 'off', 'gone', 0)",
        instance_id,
    )
    await run(
        database,
        "INSERT INTO registrations (instance_id, state, reason, since, attempts, wishes, lease_until, epoch) "
        "VALUES ($1, 'failing', 'status 500', 0, 1, 0, 0, 0)",
        instance_id,
    )
    await run(
        database,
        "INSERT INTO pollers (id, instance_id, name, enabled, state, reason, since, failures, records_total, "
        "lease_until, epoch, wishes, updated_at, cursor) "
        "VALUES ($2, $1, 'list', 1, 'failing', 'boom', 0, 1, 0, 0, 0, 0, 0, '{}')",
        instance_id,
        f"p{instance_id}",
    )
    await run(
        database,
        "INSERT INTO logins (instance_id, state, reason, since, tries, lease_until) "
        "VALUES ($1, 'reauth', 'no', 0, 0, 0)",
        instance_id,
    )


async def test_whatever_stands_still_is_named_to_its_partner_alone(database: Database) -> None:
    await check_fingerprint(database, KEYS)
    for instance_id, partner_id in ((3, "p1"), (4, "p2")):
        await instance(database, instance_id, partner_id)
        await in_trouble(database, instance_id)
    for partner_id, number in (("p1", 1), ("p2", 1), ("", 2), ("p3", 0)):
        found = await examined(database, partner_id=partner_id)
        for check in ("destinations", "registrations", "pollers", "credentials"):
            assert len(found[check].items) == number, (partner_id, check)
            assert found[check].verdict == ("warning" if number else "ok")
    assert (await examined(database, partner_id="p2"))["pollers"].items == ("instance 4, list: failing (boom)",)


async def test_what_belongs_to_a_deleted_instance_troubles_nobody(database: Database) -> None:
    await check_fingerprint(database, KEYS)
    await instance(database, 3, "p1")
    await in_trouble(database, 3)
    await run(database, "UPDATE instances SET deleted_at = 1")
    assert worst((await examined(database)).values()) == "ok"


async def test_a_poller_that_nobody_runs_is_found(database: Database) -> None:
    await check_fingerprint(database, KEYS)
    await instance(database, 3, "p1")
    await in_trouble(database, 3)
    await run(database, "UPDATE pollers SET state = 'ok', reason = NULL, next_due = $1", now_ms() - 400_000)
    [item] = (await examined(database))["pollers"].items
    assert item.startswith("1 are overdue, the first since ")


async def test_a_job_that_failed_or_stands_still_is_found(database: Database) -> None:
    await check_fingerprint(database, KEYS)
    for place, (state, age_ms) in enumerate((("failed", 0), ("running", 700_000), ("running", 0), ("done", 700_000))):
        at = now_ms() - age_ms
        await run(
            database,
            "INSERT INTO jobs (id, partner_id, user_id, kind, state, wanted, wanted_hash, position, seen, done, "
            "skipped, created_at, updated_at, lease_until, epoch) "
            "VALUES ($1, 'p1', 1, 'replay', $2, '{}', $1, '', 0, 0, 0, $3, $3, 0, 0)",
            f"job{place}",
            state,
            at,
        )
    assert (await examined(database))["jobs"].items == ("replay job1: running", "replay job0: failed")


async def test_a_database_of_another_key_or_another_version_is_told(database: Database) -> None:
    await check_fingerprint(database, Seal((seal.new_key(),)))
    assert (await examined(database))["sealing_key"].verdict == "failed"
    await run(database, "DELETE FROM schema_migrations WHERE version = 7")
    found = await examined(database)
    assert (found["migrations"].verdict, found["migrations"].detail[:4]) == ("failed", "1 ar")
    assert "ledger" not in found
    await run(database, "INSERT INTO schema_migrations VALUES (99, 'later', 'x', 0)")
    assert "newer" in (await examined(database))["migrations"].detail


async def test_a_folder_that_is_gone_is_a_finding(database: Database, tmp_path: Path) -> None:
    await check_fingerprint(database, KEYS)
    patient = Patient(database=database, seal=KEYS, folder=tmp_path / "gone", least_free=0)
    assert (await examine(patient, full=False))[-1].verdict == "failed"


async def test_the_sums_are_over_all_shards(database: Database) -> None:
    await with_history(database)
    sums = await store.sums(database)
    assert (sums["accepted"], sums["removed"], sums["created"], sums["removed_dead"]) == (12, 3, 12, 1)
