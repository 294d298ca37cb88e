"""The examination: everything is asked in turn, and what cannot be asked is a finding too."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import now_ms
from gateway.delivery.store import heads_any_account
from gateway.doctor import judging, store
from gateway.doctor.model import Finding
from gateway.errors import GatewayError, StartRefused, StorageDown
from gateway.seal import Seal
from gateway.sealing_key import kept_fingerprint
from gateway.storage import migrate
from gateway.storage.database import Database
from gateway.storage.probe import probe

_LONG_MS = 600_000
_OVERDUE_MS = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined: a database, the keys it needs, the folder it is in; whose details may be shown."""

    database: Database
    seal: Seal | None
    #: None where the database is on another machine.
    folder: Path | None
    least_free: int
    #: Of whom instances are named; empty: of all.
    partner_id: str = ""


async def examine(patient: Patient, *, full: bool) -> list[Finding]:
    """All checks; `full` counts every row beside what the ledger says."""
    database = patient.database
    found = [await _asked("database", lambda: _can_store(database))]
    if found[0].verdict == "failed":
        return found
    found.append(await _asked("migrations", lambda: _migrations(database)))
    if found[1].verdict == "failed":
        return found
    checks: list[tuple[str, Callable[[], Awaitable[Finding]]]] = [
        ("sealing_key", lambda: _sealing_key(patient)),
        ("ledger", lambda: _ledger(database)),
        *([("full_count", lambda: _full_count(database))] if full else []),
        ("deliveries", lambda: _deliveries(database)),
        ("destinations", lambda: _destinations(patient)),
        ("registrations", lambda: _registrations(patient)),
        ("pollers", lambda: _pollers(patient)),
        ("credentials", lambda: _logins(patient)),
        ("jobs", lambda: _jobs(patient)),
    ]
    found += [await _asked(name, ask) for name, ask in checks]
    if database.engine == "postgresql":
        found.append(await _asked("clock", lambda: _clock(database)))
    return found if patient.folder is None else [*found, _disk(patient.folder, patient.least_free)]


async def _asked(name: str, ask: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await ask()
    except GatewayError as problem:
        return Finding(name, "failed", str(problem))


async def _can_store(database: Database) -> Finding:
    await probe(database)
    return Finding("database", "ok", f"{database.engine}: reachable, and it stores")


async def _migrations(database: Database) -> Finding:
    missing = await migrate.pending(database)
    if missing:
        return Finding("migrations", "failed", f"{len(missing)} are waiting; run `gateway migrate`")
    return Finding("migrations", "ok", f"{len(migrate.known())} applied, none waits")


async def _sealing_key(patient: Patient) -> Finding:
    if patient.seal is None:
        return Finding("sealing_key", "failed", "security.encryption_keys is not given")
    try:
        kept = await kept_fingerprint(patient.database, patient.seal)
    except StartRefused as problem:
        return Finding("sealing_key", "failed", str(problem))
    if kept == patient.seal.fingerprint:
        return Finding("sealing_key", "ok", f"the newest key is the database's ({kept})")
    return Finding("sealing_key", "warning", "the database knows an earlier key as the newest; start the gateway once")


async def _ledger(database: Database) -> Finding:
    instances, destinations = await store.uneven_instances(database), await store.uneven_destinations(database)
    return judging.ledger(await store.sums(database), instances, destinations)


async def _full_count(database: Database) -> Finding:
    try:
        return judging.full_count(await store.counted(database))
    except StorageDown as problem:
        return Finding("full_count", "warning", f"it could not be counted: {problem}")


async def _deliveries(database: Database) -> Finding:
    return judging.overdue(await heads_any_account(database), now_ms())


async def _destinations(patient: Patient) -> Finding:
    return judging.destinations(await store.destinations_off(patient.database, patient.partner_id))


async def _registrations(patient: Patient) -> Finding:
    now = now_ms()
    found = await store.registrations_in_trouble(
        patient.database,
        patient.partner_id,
        wanted_since=now - _LONG_MS,
        ends_before=now + judging.ENDS_SOON_MS,
    )
    return judging.registrations(found, now)


async def _pollers(patient: Patient) -> Finding:
    late = await store.pollers_overdue(patient.database, now_ms() - _OVERDUE_MS)
    return judging.pollers(await store.pollers_in_trouble(patient.database, patient.partner_id), late)


async def _logins(patient: Patient) -> Finding:
    return judging.logins(await store.logins_lost(patient.database, patient.partner_id))


async def _jobs(patient: Patient) -> Finding:
    found = await store.jobs_in_trouble(patient.database, patient.partner_id, now_ms() - _LONG_MS)
    return judging.jobs(found)


async def _clock(database: Database) -> Finding:
    before = now_ms()
    server = await store.server_time(database)
    return judging.clock(server, (before + now_ms()) // 2)


def _disk(folder: Path, least: int) -> Finding:
    try:
        return judging.disk(shutil.disk_usage(folder).free, least)
    except OSError as problem:
        return Finding("disk", "failed", f"{folder} cannot be looked at: {problem.strerror}")
