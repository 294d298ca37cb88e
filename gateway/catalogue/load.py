"""Loads connector files: the shipped ones, and those in the operator's folders."""

import errno
import gc
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import tomli

from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.lines import located, not_toml
from gateway.catalogue.model import Connector
from gateway.catalogue.read_connector import connector
from gateway.catalogue.table import Findings
from gateway.errors import CatalogueError

SHIPPED = Path(__file__).parent / "connectors"
_MAX_FILES = 10_000
_MAX_BYTES = 1 << 20


def load_file(path: Path) -> Connector:
    """Reads one connector file; CatalogueError lists everything that is wrong with it."""
    findings = Findings()
    loaded = connector(_parsed(path), path, findings)
    if findings.problems:
        raise CatalogueError("\n".join(located(path, dict.fromkeys(findings.problems))))
    return loaded


def load_catalogue(paths: Sequence[Path]) -> Catalogue:
    """Reads the shipped connectors and those of further folders, which win over shipped ones of the same key."""
    problems: list[str] = []
    with _no_collections():
        shipped, wrong = _shipped(tuple((path, path.stat().st_mtime_ns) for path in files_in(SHIPPED)))
        problems += wrong
        own = _loaded([file for folder in paths for file in files_in(folder)], problems)
    if problems:
        raise CatalogueError("\n".join(problems))
    return Catalogue(own.values(), shipped.values())


@lru_cache(maxsize=1)
def _shipped(stamps: tuple[tuple[Path, int], ...]) -> tuple[Mapping[str, Connector], tuple[str, ...]]:
    """The shipped connectors and what is wrong with them; they never change, so a process reads them once."""
    problems: list[str] = []
    return _loaded([path for path, _ in stamps], problems), tuple(problems)


def files_in(folder: Path) -> list[Path]:
    """The TOML files of one folder; folders inside it are not entered, so links cannot lead in circles."""
    found = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.name.endswith(".toml") and not entry.name.startswith("."):
                    found.append(Path(entry.path))
                if len(found) > _MAX_FILES:
                    raise CatalogueError(f"{folder}: holds more than {_MAX_FILES} connector files")
    except OSError as error:
        raise CatalogueError(f"{folder}: expected a folder of connector files: {error.strerror}") from error
    return sorted(found)


def key_taken(file: Path, key: str, source: Path) -> str:
    """What to say of a file whose key another one has already."""
    return located(file, [f"key: {key!r} is the key of {source} too; expected another one"])[0]


def _loaded(files: list[Path], problems: list[str]) -> dict[str, Connector]:
    found: dict[str, Connector] = {}
    for file in files:
        try:
            one = load_file(file)
        except CatalogueError as error:
            problems.append(str(error))
            continue
        if one.key in found:
            problems.append(key_taken(file, one.key, found[one.key].source))
        found[one.key] = one
    return found


@contextmanager
def _no_collections() -> Iterator[None]:
    """Nothing of what is read here is garbage: looking for some again and again takes a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _parsed(path: Path) -> Mapping[str, object]:
    try:
        raw = _content(path)
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise CatalogueError(f"{path}: expected at most {_MAX_BYTES} bytes")
    try:
        # Some editors begin a file with a byte order mark.
        return tomli.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise CatalogueError(not_toml(path, raw, error)) from error


def _content(path: Path) -> bytes:
    # Without this a pipe in the folder would be waited on for ever.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "expected a file")
        return file.read(_MAX_BYTES + 1)
