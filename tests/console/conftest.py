"""Somebody who is signed in to the console, and a vendor to connect."""

from collections.abc import AsyncIterator

import pytest

from tests.console.person import Person, signed_in
from tests.kit.gateway import Gateway
from tests.vendors import Vendor, vendor


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        yield found


@pytest.fixture
async def person(sqlite_gateway: Gateway) -> AsyncIterator[Person]:
    async with signed_in(sqlite_gateway) as found:
        yield found
