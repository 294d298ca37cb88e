"""Opening the database that the configuration names, brought to this version's schema."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

from gateway.clock import now_ms
from gateway.errors import StartRefused, StorageDown
from gateway.storage import migrate
from gateway.storage.database import Database
from gateway.storage.postgres import open_postgres
from gateway.storage.sqlite import copy_file, open_sqlite


def sqlite_path(url: str) -> Path | None:
    """The file that a `sqlite:///…` URL names; None for another engine."""
    if not url.startswith("sqlite:///"):
        return None
    return Path(unquote(url.removeprefix("sqlite:///")))


@asynccontextmanager
async def open_database(url: str, *, min_free: int, auto_migrate: bool) -> AsyncIterator[Database]:
    """The database at `url`, migrated where that is allowed; StartRefused says what to do."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(url, min_free=min_free))
        try:
            await _bring_up(database, url, auto_migrate=auto_migrate)
        except StorageDown as problem:
            raise StartRefused(f"The database cannot be brought to this version's schema: {problem}") from problem
        yield database


async def _bring_up(database: Database, url: str, *, auto_migrate: bool) -> None:
    missing = await migrate.pending(database)
    if missing and not auto_migrate:
        raise StartRefused("The database needs migrations; run `gateway migrate` or set storage.auto_migrate.")
    if missing:
        keep_copy(url, missing)
        await migrate.migrate(database)


@asynccontextmanager
async def connect(url: str, *, min_free: int) -> AsyncIterator[Database]:
    """The database at `url` as it is."""
    path = sqlite_path(url)
    if path is not None:
        async with open_sqlite(path, min_free=min_free) as database:
            yield database
    elif url.startswith(("postgresql://", "postgres://")):
        async with open_postgres(url) as postgres:
            yield postgres
    else:
        raise StartRefused("storage.url must begin with sqlite:/// or postgresql://.")


def keep_copy(url: str, missing: tuple[migrate.Migration, ...]) -> Path | None:
    """Copy a SQLite file that already holds something, before it is migrated; the copy's place."""
    path = sqlite_path(url)
    if path is None or missing == migrate.known():
        return None
    target = path.with_name(f"{path.name}.before-{missing[0].version:04d}-{now_ms()}")
    copy_file(path, target)
    return target
