"""A poller as its owner sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gateway.polling import store
from gateway.storage.database import Reader, Row


class _Progress(msgspec.Struct, frozen=True, gc=False):
    """The part of a cursor that is told; the versions that were seen are not even read."""

    watermark: str | None = None
    token: str | None = None
    last_ok: int | None = None
    lag_ms: int | None = None
    clock_skew: int | None = None
    stuck: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Times in epoch milliseconds; `next_at` None: when somebody asks, or resumes it."""

    name: str
    state: str
    reason: str | None
    since: int
    watermark: str | None
    last_success_at: int | None
    lag_ms: int | None
    clock_skew_ms: int | None
    records: int
    failures: int
    next_at: int | None
    running: bool
    #: How many polls in a row brought something without moving the watermark.
    stuck: int

    @classmethod
    def from_row(cls, row: Row, now: int) -> "Status":
        """A poller that is switched off because its instance polls nothing now is paused."""
        progress, enabled = msgspec.json.decode(row["cursor"], type=_Progress), bool(row["enabled"])
        running = enabled and row["lease_until"] > now
        return cls(
            name=row["name"],
            state=row["state"] if enabled else "paused",
            reason=row["reason"],
            since=row["since"],
            watermark=progress.watermark or progress.token,
            last_success_at=progress.last_ok,
            lag_ms=progress.lag_ms,
            clock_skew_ms=progress.clock_skew,
            records=row["records_total"],
            failures=row["failures"],
            next_at=None if running or not enabled else row["next_due"],
            running=running,
            stuck=progress.stuck,
        )


async def statuses(reader: Reader, instance_ids: Sequence[int], now: int) -> Mapping[int, Sequence[Status]]:
    """What owners are told of the pollers of instances, by name."""
    found: dict[int, list[Status]] = {}
    for row in await store.rows_of(reader, instance_ids):
        found.setdefault(row["instance_id"], []).append(Status.from_row(row, now))
    return found
