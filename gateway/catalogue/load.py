"""Loads connector files: the shipped ones, and those in the operator's folders."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.catalogue.catalogue import Catalogue
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
        raise CatalogueError("\n".join(f"{path}: {problem}" for problem in findings.problems))
    return loaded


def load_catalogue(paths: Sequence[Path]) -> Catalogue:
    """Reads the shipped connectors and those of further folders, which win over shipped ones of the same key."""
    problems: list[str] = []
    shipped = _loaded(_files(SHIPPED), problems)
    own = _loaded([file for folder in paths for file in _files(folder)], problems)
    if problems:
        raise CatalogueError("\n".join(problems))
    return Catalogue({**shipped, **own}.values())


def _loaded(files: list[Path], problems: list[str]) -> dict[str, Connector]:
    found: dict[str, Connector] = {}
    for file in files:
        try:
            one = load_file(file)
        except CatalogueError as error:
            problems.append(str(error))
            continue
        if one.key in found:
            problems.append(f"{file}: key: {one.key!r} is the key of {found[one.key].source} too; expected another one")
        found[one.key] = one
    return found


def _files(folder: Path) -> list[Path]:
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


def _parsed(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise CatalogueError(f"{path}: expected at most {_MAX_BYTES} bytes")
    try:
        return tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise CatalogueError(f"{path}: is no TOML: {error}") from error
