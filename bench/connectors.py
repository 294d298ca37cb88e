"""Programs about the catalogue: 500 connector files, and one delivery of each vendor that signs with a keyed hash."""

import hmac
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import msgspec
import orjson

from bench import vendor
from gateway.catalogue.load import SHIPPED, load_catalogue, load_file
from gateway.catalogue.locator import compile_locator
from gateway.catalogue.model import Connector
from gateway.catalogue.template import compile_template
from gateway.inbound.normalise import Malformed, normalise
from gateway.proofs.fixtures import Delivery, Fixtures, beside, read_fixtures
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received
from gateway.proofs.signing import signed_by
from gateway.proofs.verify import verify

_KEY = re.compile(r'^key = "[^"]*"', re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A signed delivery of 1 KiB, and the hash that proves it."""

    connector: Connector
    delivery: Delivery
    received: Received
    hash: str

    def ours(self) -> None:
        """Verify and normalise."""
        told, config = self.delivery.told, self.delivery.config
        verdict = verify(self.connector, config, self.received, told.now)
        changes = normalise(self.connector, config, self.received, 1 << 20)
        if not isinstance(verdict, Verified) or isinstance(changes, Malformed):
            raise TypeError(f"{self.connector.key}: {verdict} {changes}")

    def plain(self) -> None:
        """The least that anybody does."""
        hmac.digest(b"a key of usual length, 32 bytes..", self.received.body, self.hash)
        orjson.loads(self.received.body)


async def verify_normalise(options: dict[str, Any]) -> dict[str, Any]:
    """Microseconds of a delivery on the average over the vendors, of ours and of the least; and each vendor's ratio."""
    with tempfile.TemporaryDirectory() as folder:
        catalogue = load_catalogue([_copies(Path(folder), options["connectors"])])
    cases = [case for connector in catalogue if (case := _case(connector)) is not None]
    took = {case.connector.key: _microseconds(case.ours, case.plain) for case in cases}
    return {
        "ours": fmean(ours for ours, _ in took.values()),
        "plain": fmean(plain for _, plain in took.values()),
        "vendors": {key: round(ours / plain, 2) for key, (ours, plain) in took.items()},
    }


async def load_connectors(options: dict[str, Any]) -> dict[str, Any]:
    """Seconds in which so many connector files are loaded and checked, at once and with nothing in common."""
    with tempfile.TemporaryDirectory() as name:
        shipped = len(list(SHIPPED.glob("*.toml")))
        folder = _copies(Path(name), options["number"] - shipped)
        began = time.perf_counter()
        load_catalogue([folder])
        took = time.perf_counter() - began
        alone = 0.0
        for file in [*sorted(folder.iterdir()), *sorted(SHIPPED.glob("*.toml"))]:
            compile_template.cache_clear()
            compile_locator.cache_clear()
            began = time.perf_counter()
            load_file(file)
            alone += time.perf_counter() - began
    return {"took": took, "alone": alone, "shipped": shipped}


def _copies(folder: Path, number: int) -> Path:
    shipped = sorted(SHIPPED.glob("*.toml"))
    for one in range(number):
        text = shipped[one % len(shipped)].read_text("utf-8")
        (folder / f"copy{one:04}.toml").write_text(_KEY.sub(f'key = "copy{one:04}"', text, count=1), "utf-8")
    return folder


def _case(connector: Connector) -> Case | None:
    """The vendor's first accepted delivery of one change, filled up to 1 KiB; None where there is none so signed."""
    found = read_fixtures(beside(connector))
    if not isinstance(found, Fixtures) or connector.webhook is None:
        return None
    for delivery in found.deliveries:
        filled = _filled(delivery.received) if delivery.told.expect == "accepted" else None
        for rule in connector.webhook.verify if filled is not None and not delivery.told.handshake else ():
            if rule.scheme == "hmac" and not rule.per_item and filled is not None:
                sent = signed_by(connector, rule, delivery.config, filled, delivery.told.now)
                if sent is not None and _is_one_change(connector, delivery, sent):
                    return Case(connector, delivery, sent, rule.hash)
    return None


def _is_one_change(connector: Connector, delivery: Delivery, sent: Received) -> bool:
    """A batch is several events in one body, and what each costs is no matter of the body's size."""
    changes = normalise(connector, delivery.config, sent, 1 << 20)
    return not isinstance(changes, Malformed) and len(changes) == 1


def _filled(received: Received) -> Received | None:
    try:
        value = orjson.loads(received.body)
    except ValueError:
        return None
    left = vendor.SIZE - len(orjson.dumps(value)) if isinstance(value, dict) else -1
    if left < 0:
        return None
    # As dense as what vendors send, so that parsing it costs what theirs does.
    rows = [{"id": one, "label": f"row {one}", "none": None} for one in range(left // 40)]
    body = orjson.dumps({**value, "filled": rows})
    return msgspec.structs.replace(received, body=body)


def _microseconds(*acts: Callable[[], None], number: int = 100) -> tuple[float, ...]:
    """Of each act; in turns, so that a busy moment of the machine meets all of them."""
    rounds: list[list[float]] = [[] for _ in acts]
    for _ in range(15):
        for act, took in zip(acts, rounds, strict=True):
            began = time.process_time()
            for _ in range(number):
                act()
            took.append((time.process_time() - began) / number * 1e6)
    return tuple(median(took) for took in rounds)
