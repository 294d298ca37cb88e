"""The command `gateway`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from gateway import config as configuration
from gateway import demo as demonstration
from gateway import keyring, log
from gateway.app import serve as serve_forever
from gateway.catalogue.load import load_catalogue
from gateway.config import Config
from gateway.egress.guard import Guard
from gateway.errors import CatalogueError, StartRefused
from gateway.example import example
from gateway.storage import migrate as migrations
from gateway.storage.open import connect, keep_copy

try:
    import uvloop
except ModuleNotFoundError:  # no wheel for this platform; asyncio's own loop serves
    uvloop = None

_CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Configuration file. Without it: ./config.toml where it stands, else defaults and the environment.",
)


def _version() -> str:
    try:
        return version("connector-gateway")
    except PackageNotFoundError:
        return "0 (not installed)"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="gateway")
def main() -> None:
    """Connector Gateway: verified vendor events in, signed and null-filtered events out, nothing lost."""


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=Path("config.toml"))
@click.option("--force", is_flag=True, help="Write over a file that stands there.")
def init(file: Path, force: bool) -> None:
    """Write a configuration FILE with fresh secrets, readable by its owner only."""
    if file.exists() and not force:
        raise click.ClickException(f"{file} exists; give another name, or --force to write over it.")
    try:
        keyring.write_text(file, example(keyring.fresh()))
    except OSError as problem:
        raise click.ClickException(f"{file} cannot be written: {problem.strerror}.") from problem
    click.echo(f"Wrote {file} (mode 0600) with fresh secrets. Start with: gateway serve --config {file}")


@main.command()
@_CONFIG
def serve(path: Path | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    config = _load(path)
    log.configure(config.log)
    _run(lambda: serve_forever(config))


@main.command()
@_CONFIG
def check(path: Path | None) -> None:
    """Check the configuration, the catalogue and the database, without starting anything."""
    config = _load(path)
    try:
        Guard(allow_http=config.egress.allow_http, allow_networks=config.egress.allow_networks)
        catalogue = load_catalogue([Path(folder) for folder in config.catalogue.paths])
    except (CatalogueError, ValueError) as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Configuration: good. Public URL: {config.public_url}")
    click.echo(f"Catalogue: {len(catalogue)} connectors ({', '.join(one.key for one in catalogue)})")
    _run(lambda: _check_database(config))


async def _check_database(config: Config) -> None:
    async with connect(config.storage_url, min_free=0) as database:
        missing = await migrations.pending(database)
        waiting = f"{len(missing)} migrations are waiting" if missing else "up to date"
        click.echo(f"Database ({database.engine}): reachable, {waiting}.")


@main.command()
@_CONFIG
@click.option("--plan", is_flag=True, help="Only show what would be applied.")
def migrate(path: Path | None, plan: bool) -> None:
    """Bring the database to this version's schema; a SQLite file is copied first."""
    config = _load(path)
    _run(lambda: _migrate(config, plan=plan))


async def _migrate(config: Config, *, plan: bool) -> None:
    async with connect(config.storage_url, min_free=0) as database:
        missing = await migrations.pending(database)
        for migration in missing:
            click.echo(f"{migration.version:04d} {migration.name}")
        if not missing:
            click.echo("Nothing to apply.")
        elif not plan:
            copy = keep_copy(config.storage_url, missing)
            if copy is not None:
                click.echo(f"Copied the database to {copy}.")
            await migrations.migrate(database)
            click.echo("Applied.")


@main.command()
@click.option("--port", type=int, default=0, help="Port of the gateway; default: a free one.")
@click.option("--once", is_flag=True, help="Leave after the events have arrived.")
def demo(port: int, once: bool) -> None:
    """Show each event's way with a simulated vendor and a consumer on this machine."""
    _run(lambda: demonstration.demo(port, once=once))


def _load(path: Path | None) -> Config:
    try:
        return configuration.load(path, configuration.environment())
    except StartRefused as problem:
        raise click.ClickException(str(problem)) from problem


def _run(begin: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(begin())
    except StartRefused as problem:
        raise click.ClickException(str(problem)) from problem
    except KeyboardInterrupt:
        sys.exit(130)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return None if uvloop is None else uvloop.new_event_loop
