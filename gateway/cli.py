"""The command `gateway`."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway import app, keyring, log, sealing_key
from gateway import config as configuration
from gateway.catalogue.load import load_catalogue
from gateway.cli_connectors import connectors
from gateway.config import Config
from gateway.demo import play
from gateway.egress.guard import Guard
from gateway.errors import GatewayError, StartRefused
from gateway.example import example
from gateway.seal import Seal
from gateway.sealing_key import kept_fingerprint
from gateway.storage import migrate as migrations
from gateway.storage.open import connect, keep_copy, sqlite_path

if sys.platform != "win32":
    import uvloop

T = TypeVar("T")

_CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration file. Without it: ./config.toml where it stands, else defaults and the environment.",
)


def _say_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    try:
        click.echo(f"gateway {version('connector-gateway')}")
    except PackageNotFoundError:
        click.echo("gateway, not installed")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Show it.")
def main() -> None:
    """Connector Gateway: verified vendor events in, signed and null-filtered events out, nothing lost."""


main.add_command(connectors)


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=Path("config.toml"))
@click.option("--force", is_flag=True, help="Write over a file that stands there.")
def init(file: Path, *, force: bool) -> None:
    """Write a configuration FILE (config.toml) with fresh secrets, readable by its owner only."""
    try:
        keyring.write_text(file, example(keyring.fresh()), over=force)
    except FileExistsError as problem:
        raise click.ClickException(
            f"{file} exists, and secrets in it may be in use; give another name, or --force to write over it."
        ) from problem
    except OSError as problem:
        raise click.ClickException(f"{file} cannot be written: {problem.strerror}.") from problem
    shown = "" if file == Path("config.toml") else f" --config {file}"
    click.echo(f"Wrote {file} (mode 0600) with fresh secrets. Start with: {_command()} serve{shown}")


@main.command()
@_CONFIG
def serve(path: Path | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    config = _load(path)
    log.configure(config.log)
    _run(lambda: app.serve(config, lambda running: _greet(running, path)))


def _greet(running: app.Running, path: Path | None) -> None:
    """A first word to people; machines read the log alone."""
    if not sys.stdout.isatty():
        return
    config, shown = running.config, f" --config {path}" if path else ""
    click.echo(f"\nConnector Gateway listens at {config.local_url}; vendors reach it at {config.public_url}.")
    if running.secrets_file is not None:
        click.echo(f"Credentials that nobody gave were generated; they stand in {running.secrets_file} (mode 0600).")
    click.echo("What can be connected, from another terminal:\n")
    click.echo(f'  curl {config.local_url}/elements -H "Authorization: $({_command()} auth{shown})"\n')
    click.echo("Ctrl-C ends it.\n")


@main.command()
@_CONFIG
def auth(path: Path | None) -> None:
    """Print the Authorization header's value of the first partner's administrator, for curl."""
    config = _load(path)
    try:
        secrets = keyring.found(config).bootstrap
    except StartRefused as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"User {secrets.user_secret}, Organization {secrets.organization_secret}")


@main.command()
@_CONFIG
def check(path: Path | None) -> None:
    """Check the configuration, the catalogue and the database, without starting anything."""
    config = _load(path)
    click.echo(f"Configuration: good. Public URL: {config.public_url}")
    _run(lambda: _check(config))


async def _check(config: Config) -> None:
    Guard(allow_http=config.egress.allow_http, allow_networks=config.egress.allow_networks)
    seal = Seal(config.security.encryption_keys) if config.security.encryption_keys else None
    catalogue = load_catalogue([Path(folder) for folder in config.catalogue.paths])
    click.echo(f"Catalogue: {len(catalogue)} connectors ({', '.join(one.key for one in catalogue)}).")
    file = sqlite_path(config.storage_url)
    if file is not None and not file.exists():
        click.echo(f"Database (sqlite): {file} is not there yet; `gateway serve` makes it.")
        return
    async with connect(config.storage_url, min_free=0) as database:
        missing = await migrations.pending(database)
        if seal is not None and not missing:
            await kept_fingerprint(database, seal)
        waiting = f"{len(missing)} migrations are waiting" if missing else "up to date"
        click.echo(f"Database ({database.engine}): reachable, {waiting}.")


@main.command()
@_CONFIG
@click.option("--plan", is_flag=True, help="Only show what would be applied.")
def migrate(path: Path | None, *, plan: bool) -> None:
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


@main.command("rotate-keys")
@_CONFIG
def rotate_keys(path: Path | None) -> None:
    """Seal all stored credentials anew, under the first key of security.encryption_keys.

    SQLite: with the gateway stopped. PostgreSQL: while it runs, once every node seals with that key.
    """
    config = _load(path)
    _run(lambda: _rotate_keys(config))


async def _rotate_keys(config: Config) -> None:
    seal = Seal(keyring.found(config).security.encryption_keys)
    file = sqlite_path(config.storage_url)
    if file is not None and not file.exists():
        raise StartRefused(f"{file} is not there yet: there is nothing to seal anew.")
    async with connect(config.storage_url, min_free=0) as database:
        if await migrations.pending(database):
            raise StartRefused("The database needs migrations; run `gateway migrate` first.")
        async for table, done in sealing_key.reseal(database, seal):
            click.echo(f"{table}: {done} sealed anew")
        left = await sealing_key.older_keys_in_use(database, seal)
    if left:
        raise StartRefused(
            "Some values were sealed with an older key meanwhile: a node still has that one first. "
            "Put the newest key first on every node, and run this again."
        )
    click.echo("Everything is sealed with the first key; the others can be taken out of security.encryption_keys.")


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the gateway; 0 (default): a free one.")
@click.option("--once", is_flag=True, help="Leave when the events have arrived; exit code 0 only if all did, verified.")
def demo(port: int, *, once: bool) -> None:
    """Show each event's way with a simulated vendor and a consumer on this machine."""
    if not _run(lambda: play.demo(port, once=once)):
        sys.exit(1)


def _load(path: Path | None) -> Config:
    try:
        return configuration.load(path, configuration.environment())
    except StartRefused as problem:
        raise click.ClickException(str(problem)) from problem


def _run(begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(begin())
    except GatewayError as problem:
        raise click.ClickException(str(problem)) from problem
    except KeyboardInterrupt:
        sys.exit(130)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return None if sys.platform == "win32" else uvloop.new_event_loop


def _command() -> str:
    """How this command is called from where the caller stands."""
    if shutil.which("gateway"):
        return "gateway"
    beside = Path(sys.executable).with_name("gateway")
    if not beside.exists():
        return f"{sys.executable} -m gateway"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
