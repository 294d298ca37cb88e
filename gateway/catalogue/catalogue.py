"""The connectors that this gateway knows."""

from collections.abc import Iterable, Iterator, Mapping

from gateway.catalogue.model import Connector


class Catalogue:
    """All connectors by key: the operator's own above the shipped ones; each change of it is a single step."""

    __slots__ = ("_by_key", "_ids", "_shipped")

    def __init__(self, own: Iterable[Connector], shipped: Iterable[Connector] = ()) -> None:
        self._shipped = {one.key: one for one in shipped}
        self._ids: Mapping[str, int] = {}
        self.replace(own)

    def get(self, key: str) -> Connector | None:
        """The connector with this key."""
        return self._by_key.get(key)

    def all(self) -> tuple[Connector, ...]:
        """All of them, by key."""
        return tuple(self._by_key.values())

    def with_own(self, own: Iterable[Connector]) -> dict[str, Connector]:
        """What there would be by key if the operator's connectors were these; where one is gone, the shipped one is."""
        found = {**self._shipped, **{one.key: one for one in own}}
        return {key: found[key] for key in sorted(found)}

    def replace(self, own: Iterable[Connector]) -> None:
        """Let the operator's connectors be these from now on."""
        self._by_key = self.with_own(own)

    @property
    def ids(self) -> Mapping[str, int]:
        """The stable number of each connector by key; those that are gone keep theirs."""
        return self._ids

    def number(self, ids: Mapping[str, int]) -> None:
        """Let these be the numbers; before a connector is seen it has one."""
        self._ids = ids

    def __iter__(self) -> Iterator[Connector]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
