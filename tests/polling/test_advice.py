"""Vendors that never send again: who makes an instance is told how nothing is lost."""

from typing import Any

import pytest

from tests.kit.gateway import Gateway

HEARS = {"webhook.secret": "s", "event.vendor.type": "webhook"}


async def seen(gateway: Gateway, made: dict[str, Any]) -> list[str]:
    answered = await gateway.call("GET", f"/api/v1/instances/{made['id']}")
    found: list[str] = answered.json["recommendations"]
    return found


async def test_polling_beside_the_webhook_is_recommended_where_the_vendor_never_sends_again(
    sqlite_gateway: Gateway,
) -> None:
    made = await sqlite_gateway.create("github", **HEARS)
    [told] = made["recommendations"]
    assert "event.reconcile.enabled" in told
    assert await seen(sqlite_gateway, made) == [told]


@pytest.mark.parametrize(
    ("connector", "more"),
    [
        ("github", {**HEARS, "event.reconcile.enabled": True}),
        ("github", {"event.vendor.type": "polling"}),
        ("github", {"event.notification.enabled": False}),
        ("closeio", {"event.vendor.type": "webhook"}),
        ("generic", {}),
    ],
)
async def test_nothing_is_recommended_where_nothing_is_to_be_done(
    sqlite_gateway: Gateway, connector: str, more: dict[str, Any]
) -> None:
    made = await sqlite_gateway.create(connector, **more)
    assert "recommendations" not in made
    assert await seen(sqlite_gateway, made) == []


async def test_it_is_gone_once_it_was_followed(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", **HEARS)
    changed = await sqlite_gateway.call(
        "PATCH", f"/instances/{made['id']}", json={"configuration": {"event.reconcile.enabled": True}}
    )
    assert changed.status == 200
    assert await seen(sqlite_gateway, made) == []
