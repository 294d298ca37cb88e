"""The connectors that this gateway knows."""

from collections.abc import Iterable, Iterator, Mapping

from gateway.catalogue.model import Connector


class Catalogue:
    """All connectors by key: the operator's own above the shipped ones; each change of it is a single step.

    Beside them stand those that partners brought, each of them visible to its partner alone.
    """

    __slots__ = ("_brought", "_by_key", "_ids", "_own", "_shipped")

    def __init__(self, own: Iterable[Connector], shipped: Iterable[Connector] = ()) -> None:
        self._shipped = {one.key: one for one in shipped}
        self._own: Mapping[str, Connector] = {}
        self._brought: Mapping[str, Connector] = {}
        self._ids: Mapping[str, int] = {}
        self.replace(own)

    def get(self, key: str) -> Connector | None:
        """The connector with this key."""
        return self._by_key.get(key)

    def all(self) -> tuple[Connector, ...]:
        """All of them, by key, whosever they are."""
        return tuple(self._by_key.values())

    def visible_to(self, partner_id: str) -> tuple[Connector, ...]:
        """Those that a partner and its accounts may know of, by key."""
        return tuple(one for one in self._by_key.values() if one.partner_id in (None, partner_id))

    def with_own(self, own: Iterable[Connector]) -> dict[str, Connector]:
        """What there would be by key if the operator's connectors were these; where one is gone, the shipped one is."""
        found = {**self._brought, **self._shipped, **{one.key: one for one in own}}
        return {key: found[key] for key in sorted(found)}

    def replace(self, own: Iterable[Connector]) -> None:
        """Let the operator's connectors be these from now on."""
        self._own = {one.key: one for one in own}
        self._by_key = self.with_own(self._own.values())

    def bring(self, brought: Iterable[Connector]) -> None:
        """Let the partners' connectors be these from now on."""
        self._brought = {one.key: one for one in brought}
        self._by_key = self.with_own(self._own.values())

    @property
    def ids(self) -> Mapping[str, int]:
        """The stable number of each connector by key; those that are gone keep theirs."""
        return self._ids

    def number(self, ids: Mapping[str, int]) -> None:
        """Let these be numbers too; before a connector is seen it has one, and none is ever given again."""
        self._ids = {**self._ids, **ids}

    def __iter__(self) -> Iterator[Connector]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)
