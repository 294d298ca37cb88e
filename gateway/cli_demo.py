"""The command `demo`."""

import sys

import click

from gateway.cli_asking import run
from gateway.demo import play


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the gateway; 0 (default): a free one.")
@click.option("--once", is_flag=True, help="Leave when the events have arrived; exit code 0 only if all did, verified.")
def demo(port: int, *, once: bool) -> None:
    """Show each event's way with a simulated vendor and a consumer on this machine."""
    if not run(lambda: play.demo(port, once=once)):
        sys.exit(1)
