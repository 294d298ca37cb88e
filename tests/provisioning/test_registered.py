"""What the owner of an instance is told of its registration at the vendor."""

import pytest

from tests.kit.gateway import Gateway


@pytest.mark.parametrize(("source", "told"), [("webhook", True), ("polling", False)])
async def test_nobody_waits_for_a_registration_where_the_vendor_is_only_polled(
    sqlite_gateway: Gateway, source: str, told: bool
) -> None:
    made = await sqlite_gateway.create("closeio", **{"event.vendor.type": source})
    found = (await sqlite_gateway.call("GET", f"/api/v1/instances/{made['id']}")).json
    assert (found["registration"] is not None) is told
