"""Numbered migrations, each applied once, in order, with its checksum on record; one set for both engines."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from gateway.clock import now_ms
from gateway.errors import Conflict, StartRefused
from gateway.storage.database import Database, Engine, Reader, StatementError, Transaction

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK = 4_912_007_310
_TABLE = """CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"""
# An outage must not look like an empty database, so the table is asked for and not tried.
_FIND: dict[Engine, str] = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
    "postgresql": "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements, comments taken out; a migration has no semicolon inside a literal."""
        text = re.sub(r"--[^\n]*", "", self.sql)
        return [statement.strip() for statement in text.split(";") if statement.strip()]


def known() -> tuple[Migration, ...]:
    """The migrations that this version ships, in order."""
    found = []
    for file in resources.files("gateway.storage").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    return tuple(sorted(found, key=lambda migration: migration.version))


async def pending(database: Database) -> tuple[Migration, ...]:
    """What is still to be applied; StartRefused where the database is newer than this version or was changed."""
    row = await database.one(_FIND[database.engine])
    applied = {} if row is None else await _applied(database)
    return _missing(applied, known())


async def migrate(database: Database) -> tuple[Migration, ...]:
    """Apply what is missing, all or nothing, and answer it; nodes that start together take turns."""
    async with database.transaction(patient=True) as transaction:
        if database.engine == "postgresql":
            await transaction.one(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await transaction.execute(_TABLE)
        missing = _missing(await _applied(transaction), known())
        for migration in missing:
            try:
                await _apply(transaction, migration)
            except (Conflict, StatementError) as problem:
                raise StartRefused(f"Migration {migration.version} does not fit this database: {problem}") from problem
    return missing


async def _apply(transaction: Transaction, migration: Migration) -> None:
    for statement in migration.statements:
        await transaction.execute(statement)
    await transaction.execute(
        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
        migration.version,
        migration.name,
        migration.checksum,
        now_ms(),
    )


async def _applied(reader: Reader) -> dict[int, str]:
    rows = await reader.all("SELECT version, checksum FROM schema_migrations ORDER BY version")
    return {row["version"]: row["checksum"] for row in rows}


def _missing(applied: dict[int, str], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    ours = {migration.version: migration for migration in migrations}
    if newer := sorted(applied.keys() - ours.keys()):
        raise StartRefused(
            f"The database has migration {newer[-1]}, this version knows {max(ours)}. It was used by a newer "
            "version: install that one, or restore the copy that was made before it migrated."
        )
    changed = [version for version, checksum in applied.items() if ours[version].checksum != checksum]
    if changed:
        raise StartRefused(
            f"Migration {changed[0]} in the database is not the one that this version ships. Install the version that "
            "the database was made with, or restore a copy."
        )
    return tuple(migration for migration in migrations if migration.version not in applied)
