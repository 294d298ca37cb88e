"""The table of 3rd-party connectors: what of it is shown, and its addresses; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from gateway.console.forms import number
from gateway.thirdparty.model import SORTS, SortBy

PATH = "/console/settings/third-party-connectors"
SIZES = (10, 25, 50, 100)
LONGEST_SEARCH = 200
_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What somebody wants to see of it."""

    search: str = ""
    sort: SortBy = "name"
    ascending: bool = True
    number: int = 1
    size: int = SIZES[0]

    @property
    def path(self) -> str:
        """Where this is seen."""
        return PATH + self.query

    @property
    def query(self) -> str:
        """The same as a query, for addresses that lead back here; what is as usual is not named."""
        said = {
            "q": (self.search, ""),
            "sort": (self.sort if self.ascending else f"-{self.sort}", "name"),
            "size": (self.size, SIZES[0]),
            "page": (self.number, 1),
        }
        query = urlencode({name: value for name, (value, usual) in said.items() if value != usual})
        return f"?{query}" if query else ""

    def at(self, number: int) -> "Table":
        """Another page of the same."""
        return replace(self, number=number)

    def by(self, sort: SortBy) -> "Table":
        """Sorted by this column; the other way round where it is sorted by it already."""
        return replace(self, sort=sort, ascending=not (self.sort == sort and self.ascending), number=1)

    def way(self, sort: SortBy) -> str:
        """How a column is sorted, in the words of `aria-sort`."""
        if self.sort != sort:
            return "none"
        return "ascending" if self.ascending else "descending"


def table(query: Mapping[str, str]) -> Table:
    """What a query asks for; what it says that cannot be is as usual."""
    sort, usual = query.get("sort", ""), Table()
    by = next((one for one in SORTS if one == sort.removeprefix("-")), None)
    size = number(query.get("size", "")) or 0
    return Table(
        search=_searched(query.get("q", "")),
        sort=by or usual.sort,
        ascending=by is None or not sort.startswith("-"),
        number=min(max(1, number(query.get("page", "")) or 0), _MOST_PAGES),
        size=size if size in SIZES else usual.size,
    )


def last_page(total: int, size: int) -> int:
    """The number of the last page."""
    return max(1, -(-total // size))


def _searched(given: str) -> str:
    kept = (one for one in given if one >= " " and not "\ud800" <= one <= "\udfff")
    return "".join(kept).strip()[:LONGEST_SEARCH]
