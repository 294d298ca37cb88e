"""Plans, records and reads, made small."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gateway.catalogue.call_model import Poll
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document
from gateway.catalogue.document import read as parsed
from gateway.catalogue.load import load_file
from gateway.clock import iso
from gateway.polling.merge import merged
from gateway.polling.model import Cursor, Known, Merged, Page, Plan, Poller, Read
from gateway.polling.records import Settings
from gateway.polling.window import window

SETTINGS = Settings(ConfigView({}), {})
NOW = 1_779_969_600_000
SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000

_HEAD = """format = 1
version = "1.0.0"
key = "shop"
name = "Shop"
[http]
base_url = "https://shop.example"
[[poll]]
name = "orders"
request = "GET /orders"
"""
_LIST = """query = { since = "{from}" }
records = "orders"
id = "id"
updated = "updated"
created = "created"
created_tolerance = "2s"
from_format = "iso8601"
overlap = "60s"
interval = { default = "60s", min = "15s", max = "30m" }
type = "order.{action}"
object_type = "const:order"
object_id = "item:id"
version = "item:updated"
"""


@cache
def poll(text: str = _LIST) -> Poll:
    """A poll as a connector file declares it; by default a list of orders."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "shop.toml")
        file.write_text(_HEAD + text, "utf-8")
        return load_file(file).polls[0]


def plan(text: str = _LIST, *, interval: int | None = MINUTE, fixed: bool = False, **changed: Any) -> Plan:
    """A plan for it; what is `changed` is the plan's where it has it, else the poll's."""
    own = {name: value for name, value in changed.items() if name in Plan.__dataclass_fields__}
    of_poll = {name: value for name, value in changed.items() if name not in own}
    of = replace(poll(text), **of_poll)
    return replace(Plan(name="orders", poll=of, interval=interval, fixed=fixed), **own)


def poller(**changed: Any) -> Poller:
    """A poller as its row would tell it."""
    values: dict[str, Any] = {
        "id": "p1", "instance_id": 1, "name": "orders", "next_due": NOW, "since": NOW, "updated_at": NOW
    }  # fmt: skip
    return Poller(**values | changed)


def listed(text: str = _LIST, **lines: str) -> str:
    """The declaration with other values, each as TOML; an empty one takes the line away."""
    kept = [line for line in text.splitlines() if line.split(" = ")[0] not in lines]
    return "\n".join([*kept, *(f"{name} = {value}" for name, value in lines.items() if value)]) + "\n"


def order(number: int, updated: int | None, created: int | None = None, **more: Any) -> dict[str, Any]:
    """A record; times in milliseconds, written with one-second precision."""
    dates = {"updated": updated, "created": created if created is not None else 0}
    return {"id": f"o{number}"} | {k: iso(at) for k, at in dates.items() if at is not None} | more


def documents(records: Sequence[Mapping[str, Any]]) -> list[Document]:
    """The records as texts that were read."""
    found = [parsed(json.dumps(record, separators=(",", ":")).encode()) for record in records]
    return [one for one in found if isinstance(one, Document)]


def read(*records: Mapping[str, Any], at: int = NOW, source: int | None = 0, **more: Any) -> Read:
    """What came back at a time; the source's clock differs by `source`, or is not told."""
    source_now = None if source is None else at + source
    return Read(pages=(Page(documents(records)),), asked_at=at, source_now=source_now, **more)


def polled(of: Plan, cursor: Cursor, got: Read, known: Mapping[str, Known] | None = None) -> Merged:
    """One poll: the window that this cursor asks, and what the read means in it."""
    return merged(of, cursor, got, window(of, cursor, got.asked_at), SETTINGS, known)


def begun(of: Plan, *records: Mapping[str, Any], at: int = NOW - 10 * MINUTE) -> Cursor:
    """The cursor after a first poll that found these."""
    return polled(of, Cursor(), read(*records, at=at)).cursor


def told(result: Merged) -> list[tuple[str, str | None]]:
    """What was found: actions and object ids, in order."""
    return [(found.change.action, found.change.object_id) for chunk in result.chunks for found in chunk.changes]


def identities(result: Merged) -> list[str | None]:
    return [found.change.identity for chunk in result.chunks for found in chunk.changes]
