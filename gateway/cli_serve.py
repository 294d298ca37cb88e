"""The command `serve`."""

import sys
from pathlib import Path

import click

from gateway import app, log
from gateway.cli_asking import run
from gateway.cli_starting import CONFIG, command_name, load


@click.command()
@CONFIG
def serve(path: Path | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    config = load(path)
    log.configure(config.log)
    run(lambda: app.serve(config, lambda running: _greet(running, path)))


def _greet(running: app.Running, path: Path | None) -> None:
    """A first word to people; machines read the log alone."""
    if not sys.stdout.isatty():
        return
    config, shown = running.config, f" --config {path}" if path else ""
    click.echo(f"\nConnector Gateway listens at {config.local_url}; vendors reach it at {config.public_url}.")
    name = config.bootstrap.admin_username
    click.echo(f"The console for people is at {config.local_url}/console; sign in as {name}.")
    if running.secrets_file is not None:
        click.echo(
            f"Credentials that nobody gave were generated; they stand in {running.secrets_file} (mode 0600), "
            "the password as bootstrap.admin_password."
        )
    click.echo("Programs see what can be connected so, from another terminal:\n")
    click.echo(f'  curl {config.local_url}/elements -H "Authorization: $({command_name()} auth{shown})"\n')
    click.echo("Ctrl-C ends it.\n")
