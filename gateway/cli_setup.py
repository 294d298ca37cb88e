"""The commands around a gateway: its configuration, its secrets, its database."""

from pathlib import Path

import click

from gateway import keyring, sealing_key
from gateway.catalogue.load import load_catalogue
from gateway.cli_asking import run
from gateway.cli_starting import CONFIG, command_name, load
from gateway.config import Config
from gateway.egress.guard import Guard
from gateway.errors import StartRefused
from gateway.example import example
from gateway.seal import Seal
from gateway.sealing_key import kept_fingerprint
from gateway.storage import migrate as migrations
from gateway.storage.open import connect, keep_copy, sqlite_path


@click.command()
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
    click.echo(f"Wrote {file} (mode 0600) with fresh secrets. Start with: {command_name()} serve{shown}")


@click.command()
@CONFIG
def auth(path: Path | None) -> None:
    """Print the Authorization header's value of the first partner's administrator, for curl."""
    config = load(path)
    try:
        secrets = keyring.found(config).bootstrap
    except StartRefused as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"User {secrets.user_secret}, Organization {secrets.organization_secret}")


@click.command()
@CONFIG
def check(path: Path | None) -> None:
    """Check the configuration, the catalogue and the database, without starting anything."""
    config = load(path)
    click.echo(f"Configuration: good. Public URL: {config.public_url}")
    run(lambda: _check(config))


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


@click.command()
@CONFIG
@click.option("--plan", is_flag=True, help="Only show what would be applied.")
def migrate(path: Path | None, *, plan: bool) -> None:
    """Bring the database to this version's schema; a SQLite file is copied first."""
    config = load(path)
    run(lambda: _migrate(config, plan=plan))


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


@click.command("rotate-keys")
@CONFIG
def rotate_keys(path: Path | None) -> None:
    """Seal all stored credentials anew, under the first key of security.encryption_keys.

    SQLite: with the gateway stopped. PostgreSQL: while it runs, once every node seals with that key.
    """
    config = load(path)
    run(lambda: _rotate_keys(config))


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
