"""From what was asked to verdicts; pure."""

from collections.abc import Mapping, Sequence

from gateway.clock import iso_ms
from gateway.doctor.model import MOST_ITEMS, Finding, Verdict
from gateway.storage.database import Row

OVERDUE_MS = 300_000
STUCK_MS = 3_600_000
CLOCK_MS = 2_000
CLOCK_FAR_MS = 30_000
ENDS_SOON_MS = 3_600_000
#: Below so many times storage.min_free somebody should know.
ROOMY = 4


def ledger(
    sums: Mapping[str, int], instances: Sequence[Mapping[str, int]], destinations: Sequence[Mapping[str, int]]
) -> Finding:
    """Whether the ledger's equations hold, in total and for each instance and destination."""
    broken = [*broken_equations(sums)]
    items = [*(f"instance {one['id']}: {told(one)}" for one in instances)]
    items += [f"destination {one['id']}: {told(one)}" for one in destinations]
    if broken or items:
        detail = "; ".join(broken) or "the sums agree, and single ones do not"
        return Finding("ledger", "failed", detail, tuple(items[:MOST_ITEMS]))
    return Finding(
        "ledger",
        "ok",
        f"{sums['received']} received = {sums['accepted']} accepted + {sums['duplicate']} duplicate + "
        f"{sums['refused']} refused + {sums['ignored']} ignored; {sums['created']} deliveries = "
        f"{sums['delivered']} delivered + {sums['pending']} pending + {sums['dead']} dead + "
        f"{sums['cancelled']} cancelled",
    )


def broken_equations(sums: Mapping[str, int]) -> list[str]:
    """The equations that do not hold, in words."""
    equations = (
        ("received", ("accepted", "duplicate", "refused", "ignored")),
        ("accepted", ("routed", "unrouted")),
        ("created", ("delivered", "pending", "dead", "cancelled")),
    )
    return [
        f"{whole} {sums[whole]} is not {' + '.join(parts)} = {sum(sums[part] for part in parts)}"
        for whole, parts in equations
        if sums[whole] != sum(sums[part] for part in parts)
    ]


def told(numbers: Mapping[str, int]) -> str:
    """The numbers that are not nothing."""
    return ", ".join(f"{name} {number}" for name, number in numbers.items() if number and name != "id")


def full_count(found: Sequence[tuple[str, int, int, int]]) -> Finding:
    """Whether there is what the ledger says there is."""
    uneven = [one for one in found if one[1] >= 0]
    totals = {what: there for what, of, _, there in found if of < 0}
    if uneven:
        items = (
            f"{_of(what)} {of}: the ledger says {says} {what}, there are {there}" for what, of, says, there in uneven
        )
        return Finding("full_count", "failed", "the ledger and the rows differ", tuple(items))
    shown = ", ".join(
        f"{totals.get(what, 0)} {what}" for what in ("events", "delivered", "pending", "dead", "cancelled")
    )
    return Finding("full_count", "ok", f"as the ledger says: {shown}")


def _of(what: str) -> str:
    return "instance" if what == "events" else "destination"


def overdue(heads: Sequence[tuple[int, int]], now: int) -> Finding:
    """Whether deliveries are made when they are due."""
    late = sorted((due_at, destination_id) for destination_id, due_at in heads if now - due_at > OVERDUE_MS)
    if not late:
        return Finding("deliveries", "ok", f"{len(heads)} destinations have pending deliveries, none is late")
    items = tuple(
        f"destination {destination_id}: due since {iso_ms(max(0, due_at))}" for due_at, destination_id in late
    )
    verdict: Verdict = "failed" if now - late[0][0] > STUCK_MS else "warning"
    detail = f"{len(late)} destinations have deliveries that were due more than five minutes ago"
    return Finding("deliveries", verdict, detail, items[:MOST_ITEMS])


def clock(server_ms: int, node_ms: int) -> Finding:
    """Whether the node and the database agree on the time."""
    apart = abs(server_ms - node_ms)
    verdict: Verdict = "failed" if apart > CLOCK_FAR_MS else "warning" if apart > CLOCK_MS else "ok"
    return Finding("clock", verdict, f"this node and the database are {apart / 1000:.1f} s apart")


def disk(free: int, least: int) -> Finding:
    """Whether the data directory has room."""
    verdict: Verdict = "failed" if free < least else "warning" if free < ROOMY * least else "ok"
    return Finding("disk", verdict, f"{free >> 20} MiB are free; below {least >> 20} MiB nothing more is stored")


def destinations(off: Sequence[Row]) -> Finding:
    """Whether any destination is off."""
    items = [f"{_named(row)}: {row['reason'] or 'off'}" for row in off]
    return _listed("destinations", items, "are off and get nothing", "none is off")


def _named(row: Row) -> str:
    of = row["instance_id"]
    return f"destination {row['id']} of instance {of}" if of else f"3rd-party connector {row['id']}"


def registrations(found: Sequence[Row], now: int) -> Finding:
    """Whether vendors know where to send."""
    items = [f"instance {row['instance_id']}: {_registration(row, now)}" for row in found]
    ended = any(row["expires_at"] is not None and row["expires_at"] < now for row in found)
    finding = _listed("registrations", items, "need attention", "all stand that should")
    return Finding(finding.check, "failed", finding.detail, finding.items) if ended else finding


def _registration(row: Row, now: int) -> str:
    ends = row["expires_at"]
    if ends is not None and ends < now + ENDS_SOON_MS:
        return f"{row['state']}, {'ended' if ends < now else 'ends'} at {iso_ms(ends)}{_because(row)}"
    return f"{row['state']}{_because(row)}"


def pollers(found: Sequence[Row], late: tuple[int, int]) -> Finding:
    """Whether vendors are asked, and answer."""
    items = [f"instance {row['instance_id']}, {row['name']}: {row['state']}{_because(row)}" for row in found]
    number, since = late
    if number:
        items.insert(0, f"{number} are overdue, the first since {iso_ms(max(0, since))}")
    return _listed("pollers", items, "need attention", "all are well")


def logins(found: Sequence[Row]) -> Finding:
    """Whether vendors take the credentials."""
    items = [f"instance {row['instance_id']}{_because(row)}" for row in found]
    return _listed("credentials", items, "must be given anew by a person", "no vendor refuses any")


def jobs(found: Sequence[Row]) -> Finding:
    """Whether replays and erasures get on."""
    items = [f"{row['kind']} {row['id']}: {row['state']}{_because(row)}" for row in found]
    return _listed("jobs", items, "failed, or do not move", "none is stuck")


def _because(row: Row) -> str:
    return f" ({row['reason']})" if row["reason"] else ""


def _listed(check: str, items: Sequence[str], trouble: str, well: str) -> Finding:
    if not items:
        return Finding(check, "ok", well)
    more = " or more" if len(items) >= MOST_ITEMS else ""
    return Finding(check, "warning", f"{len(items)}{more} {trouble}", tuple(items[:MOST_ITEMS]))
