"""A campaign: kills at random moments under load, then the account of every delivery that was acknowledged."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import rows
from tests.crash.process import CONCURRENCY, Process, process
from tests.crash.vendor import Vendor
from tests.crash.witness import Seen, Witness
from tests.kit.consumer import consumer

#: An attempt counts as in flight until its settlement is durable: a linger of 5 ms, the commit that runs, the commit
#: that carries it. A quarter of a second is room enough for that on a busy machine with two cores.
SETTLED_WITHIN_S = 0.25
#: What the dead process had sent may be read from the socket a little later; no process starts that fast.
SEEN_LATE_S = 0.1
#: From the restart until what was in flight is out: at once on SQLite; on PostgreSQL when the dead node's leases end.
RECOVERED_WITHIN_S = {"sqlite": 5.0, "postgresql": 30.0}
_LONGEST_LIFE_S = 2.5
_AT_START = 0.2
_QUIET_S = 60.0


@dataclass
class Kill:
    """One SIGKILL and what hung on it."""

    number: int
    #: The moment, and that of a second one where the next process was killed while it started.
    deaths: list[float]
    #: Acknowledged to the vendor, and no request for it had been answered.
    waiting: set[str] = field(default_factory=set)
    #: Requests without an answer, or with one that need not be recorded yet.
    in_flight: int = 0
    restarted: float = 0.0
    duplicates: int = 0
    recovery_s: float = 0.0

    def explains(self, before: Seen, after: Seen) -> bool:
        """Whether it came before the good answer to `before` can have been recorded, and so led to `after`."""
        assert before.answered is not None
        return any(
            before.began <= death + SEEN_LATE_S < after.began and death - before.answered <= SETTLED_WITHIN_S
            for death in self.deaths
        )


@dataclass
class Account:
    """What came of a campaign."""

    engine: str
    kills: list[Kill] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sent: int = 0
    acknowledged: int = 0
    arrived: int = 0
    requests: int = 0


async def campaign(folder: Path, url: str, kills: int, seed: int, say: Callable[[str], None]) -> Account:
    """Kill the gateway so many times under load; its account, with every problem that was found."""
    dice = random.Random(seed)
    account, witness = Account(url.split(":", 1)[0]), Witness(random.Random(seed + 1))
    async with process(folder, url) as gateway, consumer() as destination:
        destination.answer = witness.answer
        await gateway.start()
        places = (("github", "/good"), ("generic", "/flaky"), ("github", "/slow"))
        made = [(connector, await gateway.create(connector, destination.url(path))) for connector, path in places]
        vendor = Vendor(gateway.session, made, dice)
        sending = asyncio.create_task(vendor.send_all())
        for number in range(1, kills + 1):
            kill = await _kill(gateway, vendor, witness, number, dice)
            account.kills.append(kill)
            account.problems += [f"after kill {number}: {text}" for text in rows.unbalanced(await gateway.ledger())]
            say(_progress(kill, kills, vendor, witness))
        await asyncio.sleep(0.5)
        vendor.stopping = True
        await sending
        witness.behave = True
        await _quiet(gateway, vendor, witness)
        await _close_account(account, gateway, vendor, witness)
    return account


async def _kill(gateway: Process, vendor: Vendor, witness: Witness, number: int, dice: random.Random) -> Kill:
    await asyncio.sleep(0.2 + dice.random() * _LONGEST_LIFE_S)
    known = set(vendor.acknowledged)
    at = await gateway.kill()
    kill = Kill(number, [at])
    if dice.random() < _AT_START:
        await gateway.spawn()
        await asyncio.sleep(dice.random())
        kill.deaths.append(await gateway.kill())
    kill.restarted = await gateway.start()
    kill.waiting = known - witness.answered_by(at)
    kill.in_flight = sum(witness.under_way(death, SETTLED_WITHIN_S, SEEN_LATE_S) for death in kill.deaths)
    return kill


async def _quiet(gateway: Process, vendor: Vendor, witness: Witness) -> None:
    deadline = time.monotonic() + _QUIET_S
    while time.monotonic() < deadline:
        missing = vendor.acknowledged.keys() - witness.delivered(vendor.acknowledged)
        if not missing and (await gateway.ledger())["pending"] == 0:
            return
        await asyncio.sleep(0.1)


async def _close_account(account: Account, gateway: Process, vendor: Vendor, witness: Witness) -> None:
    arrived = witness.delivered(vendor.acknowledged)
    account.sent, account.acknowledged, account.arrived = vendor.sent, len(vendor.acknowledged), len(arrived)
    account.requests = sum(len(requests) for requests in witness.seen.values())
    shown = await gateway.ledger()
    await gateway.terminate()
    account.problems += await rows.problems(gateway.database_url, shown)
    account.problems += [f"{name} was acknowledged and never arrived" for name in set(vendor.acknowledged) - arrived]
    account.problems += _identities(witness)
    _blame(account, witness)
    for kill in account.kills:
        account.problems += _measured(kill, witness, RECOVERED_WITHIN_S[account.engine])


def _identities(witness: Witness) -> list[str]:
    return [
        f"{name} arrived under several ids or with several bodies"
        for name, requests in witness.seen.items()
        if len({(one.event_id, one.digest) for one in requests}) > 1
    ]


def _blame(account: Account, witness: Witness) -> None:
    """Every duplicate must go back to a kill that came before its good answer can have been recorded."""
    for before, after in witness.duplicates():
        blamed = next((kill for kill in account.kills if kill.explains(before, after)), None)
        if blamed is None:
            account.problems.append(f"{before.vendor_id} arrived twice without a kill in between")
        else:
            blamed.duplicates += 1


def _measured(kill: Kill, witness: Witness, limit_s: float) -> list[str]:
    """How long after the restart the last of what was waiting went out, and what is wrong with that."""
    firsts = [_first_after(witness, name, kill.deaths[0] + SEEN_LATE_S) for name in kill.waiting]
    kill.recovery_s = max((first - kill.restarted for first in firsts if first), default=0.0)
    found = []
    if kill.recovery_s > limit_s:
        found.append(
            f"kill {kill.number}: what was in flight was out after {kill.recovery_s:.1f} s, not {limit_s:.0f} s"
        )
    if kill.duplicates > kill.in_flight:
        found.append(f"kill {kill.number}: {kill.duplicates} duplicates, but {kill.in_flight} were in flight")
    return found


def _first_after(witness: Witness, name: str, at: float) -> float | None:
    return next((one.began for one in witness.seen.get(name, ()) if one.began > at), None)


def _progress(kill: Kill, kills: int, vendor: Vendor, witness: Witness) -> str:
    return (
        f"kill {kill.number} of {kills}{' and one at start' if len(kill.deaths) > 1 else ''}: sent {vendor.sent}, "
        f"acknowledged {len(vendor.acknowledged)}, delivered {len(witness.delivered(vendor.acknowledged))}, "
        f"requests in flight {kill.in_flight} (slots {CONCURRENCY}), waiting {len(kill.waiting)}, "
        f"back after {1000 * (kill.restarted - kill.deaths[-1]):.0f} ms"
    )
