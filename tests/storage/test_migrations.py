"""From whatever stands there to this version's schema, or a refusal that says what to do."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gateway.errors import StartRefused, StorageDown
from gateway.storage import migrate
from gateway.storage.open import connect, keep_copy, open_database
from tests.kit import postgres


async def _change(url: str, sql: str) -> None:
    async with connect(url, min_free=0) as database, database.transaction() as transaction:
        await transaction.execute(sql)


async def test_an_empty_database_gets_every_migration_once(database_url: str) -> None:
    async with connect(database_url, min_free=0) as database:
        assert await migrate.pending(database) == migrate.known()
        assert await migrate.migrate(database) == migrate.known()
        assert await migrate.pending(database) == ()
        assert await migrate.migrate(database) == ()


async def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    async with open_database(database_url, min_free=0, auto_migrate=True):
        pass
    await _change(database_url, "INSERT INTO schema_migrations VALUES (9999, 'later', 'x', 0)")
    with pytest.raises(StartRefused, match=r"migration 9999.*newer version: install that one"):
        async with open_database(database_url, min_free=0, auto_migrate=True):
            pass


async def test_a_migration_that_was_changed_is_refused(database_url: str) -> None:
    async with open_database(database_url, min_free=0, auto_migrate=True):
        pass
    await _change(database_url, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1")
    with pytest.raises(StartRefused, match=r"Migration 1 .*Install the version"):
        async with open_database(database_url, min_free=0, auto_migrate=True):
            pass


async def test_without_auto_migrate_the_refusal_says_what_to_do(database_url: str) -> None:
    with pytest.raises(StartRefused, match=r"run `gateway migrate` or set storage\.auto_migrate"):
        async with open_database(database_url, min_free=0, auto_migrate=False):
            pass
    async with open_database(database_url, min_free=0, auto_migrate=True):
        pass
    async with open_database(database_url, min_free=0, auto_migrate=False) as database:
        assert await migrate.pending(database) == ()


async def test_a_migration_that_breaks_leaves_nothing_behind(database_url: str) -> None:
    await _change(database_url, "CREATE TABLE sequences (name TEXT)")  # stands in the way of the first migration
    async with connect(database_url, min_free=0) as database:
        with pytest.raises(StartRefused, match="sequences"):
            await migrate.migrate(database)
        assert await migrate.pending(database) == migrate.known()


async def test_a_sqlite_file_that_holds_something_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    later = (migrate.Migration(9000, "later", ""),)
    async with open_database(url, min_free=0, auto_migrate=True) as database:
        assert keep_copy(url, migrate.known()) is None
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO meta (key, value) VALUES ('of', 'the old days')")
        copy = keep_copy(url, later)
    assert copy is not None
    assert copy.name.startswith("gateway.db.before-9000-")
    assert copy.stat().st_mode & 0o077 == 0
    async with open_database(f"sqlite:///{copy}", min_free=0, auto_migrate=False) as restored:
        row = await restored.one("SELECT value FROM meta WHERE key = 'of'")
        assert row is not None
        assert row["value"] == "the old days"


async def test_two_nodes_that_start_together_take_turns(postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, "together")

    async def node() -> tuple[migrate.Migration, ...]:
        async with connect(url, min_free=0) as database:
            return await migrate.migrate(database)

    applied = await asyncio.gather(*(node() for _ in range(4)))
    assert sorted(applied, key=len) == [(), (), (), migrate.known()]


async def test_an_owner_without_further_rights_can_migrate(postgres_server: str) -> None:
    await postgres.execute(
        postgres_server, "CREATE ROLE plain LOGIN NOSUPERUSER NOCREATEDB", "CREATE DATABASE plain OWNER plain"
    )
    url = postgres_server.replace("postgres@", "plain@").rsplit("/", 1)[0] + "/plain"
    async with open_database(url, min_free=0, auto_migrate=True) as database:
        row = await database.one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert row is not None
        assert row["rolsuper"] is False


async def test_a_role_without_the_right_to_create_is_told(postgres_server: str) -> None:
    url = await postgres.fresh(postgres_server, "forbidden")
    await postgres.execute(postgres_server, "CREATE ROLE guest LOGIN NOSUPERUSER")
    guest = url.replace("postgres@", "guest@")
    with pytest.raises(StartRefused, match="permission denied"):
        async with open_database(guest, min_free=0, auto_migrate=True):
            pass


async def test_an_outage_is_not_taken_for_an_empty_database() -> None:
    with postgres.private() as server:
        async with connect(server.url, min_free=0) as database:
            server.stop()
            with pytest.raises(StorageDown):
                await migrate.pending(database)


async def test_a_sqlite_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE accounts (theirs TEXT)")
    other.close()
    with pytest.raises(StartRefused, match=r"Migration 1 does not fit.*accounts"):
        async with open_database(f"sqlite:///{path}", min_free=0, auto_migrate=True):
            pass


async def test_events_of_an_earlier_version_are_kept_and_told_anew(database_url: str) -> None:
    async with connect(database_url, min_free=0) as database:
        for migration in migrate.known()[:6]:
            async with database.transaction() as transaction:
                for statement in migration.statements:
                    await transaction.execute(statement)
        async with database.transaction() as transaction:
            for one in ("e1", "e2"):
                await transaction.execute(
                    "INSERT INTO events (id, account_id, instance_id, connector, source, type, action, filter_nulls, "
                    "received_at, payload) VALUES ($1, 'a', 1, 'github', 'webhook', 't', 'CREATED', 1, 5, $2)",
                    one,
                    b"{}",
                )
            await transaction.execute(
                "INSERT INTO deliveries (id, event_id, instance_id, destination_id, state, attempts, due_at, "
                "lease_until, epoch, created_at) VALUES ('d', 'e1', 1, 1, 'dead', 1, 0, 0, 1, 0)"
            )
            for statement in migrate.known()[6].statements:
                await transaction.execute(statement)
        rows = await database.all("SELECT id, routed, backfill, received_at, payload FROM events ORDER BY id")
    found = [(row["id"], row["routed"], row["backfill"], row["received_at"], bytes(row["payload"])) for row in rows]
    assert found == [("e1", 1, 0, 5, b"{}"), ("e2", 0, 0, 5, b"{}")]
