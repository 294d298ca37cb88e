"""`gateway connectors test PATH --record`: one real delivery becomes a fixture with its secrets replaced."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.catalogue.load import load_file
from gateway.catalogue.model import Connector
from gateway.catalogue.table import nearest
from gateway.contracts.recorder import PATH, Recorder, listening
from gateway.contracts.recording import needed, write
from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Request
from gateway.egress.open import open_client
from gateway.errors import CatalogueError
from gateway.proofs.fixtures import Unusable, beside, read_fixtures
from gateway.proofs.pinned import is_pinned
from gateway.proofs.proof import KeySource

_FETCH_S = 10.0
_MAX_KEY = 256 << 10


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What the command was told."""

    host: str
    port: int
    public_url: str | None
    settings: tuple[str, ...]
    keys: tuple[str, ...]
    name: str | None
    timeout: float


def record_one(paths: Sequence[Path], options: RecordOptions) -> int:
    """Listens for one delivery and keeps it; the exit code."""
    connector = _connector(paths)
    file = beside(connector)
    before = read_fixtures(file) if file.exists() else None
    if isinstance(before, Unusable):
        raise click.ClickException("\n".join(before.problems))
    values = _values(connector, options.settings)
    keys = dict(_key(one) for one in options.keys)
    name = options.name or "recorded"
    recorder = Recorder(connector, values, keys, name=name, say=click.echo, fetch=_fetched)
    ended = "it was ended before a delivery came"
    try:
        asyncio.run(_listen(recorder, options))
    except KeyboardInterrupt:
        click.echo("")
    except TimeoutError:
        ended = f"no delivery came within {options.timeout:g} s"
    except OSError as problem:
        said = f"cannot listen at {options.host}:{options.port}: {problem.strerror or problem}"
        raise click.ClickException(said) from problem
    return _kept(recorder, file, ended)


async def _listen(recorder: Recorder, options: RecordOptions) -> None:
    public = options.public_url.rstrip("/") if options.public_url else None
    async with listening(recorder, options.host, options.port, public) as address:
        click.echo(f"Listening for one delivery of {recorder.connector.name} at {recorder.public_url}{PATH}")
        if public is None:
            port = address.rpartition(":")[2]
            click.echo(
                "Point the vendor there. From outside it needs a tunnel, such as "
                f"`cloudflared tunnel --url {address}` or `ssh -R 80:localhost:{port} …`; start again with\n"
                f"--port {port} --public-url and the tunnel's address, since some vendors sign the URL."
            )
        click.echo("Ctrl-C ends it.")
        await asyncio.wait_for(recorder.done.wait(), options.timeout or None)


def _kept(recorder: Recorder, file: Path, ended: str) -> int:
    if not recorder.fixtures:
        reason = "nothing that can be kept came" if recorder.done.is_set() else ended
        click.echo(f"Nothing was recorded: {reason}.", err=True)
        return 1
    try:
        write(file, recorder.connector.key, recorder.fixtures)
    except OSError as problem:
        raise click.ClickException(f"{file} cannot be written: {problem.strerror}") from problem
    several = len(recorder.fixtures) > 1
    click.echo(
        f"Wrote {len(recorder.fixtures)} {'requests' if several else 'request'} to {file}, with made-up secrets."
    )
    click.echo("Read them before you share them: names, addresses and other personal data stay as they came.")
    return 0 if recorder.done.is_set() else 1


def _connector(paths: Sequence[Path]) -> Connector:
    if len(paths) != 1 or paths[0].is_dir():
        raise click.ClickException("--record takes one connector file")
    try:
        connector = load_file(paths[0])
    except CatalogueError as problem:
        raise click.ClickException(str(problem)) from problem
    if connector.webhook is None:
        raise click.ClickException(f"{paths[0]}: has no [webhook], so nothing is delivered")
    return connector


def _values(connector: Connector, settings: Sequence[str]) -> dict[str, str]:
    """The configuration that was given, and what is asked for where a person is there to answer."""
    values = {}
    for one in settings:
        key, secret, text = _parted(one, "--set")
        if key not in connector.entries:
            hint = nearest(key, connector.entries) or f"; expected one of {', '.join(connector.entries)}"
            raise click.ClickException(f"--set {key}: no such entry{hint}")
        values[key] = click.prompt(_label(connector, key), hide_input=True) if secret and sys.stdin.isatty() else text
    for key in needed(connector, values):
        if not sys.stdin.isatty():
            raise click.ClickException(f"--set {key}=… is missing: {_label(connector, key)}; @- reads it from stdin")
        values[key] = click.prompt(_label(connector, key), hide_input=True)
    return values


def _parted(text: str, option: str) -> tuple[str, bool, str]:
    """The name, whether a person is to be asked, and the value: as given, from a file (@FILE) or from stdin (@-)."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.ClickException(f"{option} {text}: expected NAME=VALUE, NAME=@FILE or NAME=@-")
    if value == "@-":
        return name, True, "" if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not value.startswith("@"):
        return name, False, value
    try:
        return name, False, Path(value[1:]).read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as problem:
        raise click.ClickException(f"{option} {name}: {value[1:]} cannot be read: {problem}") from problem


def _key(text: str) -> tuple[str, str]:
    """What a key address or method answered; addresses may hold an equals sign themselves."""
    where, mark, file = text.rpartition("=@")
    if not mark or not where or not file:
        raise click.ClickException(f"--key {text}: expected WHERE=@FILE, where WHERE is a URL or method:key id")
    return where, _parted(f"key=@{file}", "--key")[2]


def _label(connector: Connector, key: str) -> str:
    entry = connector.entries.get(key)
    return f"{entry.name} ({key})" if entry else key


async def _fetched(source: KeySource) -> bytes | None:
    """A public key from the host that the connector names; keys that a method answers are given with --key."""
    if source.kind == "method" or not is_pinned(source.where, source.hosts):
        click.echo(f"The key is needed: --key '{source.where}=@FILE' with what the vendor answers.")
        return None
    async with open_client("lean", Guard(allow_http=False, allow_networks=())) as client:
        request = Request(method="GET", url=source.where, headers=(), timeout=_FETCH_S, max_answer=_MAX_KEY)
        outcome = await client.send(request)
    if isinstance(outcome, Answer) and outcome.status == 200:
        return outcome.body
    click.echo(f"{source.where} did not answer with a key; --key '{source.where}=@FILE' gives one.")
    return None
