"""What a connector's numbers stand for, and its GUIDs, which need no row: equal names give equal ones."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.catalogue.core import entries_of
from gateway.catalogue.inputs import Input, inputs_of
from gateway.catalogue.member_ids import store
from gateway.catalogue.model import Connector
from gateway.storage.database import Database

#: Names of this namespace are "<kind>:<connector>:<name>"; another one would change every GUID that callers have kept.
_NAMESPACE = uuid.UUID("5b2e7c0a-8d4f-4b1e-9c63-2f0a71d5e8b4")


@dataclass(frozen=True, slots=True)
class Members:
    """The numbers of one connector, both ways."""

    connector: Connector
    #: By method id.
    methods: Mapping[str, int]
    #: By method id: each input under its number.
    inputs: Mapping[str, Mapping[int, Input]]
    #: By entry key.
    entries: Mapping[str, int]
    #: The method of a number, and of a GUID in hexadecimal digits.
    named: Mapping[int | str, str]


class MemberIds:
    """The numbers of all connectors, read once for each version of a connector."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Members] = {}

    async def of(self, connector: Connector) -> Members:
        """The numbers of a connector."""
        known = self._known.get(connector.key)
        if known is not None and known.connector is connector:
            return known
        return (await self.of_all([connector]))[connector.key]

    async def of_all(self, connectors: Sequence[Connector]) -> Mapping[str, Members]:
        """The numbers of several connectors, by key; those that are not known yet in one look."""
        fresh = [one for one in connectors if (had := self._known.get(one.key)) is None or had.connector is not one]
        if fresh:
            keys = [key for connector in fresh for key in _keys(connector)]
            numbers = await store.numbers(self._database, keys)
            self._known.update({connector.key: _members(connector, numbers) for connector in fresh})
        return {one.key: self._known[one.key] for one in connectors}

    async def method_of(self, number: int) -> tuple[str, str] | None:
        """The keys of the connector and of its method that have this number; None where no method has."""
        key = await store.key_of(self._database, number)
        kind, _, rest = (key or "").partition(":")
        if kind != "method":
            return None
        connector, _, method = rest.partition(":")
        return connector, method


def method_guid(connector_key: str, method_id: str) -> uuid.UUID:
    """What a method is called by across versions of its connector."""
    return uuid.uuid5(_NAMESPACE, f"method:{connector_key}:{method_id}")


def way_guid(connector_key: str, way_id: str) -> uuid.UUID:
    """What one of a connector's ways to authenticate is called by."""
    return uuid.uuid5(_NAMESPACE, f"auth:{connector_key}:{way_id}")


def _keys(connector: Connector) -> list[str]:
    found = [f"entry:{connector.key}:{key}" for key in entries_of(connector)]
    for method in connector.methods.values():
        found.append(f"method:{connector.key}:{method.id}")
        found += [_input_key(connector, method.id, one) for one in inputs_of(connector, method)]
    return found


def _input_key(connector: Connector, method_id: str, one: Input) -> str:
    return f"{one.place}:{connector.key}:{method_id}:{one.name}"


def _members(connector: Connector, numbers: Mapping[str, int]) -> Members:
    methods = {id_: numbers[f"method:{connector.key}:{id_}"] for id_ in connector.methods}
    inputs = {
        method.id: {numbers[_input_key(connector, method.id, one)]: one for one in inputs_of(connector, method)}
        for method in connector.methods.values()
    }
    named: dict[int | str, str] = {number: id_ for id_, number in methods.items()}
    named.update({method_guid(connector.key, id_).hex: id_ for id_ in methods})
    entries = {key: numbers[f"entry:{connector.key}:{key}"] for key in entries_of(connector)}
    return Members(connector, methods, inputs, entries, named)
