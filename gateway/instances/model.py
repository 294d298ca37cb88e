"""An instance: a connector in an account, with its credentials and its configuration."""

from dataclasses import dataclass
from typing import Literal, NewType

import orjson

from gateway.accounts.model import AccountId, PartnerId
from gateway.storage.database import Row

InstanceId = NewType("InstanceId", int)
#: `element` opens the Open Connectors surface, `inbound` is the vendor's URL, `signing` is what consumers verify with,
#: `earlier:<key>` keeps a configuration entry's former value while a rotation overlaps.
SecretKind = str
DestinationState = Literal["active", "off", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """The record of an instance; times in epoch milliseconds."""

    id: InstanceId
    partner_id: PartnerId
    account_id: AccountId
    user_id: int
    connector: str
    name: str
    tags: tuple[str, ...]
    enabled: bool
    external_authentication: str
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    description: str = ""
    #: Whether it leads to the partner's own product, so that its calls may come from anywhere.
    native: bool = False

    @classmethod
    def from_row(cls, row: Row) -> "Instance":
        values = {name: row[name] for name in cls.__dataclass_fields__}
        flags = {name: bool(values[name]) for name in ("enabled", "native")}
        return cls(**values | flags | {"tags": tuple(orjson.loads(values["tags"]))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A token or secret that the gateway made, or an earlier value that still counts until `expires_at`."""

    kind: SecretKind
    value: str
    created_at: int
    expires_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an instance's events go; its callback URL is one."""

    id: int
    url: str
    state: DestinationState
    reason: str | None
    since: int

    @classmethod
    def from_row(cls, row: Row) -> "Destination":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One stored configuration entry, opened."""

    id: int
    key: str
    value: str | None
