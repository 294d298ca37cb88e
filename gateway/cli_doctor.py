"""The command `doctor`: is all well, and does the ledger balance?"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway import config as configuration
from gateway import keyring
from gateway.api.native import shapes_doctor
from gateway.cli_asking import CONFIG, JSON, URL, run
from gateway.client import Unanswered, open_api
from gateway.clock import now_ms
from gateway.doctor.examine import Patient, examine
from gateway.errors import StartRefused
from gateway.seal import Seal
from gateway.storage.open import connect, sqlite_path

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}
_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command()
@CONFIG
@URL
@click.option("--full", is_flag=True, help="Count every row, and compare with the ledger; takes a while with millions.")
@JSON
def doctor(path: Path | None, url: str | None, *, full: bool, as_json: bool) -> None:
    """Check the database, the ledger, and all that may stand still; exit code 1 where something failed.

    Asks the running gateway; without one it opens the database itself.
    """
    found = run(lambda: _examined(path, url, full=full))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else _told(found))
    if found["verdict"] == "failed":
        sys.exit(1)


async def _examined(path: Path | None, url: str | None, *, full: bool) -> Mapping[str, Any]:
    try:
        async with open_api(path, url) as api:
            answered: dict[str, Any] = await api.get("/api/v1/doctor", {"full": full})
            return answered
    except Unanswered:
        if url is not None:
            raise
    return await _examined_here(path, full=full)


async def _examined_here(path: Path | None, *, full: bool) -> Mapping[str, Any]:
    """The same without a gateway; StartRefused where somebody else has the database."""
    config = keyring.found(configuration.load(path, configuration.environment()))
    file = sqlite_path(config.storage_url)
    if file is not None and not file.exists():
        raise StartRefused(f"{file} is not there yet: there is nothing to examine.")
    async with connect(config.storage_url, min_free=0) as database:
        patient = Patient(
            database=database,
            seal=Seal(config.security.encryption_keys),
            folder=None if file is None else file.parent,
            least_free=config.storage.min_free.bytes,
        )
        found = shapes_doctor.examination(await examine(patient, full=full), now_ms(), full=full)
    gateway = {"check": "gateway", "verdict": "warning", "detail": "none runs; the database was opened", "items": []}
    worst = "failed" if found["verdict"] == "failed" else "warning"
    return {**found, "verdict": worst, "checks": [gateway, *found["checks"]]}


def _told(found: Mapping[str, Any]) -> str:
    width = max(len(one["check"]) for one in found["checks"])
    lines = []
    for one in found["checks"]:
        mark = click.style(_MARKS[one["verdict"]], fg=_COLOURS[one["verdict"]])
        lines.append(f"{mark}  {one['check']:{width}}  {one['detail']}")
        lines += [f"{'':{width + 11}}{item}" for item in one["items"]]
    return "\n".join(lines)
