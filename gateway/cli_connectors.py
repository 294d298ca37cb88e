"""The commands `gateway connectors …`: what there is, whether a connector file is right, and recording deliveries."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from gateway import config as configuration
from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.facts import facts, summary, told
from gateway.catalogue.lines import located
from gateway.catalogue.load import SHIPPED, load_catalogue, load_file
from gateway.catalogue.model import Connector
from gateway.catalogue.table import nearest
from gateway.cli_record import RecordOptions, record_one
from gateway.contracts.judging import judged
from gateway.contracts.tampering import tampered
from gateway.errors import CatalogueError, StartRefused
from gateway.proofs.fixtures import Delivery, Unusable, beside, read_fixtures

_CONFIG = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration file, for its catalogue.paths. Without it: ./config.toml where it stands.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
_PATHS = click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group()
def connectors() -> None:
    """The connectors that there are, and tools for the people who add one."""


@connectors.command("list")
@_CONFIG
@_JSON
def list_them(config: Path | None, *, as_json: bool) -> None:
    """List the connectors that a gateway with this configuration knows."""
    found = [summary(one, SHIPPED) for one in _catalogue(config)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    heads = ("KEY", "NAME", "VERSION", "HUB", "EVENTS", "VERIFICATION", "METHODS", "SOURCE")
    rows = [tuple(_cell(one[head.lower()]) for head in heads) for one in found]
    widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    for row in (heads, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@connectors.command()
@click.argument("key")
@_CONFIG
@_JSON
def show(key: str, config: Path | None, *, as_json: bool) -> None:
    """Show what a connector, by its KEY or its file, asks for and offers: configuration, methods, webhook, polling."""
    found = facts(_in_file(Path(key)) if key.endswith(".toml") else _by_key(key, config), SHIPPED)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else told(found))


def _by_key(key: str, config: Path | None) -> Connector:
    catalogue = _catalogue(config)
    connector = catalogue.get(key)
    if connector is None:
        hint = nearest(key, [one.key for one in catalogue]) or "; `gateway connectors list` names them all"
        raise click.ClickException(f"there is no connector {key!r}{hint}")
    return connector


def _in_file(file: Path) -> Connector:
    try:
        return load_file(file)
    except CatalogueError as problem:
        raise click.ClickException(str(problem)) from problem


@connectors.command()
@_PATHS
def lint(paths: tuple[Path, ...]) -> None:
    """Check connector files, or folders of them: file, line, key and what was expected there."""
    checked = _linted(paths)
    click.echo(checked.summary())
    sys.exit(1 if checked.problems else 0)


@connectors.command()
@_PATHS
@click.option("--record", is_flag=True, help="Listen for one real delivery, and add it to the fixtures.")
@click.option("--host", default="127.0.0.1", metavar="HOST", help="Where to listen; default 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0 (default): a free one.")
@click.option("--public-url", metavar="URL", help="Address under which the vendor reaches this port; some sign it.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A configuration value. @- reads it here.")
@click.option("--key", "keys", multiple=True, metavar="WHERE=@FILE", help="What the vendor's key method answered.")
@click.option("--name", metavar="TEXT", help="What the delivery is called in the file.")
@click.option("--timeout", type=click.FloatRange(min=0), default=0, help="Seconds to wait; 0 (default): for ever.")
def test(paths: tuple[Path, ...], *, record: bool, **options: Any) -> None:
    """Check connector files, then try the deliveries beside each, as they are and tampered with."""
    if record:
        sys.exit(record_one(paths, RecordOptions(**options)))
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value and name != "host"]
    if given:
        raise click.UsageError(f"{', '.join(given).replace('--settings', '--set')}: only together with --record")
    checked, tried, failed = _linted(paths), 0, 0
    for connector in checked.connectors:
        for line, good in _tried(connector):
            click.echo(line)
            tried, failed = tried + 1, failed + (not good)
    click.echo(f"{checked.summary()} {_count(tried, 'delivery', 'deliveries')} tried, {failed} failed.")
    sys.exit(1 if checked.problems or failed else 0)


@dataclass
class _Checked:
    """What reading the files has brought to light."""

    files: int = 0
    connectors: list[Connector] = field(default_factory=list)
    problems: int = 0
    warnings: int = 0

    def summary(self) -> str:
        found = _count(self.problems, "problem", "problems") if self.problems else "good"
        warned = f", {_count(self.warnings, 'warning', 'warnings')}" if self.warnings else ""
        return f"{_count(self.files, 'connector file', 'connector files')}: {found}{warned}."


def _catalogue(path: Path | None) -> Catalogue:
    try:
        config = configuration.load(path, configuration.environment())
        return load_catalogue([Path(folder) for folder in config.catalogue.paths])
    except (StartRefused, CatalogueError) as problem:
        raise click.ClickException(str(problem)) from problem


def _cell(value: object) -> str:
    return (", ".join(map(str, value)) or "-") if isinstance(value, list) else str(value)


def _linted(paths: Sequence[Path]) -> _Checked:
    checked = _Checked()
    for file in _files(paths):
        checked.files += 1
        try:
            connector = load_file(file)
        except CatalogueError as error:
            checked.problems += len(str(error).splitlines())
            click.echo(str(error))
            continue
        for warning in located(file, connector.warnings):
            checked.warnings += 1
            click.echo(f"{warning} (warning)")
        twin = next((one for one in checked.connectors if one.key == connector.key), None)
        if twin is not None:
            checked.problems += 1
            said = f"key: {connector.key!r} is the key of {twin.source} too; expected another one"
            click.echo("\n".join(located(file, [said])))
        checked.connectors.append(connector)
    return checked


def _files(paths: Sequence[Path]) -> list[Path]:
    """The connector files that were asked for; a path that has none ends the command."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise click.ClickException(f"{path}: is not there; expected a connector file or a folder of them")
        files = [one for one in sorted(path.glob("*.toml")) if one.name[0] != "."] if path.is_dir() else [path]
        if not files:
            raise click.ClickException(f"{path}: holds no connector files (*.toml)")
        found += [file for file in files if file not in found]
    return found


def _tried(connector: Connector) -> Iterator[tuple[str, bool]]:
    """A line, and whether it is a good one, for each delivery of a connector."""
    if connector.webhook is None:
        return
    fixtures = read_fixtures(beside(connector))
    if isinstance(fixtures, Unusable):
        for problem in fixtures.problems:
            yield _line(connector, problem, ["expected at least one accepted and one rejected delivery"]), False
        return
    for one in fixtures.deliveries:
        wrong, note = _tested(connector, one)
        yield _line(connector, f"{one.name}: {one.told.expect}{note}", wrong), not wrong
    lacking = {"accepted", "rejected"} - {one.told.expect for one in fixtures.deliveries}
    for word in sorted(lacking):
        yield _line(connector, str(beside(connector)), [f"expected at least one delivery that is {word}"]), False


def _tested(connector: Connector, one: Delivery) -> tuple[list[str], str]:
    wrong = judged(connector, one)
    if wrong or one.told.expect != "accepted":
        return wrong, f" ({one.told.check})" if one.told.check else ""
    outcome = tampered(connector, one)
    return list(outcome.failures), f", {_count(outcome.attempts, 'change', 'changes')} tried on it"


def _line(connector: Connector, what: str, wrong: Sequence[str]) -> str:
    mark = click.style("✗", fg="red") if wrong else click.style("✓", fg="green")
    return "\n".join([f"{mark} {connector.key}: {what}", *(f"    {reason}" for reason in wrong)])


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
