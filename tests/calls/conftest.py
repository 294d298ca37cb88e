"""A vendor's file, the simulated vendor, and the way out to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.calls.model import Access
from gateway.calls.perform import Calls
from gateway.egress.guard import Guard
from gateway.egress.open import open_streaming_client
from tests.calls.shop import access_to
from tests.vendors import Vendor, vendor


@pytest.fixture
def shop(tmp_path: Path) -> Access:
    return access_to(tmp_path)


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        yield found


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    async with open_streaming_client(Guard(allow_http=True, allow_networks=["127.0.0.0/8"])) as client:
        yield Calls(client)
