"""The operator's folders, looked at again and again: which of their files count now, and why the others do not."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.load import files_in, key_taken, load_catalogue, load_file
from gateway.catalogue.model import Connector
from gateway.errors import CatalogueError

#: Files read in one look; the rest has its turn in the next one.
MOST_A_LOOK = 100
LOOKS_UNTIL_GONE = 2
_NO_STAMP = (0, 0, 0, 0, 0)

Stamp = tuple[int, int, int, int, int]


@dataclass(slots=True)
class _File:
    """A file as it was found: what it says, which of it counts, and why its newest content does not."""

    path: Path
    #: As it was when it was read last.
    stamp: Stamp | None = None
    #: As it was at the last look, where that is something new.
    moving: Stamp | None = None
    absent: int = 0
    #: What it says, as far as that is right.
    offer: Connector | None = None
    #: What of it counts.
    held: Connector | None = None
    broken: str | None = None
    clash: str | None = None

    @property
    def refused(self) -> str | None:
        """Why its newest content does not count."""
        return self.broken or self.clash


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look has found: the connectors that count, every refusal, and those that nobody was told of yet."""

    #: The same object as long as nothing changes.
    own: dict[str, Connector]
    refused: dict[Path, str]
    news: dict[Path, str]


class Folders:
    """The state of the folders; `look` is called from one thread at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._files: dict[Path, _File] = {}
        self._told: dict[Path, str] = {}
        self._own: dict[str, Connector] = {}

    def load(self) -> Catalogue:
        """The catalogue to start with; CatalogueError names every file that is wrong."""
        # Before they are read: what changes in between is seen by the next look.
        stamps = {path: _stamp(path) for folder in self._paths for path in files_in(folder)}
        catalogue = load_catalogue(self._paths)
        own = {one.source: one for one in catalogue if one.source in stamps}
        self._files = {
            path: _File(path, stamp, offer=own.get(path), held=own.get(path)) for path, stamp in stamps.items()
        }
        self._own = {one.key: one for one in own.values()}
        return catalogue

    @property
    def own(self) -> dict[str, Connector]:
        """What counted after the last look; the same object as long as nothing changes."""
        return self._own

    def look(self) -> Look:
        """Look once: read what has changed and rests, forget what is gone."""
        found, refused = self._listed()
        changed = self._see(found)
        if self._forget(found) or changed:
            for file in changed[:MOST_A_LOOK]:
                self._told.pop(file.path, None)
                _read(file, found[file.path])
            self._own = self._settled()
        refused |= {file.path: why for file in self._files.values() if (why := file.refused)}
        news = {path: why for path, why in refused.items() if self._told.get(path) != why}
        self._told = refused
        return Look(own=self._own, refused=refused, news=news)

    def _listed(self) -> tuple[dict[Path, Stamp], dict[Path, str]]:
        """Every file with its stamp; a folder that cannot be listed is refused, and all in it stays as it was."""
        found: dict[Path, Stamp] = {}
        refused: dict[Path, str] = {}
        for folder in self._paths:
            try:
                found |= {path: _stamp(path) for path in files_in(folder)}
            except CatalogueError as problem:
                refused[folder] = str(problem)
                known = [file for path, file in self._files.items() if path.parent == folder]
                found |= {file.path: file.stamp for file in known if file.stamp is not None}
        return found, refused

    def _see(self, found: dict[Path, Stamp]) -> list[_File]:
        """The files that have changed and rest: one that moves is being written, and is read when it has not moved."""
        resting = []
        for path, stamp in found.items():
            file = self._files.setdefault(path, _File(path))
            file.absent = 0
            if stamp != file.stamp and stamp == file.moving:
                resting.append(file)
            file.moving = None if stamp == file.stamp else stamp
        return resting

    def _forget(self, found: dict[Path, Stamp]) -> bool:
        """Whether a file is believed to be gone: it was not there in two looks."""
        absent = [file for path, file in self._files.items() if path not in found]
        for file in absent:
            file.absent += 1
        gone = [file.path for file in absent if file.absent >= LOOKS_UNTIL_GONE]
        for path in gone:
            del self._files[path]
        return bool(gone)

    def _settled(self) -> dict[str, Connector]:
        """What counts: each key of one file, and of two that say the same key the one that had it before."""
        offering = [file for file in self._files.values() if file.offer]
        offering.sort(key=lambda file: not _keeps_its_key(file))
        owners: dict[str, _File] = {}
        for file in offering:
            key = file.offer.key if file.offer else ""
            owner = owners.setdefault(key, file)
            file.clash = None if owner is file else key_taken(file.path, key, owner.path)
        for file in offering:
            if file.clash is None:
                file.held = file.offer
            elif file.held is not None and owners.setdefault(file.held.key, file) is not file:
                file.held = None
        return {file.held.key: file.held for file in offering if file.held}


def _keeps_its_key(file: _File) -> bool:
    return file.held is not None and file.offer is not None and file.held.key == file.offer.key


def _read(file: _File, stamp: Stamp) -> None:
    """What the file says now; where it is broken, the last that was right goes on to count."""
    file.stamp, file.moving, file.broken = stamp, None, None
    try:
        file.offer = load_file(file.path)
    except CatalogueError as problem:
        file.broken = str(problem)


def _stamp(path: Path) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        # A link that leads nowhere: reading it says so.
        return _NO_STAMP
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
