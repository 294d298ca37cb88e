"""The command `gateway`: each of its commands is read when it is called, so that a short one is quick."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

#: Commands by name: the module that has each, and what it is called there.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "auth": ("cli_setup", "auth"),
    "check": ("cli_setup", "check"),
    "connectors": ("cli_connectors", "connectors"),
    "credential": ("cli_accounts", "credential"),
    "dead-letters": ("cli_letters", "dead_letters"),
    "demo": ("cli_demo", "demo"),
    "doctor": ("cli_doctor", "doctor"),
    "init": ("cli_setup", "init"),
    "listen": ("cli_live", "listen"),
    "migrate": ("cli_setup", "migrate"),
    "partner": ("cli_accounts", "partner"),
    "replay": ("cli_replay", "replay"),
    "rotate-keys": ("cli_setup", "rotate_keys"),
    "send": ("cli_live", "send"),
    "serve": ("cli_serve", "serve"),
    "tail": ("cli_live", "tail"),
    "user": ("cli_accounts", "user"),
    "where": ("cli_where", "where"),
}


class Commands(click.Group):
    """A group whose commands are found by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"gateway.{module}"), name)
        return command


def _say_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    try:
        click.echo(f"gateway {version('connector-gateway')}")
    except PackageNotFoundError:
        click.echo("gateway, not installed")
    context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Show it.")
def main() -> None:
    """Connector Gateway: verified vendor events in, signed and null-filtered events out, nothing lost."""
