"""One fixture: a database with the tables of `things`."""

from collections.abc import AsyncIterator

import pytest

from gateway.storage.database import Database
from gateway.storage.open import connect
from tests.storage import things


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Database]:
    """An open database of each engine that holds nothing but two empty tables."""
    async with connect(database_url, min_free=0) as found:
        await things.table(found)
        yield found
