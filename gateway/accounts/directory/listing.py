"""Numbered pages of a partner's accounts: the last page costs what the first does."""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.accounts.directory import store
from gateway.accounts.directory.store import Order
from gateway.accounts.model import Account
from gateway.storage.database import Reader

MOST_KEPT = 64
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a partner's accounts, and how many there are."""

    items: list[Account]
    total: int


@dataclass(frozen=True, slots=True)
class _Ordered:
    version: int
    #: The ids one behind the other: a hundred thousand of them take 1.6 MB.
    packed: bytes

    def __len__(self) -> int:
        return len(self.packed) // _ID_BYTES

    def between(self, first: int, last: int) -> list[str]:
        return [self.packed[_ID_BYTES * n : _ID_BYTES * (n + 1)].hex() for n in range(first, min(last, len(self)))]


class Listing:
    """Knows the ids of the partners that were listed last, in order, as long as their accounts do not change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[str, Order], _Ordered] = OrderedDict()

    async def page(
        self, partner_id: str, *, page: int = 1, size: int = 100, order: Order = "id", ascending: bool = True
    ) -> Page:
        """A page of the partner's accounts, pages counted from 1; past the end it has no items."""
        ordered = await self._ordered(partner_id, order)
        total, first = len(ordered), (page - 1) * size
        if first >= total:
            return Page([], total)
        if ascending:
            chosen = ordered.between(first, first + size)
        else:
            chosen = ordered.between(max(0, total - first - size), total - first)[::-1]
        return Page(await store.with_ids(self._reader, partner_id, chosen), total)

    async def _ordered(self, partner_id: str, order: Order) -> _Ordered:
        # The version is read first: ids that are newer than it are only read once more.
        version, key = await store.version(self._reader, partner_id), (partner_id, order)
        found = self._kept.get(key)
        if found is None or found.version != version:
            ids = await store.ids(self._reader, partner_id, order)
            found = _Ordered(version, b"".join(map(bytes.fromhex, ids)))
            self._kept[key] = found
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found
