"""How far a job is, and how long it may still take; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.history.filter import moment_of
from gateway.replays.model import Discarding, Erasure, Job, percent

#: Before so much has gone by, nobody can tell.
_SOON_MS = 2_000


@dataclass(frozen=True, slots=True)
class Progress:
    """What a bar shows; a `share` of None is one that nobody knows."""

    share: float | None
    rate: float | None
    left_ms: int | None
    took_ms: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition by its name; `at` where it is a moment."""

    name: str
    value: object
    at: int | None


def progress(job: Job, now: int) -> Progress:
    """How a job goes on, seen from now."""
    over = job.state != "running"
    took = max(0, (job.finished_at or job.updated_at if over else now) - job.created_at)
    share = percent(job)
    rate = 1000 * job.seen / took if took >= _SOON_MS and job.seen else None
    return Progress(share, rate, None if over else _left(job, share, rate, took), took)


def _left(job: Job, share: float | None, rate: float | None, took: int) -> int | None:
    if job.expected is not None and rate:
        return round(1000 * max(0, job.expected - job.seen) / rate)
    if share and took >= _SOON_MS:
        return round(took * (100 - share) / share)
    return None


def filter_shown(job: Job) -> dict[str, object]:
    """The conditions of a job."""
    wanted = job.wanted
    if isinstance(wanted, Erasure):
        return {}
    return {name: value for name, value in wanted.filter.items() if name != "account_id"}


def conditions(job: Job) -> list[Condition]:
    """The conditions of a job, one by one."""
    return conditions_of(filter_shown(job))


def conditions_of(chosen: Mapping[str, object]) -> list[Condition]:
    """The conditions of a filter, one by one."""
    return [
        Condition(name, value, moment_of(value) if name in ("since", "until") else None)
        for name, value in chosen.items()
    ]


def subject_of(job: Job) -> str:
    """What a job goes through."""
    wanted = job.wanted
    return "dead_letters" if isinstance(wanted, Discarding | Erasure) else wanted.subject
