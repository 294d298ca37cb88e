"""A source with a life of its own: a late index, bulk updates, coarse dates, pages that drift; and ways to poll it."""

import bisect
import heapq
import random
from dataclasses import dataclass, field

from gateway.catalogue.change import Change
from gateway.catalogue.document import Document
from gateway.clock import iso
from gateway.polling.interval import after_success
from gateway.polling.merge import merged
from gateway.polling.model import Cursor, Page, Plan, Poller, Read
from gateway.polling.window import window
from tests.polling.parts import NOW, SETTINGS

HOUR_S = 3_600
PAGE = 100
PAGE_S = 0.4
#: Time enough for everything to be indexed and polled.
AFTERWARDS_S = 300


@dataclass(slots=True)
class Row:
    """An object as the index shows it."""

    number: int
    version: int
    updated_s: int
    created_s: int


@dataclass
class Source:
    """3,000 objects of which six are written each second, and now and then 350 at once; times in seconds."""

    seed: int
    life_s: float
    objects: int = 3_000
    writes_a_second: float = 6.0
    bulk: int = 350
    bulk_every_s: float = 400.0
    lag_s: float = 2.0
    most_lag_s: float = 25.0
    asked: int = 0
    final: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        begin = NOW // 1000
        self._rows = [Row(n, 0, begin - 86_400, begin - 86_400) for n in range(self.objects)]
        self._order: list[tuple[int, int]] = sorted((row.updated_s, row.number) for row in self._rows)
        self._late: list[tuple[float, int, int, int]] = []
        self._next_write = self._dice.expovariate(self.writes_a_second)
        self._next_bulk = self._dice.uniform(0, self.bulk_every_s)

    def listed(self, now_s: float, since_s: int, offset: int, *, newest_first: bool = False) -> list[Row]:
        """One page of what the index holds now."""
        self.asked += 1
        self._live_until(now_s)
        start = bisect.bisect_left(self._order, (since_s, -1))
        if newest_first:
            end = len(self._order) - offset
            found = self._order[max(start, end - PAGE) : max(start, end)][::-1]
        else:
            found = self._order[start + offset : start + offset + PAGE]
        return [Row(n, self._rows[n].version, updated, self._rows[n].created_s) for updated, n in found]

    def _live_until(self, now_s: float) -> None:
        while (at := min(self._next_write, self._next_bulk)) <= now_s and at <= self.life_s:
            if at == self._next_bulk:
                for number in self._dice.sample(range(self.objects), self.bulk):
                    self._write(at, number)
                self._next_bulk = at + self._dice.expovariate(1 / self.bulk_every_s)
            else:
                self._write(at, self._dice.randrange(self.objects))
                self._next_write = at + self._dice.expovariate(self.writes_a_second)
        self._index(now_s)

    def _write(self, at: float, number: int) -> None:
        version = self.final[number] = self.final.get(number, 0) + 1
        late = min(self.most_lag_s, self._dice.expovariate(1 / self.lag_s))
        heapq.heappush(self._late, (at + late, number, version, int(NOW / 1000 + at)))

    def _index(self, now_s: float) -> None:
        while self._late and self._late[0][0] <= now_s:
            _, number, version, updated_s = heapq.heappop(self._late)
            row = self._rows[number]
            if version > row.version:
                del self._order[bisect.bisect_left(self._order, (row.updated_s, number))]
                row.version, row.updated_s = version, updated_s
                bisect.insort(self._order, (updated_s, number))


def document(row: Row) -> Document:
    """A row as the vendor writes it."""
    value = {"id": f"o{row.number}", "updated": iso(row.updated_s * 1000), "version": row.version}
    text = f'{{"id":"o{row.number}","updated":"{value["updated"]}","version":{row.version}}}'
    return Document(text.encode(), value)


@dataclass
class Outcome:
    """Each (object, version) as often as it was emitted, in order, and the identities."""

    emitted: list[tuple[int, int]] = field(default_factory=list)
    identities: list[str | None] = field(default_factory=list)
    most_seen: int = 0

    def missed(self, source: Source) -> int:
        """Objects whose last state was never emitted."""
        there = set(self.emitted)
        return sum((number, version) not in there for number, version in source.final.items())

    def outdated(self, source: Source) -> int:
        """Objects of which something else than the last state was emitted last."""
        last = dict(self.emitted)
        return sum(last.get(number) != version for number, version in source.final.items())

    @property
    def doubled(self) -> int:
        """Emissions of what was emitted before."""
        return len(self.emitted) - len(set(self.emitted))


@dataclass
class Polling:
    """The gateway's own algorithm, on a plan; its clock differs from the source's by `skew_s`."""

    source: Source
    plan: Plan
    skew_s: float = 0.0
    budget: int = 1_000
    by_offset: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Poll until everything has long been said."""
        cursor, dice = Cursor(), random.Random(self.source.seed)
        poller = Poller(
            id=f"p{self.source.seed}", instance_id=1, name="orders", next_due=NOW, since=NOW, updated_at=NOW
        )
        at_s, own = 0.0, NOW
        while at_s < self.source.life_s + AFTERWARDS_S:
            own = self._own(at_s)
            asked = window(self.plan, cursor, own)
            got, at_s = self._read(at_s, own, asked.at or 0, cursor.resume)
            result = merged(self.plan, cursor, got, asked, SETTINGS)
            self._note([found.change for chunk in result.chunks for found in chunk.changes])
            cursor = result.cursor
            step = after_success(self.plan, poller, cursor, now=self._own(at_s), dice=dice.random(), again=result.again)
            poller = poller.after(step, cursor)
            cursor = poller.cursor
            self.outcome.most_seen = max(self.outcome.most_seen, len(cursor.seen))
            at_s = max(at_s, ((step.next_due or 0) - NOW) / 1000 - self.skew_s)
        return self.outcome

    def _own(self, at_s: float) -> int:
        return int(NOW + 1000 * (at_s + self.skew_s))

    def _read(self, at_s: float, own: int, since: int, resume: str | None) -> tuple[Read, float]:
        source_now = int(NOW / 1000 + at_s) * 1000
        if self.plan.poll.order == "desc":
            pages, complete, at_s = self._newest_first(at_s, since // 1000)
            offset = 0
        else:
            pages, complete, offset, at_s = self._ascending(at_s, since // 1000, int(resume or 0))
        made = tuple(Page([document(row) for row in rows]) for rows in pages)
        kept = str(offset) if offset and not complete else None
        return Read(pages=made, complete=complete, asked_at=own, source_now=source_now, resume=kept), at_s

    def _ascending(self, at_s: float, since_s: int, offset: int) -> tuple[list[list[Row]], bool, int, float]:
        """From the last record on after every full page; by position only within one second."""
        pages: list[list[Row]] = []
        while len(pages) < self.budget:
            at_s += PAGE_S
            rows = self.source.listed(at_s, since_s, offset)
            pages.append(rows)
            if len(rows) < PAGE:
                return pages, True, offset, at_s
            last_s = rows[-1].updated_s
            offset = offset + PAGE if self.by_offset or last_s == since_s else 0
            since_s = since_s if self.by_offset else last_s
        return pages, False, offset, at_s

    def _newest_first(self, at_s: float, since_s: int) -> tuple[list[list[Row]], bool, float]:
        pages: list[list[Row]] = []
        while len(pages) < self.budget:
            at_s += PAGE_S
            rows = self.source.listed(at_s, 0, PAGE * len(pages), newest_first=True)
            pages.append(rows)
            if len(rows) < PAGE or rows[-1].updated_s < since_s:
                return pages, True, at_s
        return pages, False, at_s

    def _note(self, changes: list[Change]) -> None:
        for change in changes:
            version = int(change.payload.rpartition(b":")[2].rstrip(b"}"))
            self.outcome.emitted.append((int((change.object_id or "")[1:]), version))
            self.outcome.identities.append(change.identity)


def by_own_clock(source: Source, *, ahead_s: float = 0.0, interval_s: float = 60.0) -> Outcome:
    """What many do: the cursor is the time of the last poll, by the asker's clock, and only later records count."""
    outcome, at_s, cursor = Outcome(), 0.0, NOW / 1000
    while at_s < source.life_s + AFTERWARDS_S:
        began = at_s
        rows, at_s = _by_offset(source, at_s, int(cursor))
        outcome.emitted += [(row.number, row.version) for row in rows if row.updated_s > cursor]
        cursor = NOW / 1000 + began + ahead_s
        at_s = max(at_s, began + interval_s)
    return outcome


def by_newest_date(source: Source, *, interval_s: float = 60.0) -> Outcome:
    """What others do: the cursor is the newest date that was seen, and only later records count."""
    outcome, at_s, cursor = Outcome(), 0.0, NOW // 1000
    while at_s < source.life_s + AFTERWARDS_S:
        began = at_s
        rows, at_s = _by_offset(source, at_s, cursor)
        fresh = [row for row in rows if row.updated_s > cursor]
        outcome.emitted += [(row.number, row.version) for row in fresh]
        cursor = max((row.updated_s for row in fresh), default=cursor)
        at_s = max(at_s, began + interval_s)
    return outcome


def by_last_id(source: Source, *, interval_s: float = 60.0) -> Outcome:
    """Newest first, the first page, down to the one that was the newest before."""
    outcome, at_s = Outcome(), 0.0
    last: tuple[int, int] | None = None
    while at_s < source.life_s + AFTERWARDS_S:
        rows = source.listed(at_s + PAGE_S, 0, 0, newest_first=True)
        for row in rows if last is not None else ():
            if (row.number, row.version) == last:
                break
            outcome.emitted.append((row.number, row.version))
        last = (rows[0].number, rows[0].version)
        at_s += interval_s
    return outcome


def _by_offset(source: Source, at_s: float, since_s: int) -> tuple[list[Row], float]:
    rows: list[Row] = []
    while True:
        at_s += PAGE_S
        page = source.listed(at_s, since_s, len(rows))
        rows += page
        if len(page) < PAGE:
            return rows, at_s
