"""`./dev crash N [--engine sqlite|postgresql]`: kill the gateway N times under load, and give account."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.campaign import Account, campaign
from tests.kit import postgres


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev crash", description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=20)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"{given.kills} kills on {given.engine}, seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gateway-crash-") as folder:
        account = _run(Path(folder), given.engine, given.kills, given.seed)
    print(_table(account))
    return 1 if account.problems else 0


def _run(folder: Path, engine: str, kills: int, seed: int) -> Account:
    def say(text: str) -> None:
        print(text, flush=True)

    if engine == "sqlite":
        return asyncio.run(campaign(folder, f"sqlite:///{folder / 'gateway.db'}", kills, seed, say))
    with postgres.server() as server:
        url = asyncio.run(postgres.fresh(server, f"crash_{seed}"))
        return asyncio.run(campaign(folder, url, kills, seed, say))


def _table(account: Account) -> str:
    lines = ["", "kill  waiting  in flight  duplicates  last one out after"]
    for kill in account.kills:
        columns = f"{kill.number:4}  {len(kill.waiting):7}  {kill.in_flight:9}  {kill.duplicates:10}"
        lines.append(f"{columns}  {1000 * kill.recovery_s:9.0f} ms")
    duplicates = sum(kill.duplicates for kill in account.kills)
    lost = account.acknowledged - account.arrived
    lines += [
        "",
        f"sent {account.sent}, acknowledged {account.acknowledged}, arrived {account.arrived}, lost {lost}; "
        f"{account.requests} requests, {duplicates} of them duplicates of a good one",
        *(f"PROBLEM: {problem}" for problem in account.problems[:50]),
        "Everything adds up." if not account.problems else f"{len(account.problems)} problems.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
