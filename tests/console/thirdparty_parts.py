"""3rd-party connectors on pages, as tests need them."""

import io
import re
from html import unescape
from typing import Any

from gateway.accounts.model import Caller, User
from gateway.provisioning import third_party
from gateway.thirdparty import connectors
from gateway.thirdparty.draft import read
from gateway.thirdparty.model import ThirdParty
from tests.console.person import Page, first_account
from tests.kit import signed
from tests.kit.gateway import Gateway

PATH = "/console/settings/third-party-connectors"
URL = "http://127.0.0.1:9/hook"
#: What a browser sends of the empty editor.
EMPTY: list[tuple[str, str]] = [
    ("method", "POST"),
    ("type", "JSON"),
    ("headers.name", ""),
    ("headers.value", ""),
    ("data.name", ""),
    ("data.value", ""),
    ("data.kind", "text"),
    ("root", "event"),
]


def filled(*more: tuple[str, str], **fields: str) -> list[tuple[str, str]]:
    """A filled-in editor."""
    given = {"name": "Chat", "url": URL, **fields}
    kept = [pair for pair in EMPTY if pair[0] not in given and pair[0] not in {name for name, _ in more}]
    return [*given.items(), *kept, *more]


async def caller(gateway: Gateway) -> Caller:
    """Somebody of the first account."""
    account = await first_account(gateway)
    user = User(id=1, partner_id=account.partner_id, account_id=account.id, username="the test", role="administrator")
    return Caller(partner_id=account.partner_id, account_id=account.id, user=user)


async def made(gateway: Gateway, name: str = "Chat", **fields: Any) -> ThirdParty:
    """A connector of the first account."""
    found = await third_party.create(
        gateway.running.services, await caller(gateway), None, read({"name": name, "url": URL, **fields})
    )
    return found.connector


async def stored(gateway: Gateway, connector_id: int) -> ThirdParty:
    """The connector as it stands now."""
    return await connectors.one(gateway.running.services.runtime, await caller(gateway), connector_id)


async def arrive(gateway: Gateway, instance: dict[str, Any], payload: bytes) -> str:
    """One delivery of a vendor; the id of its event."""
    headers = signed.standard(instance["webhookSecret"], payload)
    answered = await gateway.call("POST", instance["webhookUrl"], data=io.BytesIO(payload), headers=headers)
    assert answered.status < 300, answered.body
    rows = await gateway.running.services.runtime.database.all("SELECT id FROM events ORDER BY id DESC LIMIT 1")
    return str(rows[0]["id"])


def problem(page: Page, field: str) -> str | None:
    """What a page says is wrong with a field."""
    found = re.search(rf'<p class="problem" id="{re.escape(field)}-problem">(.*?)</p>', page.text, re.S)
    return None if found is None else unescape(found[1])


def value(page: Page, name: str) -> list[str]:
    """The values of the inputs of this name that a browser would show, but for those of a row to be copied."""
    text = re.sub(r"<template>.*?</template>", "", page.text, flags=re.S)
    inputs = [tag for tag in re.findall(r"<input[^>]*>", text) if f' name="{name}"' in tag]
    return [unescape(found[1]) if (found := re.search(r' value="([^"]*)"', tag)) else "" for tag in inputs]


def names(page: Page) -> list[str]:
    """The names in the table."""
    return [
        unescape(one) for one in re.findall(r'<th scope="row" class="third-name"><a[^>]*><bdi>(.*?)</bdi>', page.text)
    ]
