"""What the commands share that do without a running gateway: the configuration, and how a command is called."""

import shutil
import sys
from pathlib import Path

import click

from gateway import config as configuration
from gateway.config import Config
from gateway.errors import StartRefused

CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration file. Without it: ./config.toml where it stands, else defaults and the environment.",
)


def load(path: Path | None) -> Config:
    """The configuration; what is wrong with it ends the command with a sentence."""
    try:
        return configuration.load(path, configuration.environment())
    except StartRefused as problem:
        raise click.ClickException(str(problem)) from problem


def command_name() -> str:
    """How this command is called from where the caller stands."""
    if shutil.which("gateway"):
        return "gateway"
    beside = Path(sys.executable).with_name("gateway")
    if not beside.exists():
        return f"{sys.executable} -m gateway"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
