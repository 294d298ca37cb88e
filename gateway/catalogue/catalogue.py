"""The connectors that this gateway knows."""

from collections.abc import Iterable, Iterator

from gateway.catalogue.model import Connector


class Catalogue:
    """All connectors by key; never changes after start."""

    __slots__ = ("_by_key",)

    def __init__(self, connectors: Iterable[Connector]) -> None:
        self._by_key = {one.key: one for one in sorted(connectors, key=lambda connector: connector.key)}

    def get(self, key: str) -> Connector | None:
        """The connector with this key."""
        return self._by_key.get(key)

    def all(self) -> tuple[Connector, ...]:
        """All of them, by key."""
        return tuple(self._by_key.values())

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)
