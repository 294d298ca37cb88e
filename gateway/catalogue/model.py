"""What a connector file says, read once: every text in it checked, every locator and template compiled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.catalogue.call_model import Auth, Http, Method, Pagination, Poll, Resource
from gateway.catalogue.webhook_model import Webhook

EntryType = Literal["string", "boolean", "integer", "number", "url", "json", "duration"]
EventMethod = Literal["webhook", "polling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One configuration entry of an instance."""

    key: str
    name: str
    description: str = ""
    type: EntryType = "string"
    required: bool = False
    required_for: str | None = None
    secret: bool = False
    sealed: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    multiple: bool = False
    generate: bool = False
    filled_by: str | None = None
    auth: frozenset[str] | None = None
    hidden: bool = False
    internal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Connector:
    """One vendor, as data; another reading of the same file is another connector."""

    key: str
    name: str
    version: str
    source: Path
    id: int | None = None
    #: Whose it is alone; None where it is everybody's.
    partner_id: str | None = None
    hub: str = "general"
    description: str = ""
    docs: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    api_version: str | None = None
    max_body: int | None = None
    ack_deadline: int | None = None
    redelivers: bool = True
    entries: Mapping[str, Entry]
    auth: Mapping[str, Auth]
    http: Http
    pagination: Mapping[str, Pagination]
    methods: Mapping[str, Method]
    resources: Mapping[str, Resource]
    webhook: Webhook | None
    polls: tuple[Poll, ...]
    defaults: Mapping[str, str]
    value_defaults: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def structured(self) -> frozenset[str]:
        """The entries that hold JSON."""
        return frozenset(key for key, entry in self.entries.items() if entry.type == "json")

    @property
    def has_webhook(self) -> bool:
        """Whether the vendor can send."""
        return self.webhook is not None

    @property
    def has_polling(self) -> bool:
        """Whether the vendor can be asked."""
        return bool(self.polls)

    @property
    def event_methods(self) -> tuple[EventMethod, ...]:
        """The ways in which events come, the preferred one first."""
        webhook: tuple[EventMethod, ...] = ("webhook",) if self.has_webhook else ()
        polling: tuple[EventMethod, ...] = ("polling",) if self.has_polling else ()
        return webhook + polling
