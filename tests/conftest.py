"""Fixtures: few, and real."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import structlog
import uvloop

from gateway.storage.database import Database
from gateway.storage.open import open_database
from tests.kit import postgres
from tests.kit.consumer import Consumer, consumer
from tests.kit.gateway import Gateway, settings, started

# Where rich is installed, as it is beside some test tool, each traceback would be painted for a second.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the gateway runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    server: str = request.getfixturevalue("postgres_server")
    return await postgres.fresh(server, f"test_{uuid.uuid4().hex}")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, min_free=0, auto_migrate=True) as found:
        yield found


@pytest.fixture
async def receiver() -> AsyncIterator[Consumer]:
    async with consumer() as found:
        yield found


@pytest.fixture
async def gateway(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A running gateway on each engine."""
    async with started(settings(tmp_path, database_url)) as found:
        yield found


@pytest.fixture
async def sqlite_gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A running gateway on SQLite, for what the engine makes no difference to."""
    async with started(settings(tmp_path, "")) as found:
        yield found
