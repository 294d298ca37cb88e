"""What the commands share that ask a running gateway: where it is, and how one of them is run and ended."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.errors import GatewayError

if sys.platform != "win32":
    import uvloop

T = TypeVar("T")

CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration file of the running gateway. Without it: ./config.toml where it stands.",
)
URL = click.option("--url", metavar="URL", help="Where the gateway answers. Without it: where its configuration says.")
JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")


def run(begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work; what went wrong becomes one line, Ctrl-C ends it with 130."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(begin())
    except GatewayError as problem:
        raise click.ClickException(str(problem)) from problem
    except KeyboardInterrupt:
        sys.exit(130)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return None if sys.platform == "win32" else uvloop.new_event_loop
