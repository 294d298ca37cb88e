"""Every shipped connector's deliveries, sent, sent again and forged: their secrets stand nowhere in the database."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import entries_of
from gateway.catalogue.model import Connector
from gateway.proofs.fixtures import Delivery
from gateway.proofs.received import Received
from gateway.proofs.rewriting import with_url
from gateway.proofs.signing import signed
from gateway.redact import REDACTED, SHORTEST_SECRET
from gateway.storage.database import Database
from tests.contracts.test_verify_fixtures import FIRST, of_all, others, sent
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started

USUAL = "test-secret-1"
SHOWN = ("events.request", "refusals.*", "attempts.headers", "attempts.reason")


def secrets_of(connector: Connector, values: dict[str, str]) -> set[str]:
    keys = [key for key, entry in entries_of(connector).items() if entry.secret]
    return {values[key] for key in keys if len(values.get(key, "")) >= SHORTEST_SECRET}


async def texts(database: Database) -> dict[str, str]:
    """What is kept beside the payloads, by where it stands."""
    found = {}
    for place in SHOWN:
        table, column = place.split(".")
        rows = await database.all(f"SELECT {column} FROM {table}")
        found[place] = repr([list(dict(row).values()) for row in rows])
    return found


def of_its_own(key: str, one: Delivery) -> Delivery:
    """The delivery under a secret that no other connector's fixtures have."""
    own = f"{key}-s3cret"
    values = {name: value.replace(USUAL, own) for name, value in one.config.values.items()}
    body = one.received.body.replace(USUAL.encode(), own.encode())
    return replace(one, config=ConfigView(values), received=msgspec.structs.replace(one.received, body=body))


async def test_no_secret_of_any_connector_is_kept(tmp_path: Path, receiver: Consumer) -> None:
    secrets: dict[str, set[str]] = {}
    async with started(settings(tmp_path, "")) as gateway:
        for key, (connector, usual) in FIRST.items():
            one = of_its_own(key, usual)
            values = of_all(connector, one)
            made = await gateway.create(key, receiver.url(), **values)
            there = with_url(one.received, url_of(gateway, made, one.received.query))
            fresh = signed(connector, one.config, there, time.time())
            forged = signed(connector, others(connector, one), there, time.time())
            secrets[key] = secrets_of(connector, values)
            for request in (fresh, fresh, forged):
                assert request is not None
                await sent(gateway, leaking(request, secrets[key]))
        database = gateway.running.services.runtime.database
        await told(database, len(FIRST))
        kept, payloads = await texts(database), await database.all("SELECT payload FROM events")
    assert [(key, place) for key in FIRST for place, text in kept.items() if found(secrets[key], text)] == []
    # What a vendor says in the body of its delivery is a part of the event.
    told_by_vendors = b"".join(bytes(row["payload"]) for row in payloads)
    hidden = {
        secret.encode() for every in secrets.values() for secret in every if secret.encode() not in told_by_vendors
    }
    assert len(hidden) > len(FIRST) - 5
    stored = file_of(tmp_path)
    assert [secret for secret in hidden if secret in stored] == []
    assert REDACTED.encode() in stored


def file_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("gateway.db*"))


def url_of(gateway: Gateway, made: dict[str, Any], query: str) -> str:
    token = made["webhookUrl"].rpartition("/")[2]
    return f"{gateway.running.config.public_url}/in/{token}" + (f"?{query}" if query else "")


def leaking(request: Received, secrets: Iterable[str]) -> Received:
    """The request of a sender that also says its secrets where nobody asks for them."""
    headers = {f"x-more-{place}": f"v1={secret};" for place, secret in enumerate(sorted(secrets)) if secret.isascii()}
    return Received(
        method=request.method, url=request.url, query=request.query, headers={**request.headers, **headers},
        body=request.body, remote=request.remote,
    )  # fmt: skip


async def told(database: Database, number: int) -> None:
    """Wait until there is a row for what was forged."""
    async with asyncio.timeout(20):
        while True:
            rows = await database.all("SELECT DISTINCT instance_id FROM refusals WHERE outcome = 'refused'")
            if len(rows) >= number:
                return
            await asyncio.sleep(0.05)


def found(secrets: set[str], text: str) -> list[str]:
    return [secret for secret in secrets if secret in text]
