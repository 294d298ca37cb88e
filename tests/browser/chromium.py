"""Which browser the tests run: the one that is named, the one from npm, or the machine's own."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import install

#: Names a Chromium that stands already.
OVERRIDE = "GATEWAY_TEST_BROWSER"
_OF_THE_MACHINE = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
#: Less than a test may take, so that it can still say what went wrong.
_PATIENCE_S = 90.0


class NoBrowser(Exception):
    """Why there is no browser, and what to do about it."""


@dataclass(frozen=True)
class Program:
    """A browser's program and the environment that it needs."""

    path: Path
    environ: dict[str, str]


def program() -> Program:
    """The browser of the tests, installed first where that is missing; raises NoBrowser."""
    named = os.environ.get(OVERRIDE)
    if named:
        return _named(Path(named))
    trouble = _missing()
    if trouble is None:
        return _installed()
    for path in _OF_THE_MACHINE:
        if os.access(path, os.X_OK):
            return Program(path, _fonts())
    raise NoBrowser(
        f"No browser for the tests.\n{trouble}\n"
        "`./dev test` installs one from npm; Debian's chromium-headless-shell is found by itself; "
        f"{OVERRIDE}=/path/to/chromium names any other."
    )


def axe() -> str:
    """The text of axe-core; raises NoBrowser where it could not be installed."""
    try:
        install.install(_PATIENCE_S)
    except install.InstallError as problem:
        raise NoBrowser(f"axe-core is missing.\n{problem}") from problem
    return (install.FOLDER / "axe.min.js").read_text("utf-8")


def _named(path: Path) -> Program:
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise NoBrowser(f"{OVERRIDE} names {path}, which is no program.")
    return Program(path, _fonts())


def _missing() -> str | None:
    """What is wrong with the browser from npm, or nothing."""
    try:
        install.install(_PATIENCE_S)
    except install.InstallError as problem:
        return str(problem)
    stamp = _stamp()
    return None if stamp["runs"] else f"The one from npm does not run here:\n{stamp['trouble']}"


def _installed() -> Program:
    stamp = _stamp()
    libraries = {"LD_LIBRARY_PATH": str(install.FOLDER / "al2023" / "lib")} if stamp["libraries"] else {}
    return Program(install.FOLDER / "chromium", {**_fonts(), **libraries})


def _stamp() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((install.FOLDER / install.STAMP).read_text("utf-8"))
    return found


def _fonts() -> dict[str, str]:
    """The fonts that came along, and no others: text is as wide on every machine."""
    file = install.FOLDER / "fonts" / "fonts.conf"
    return {"FONTCONFIG_FILE": str(file)} if file.is_file() else {}
