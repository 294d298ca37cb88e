"""The README's walk from nothing to a delivered event, done as it is printed."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.docs.receivers import ROOT
from tests.kit.postgres import free_port

_PATIENCE_S = 40
_SECTION = re.compile(r"^## Send one event.*?(?=^## )", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[str]:
    """The commands of the section, block by block; the first is for a terminal of its own."""
    section = _SECTION.search((ROOT / "README.md").read_text("utf-8"))
    assert section is not None
    return _COMMANDS.findall(section[0])


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project as a fresh clone whose requirements are installed already: no data, no configuration."""
    for name in ("gateway", "docs", "requirements", "config.example.toml", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    venv = tmp_path / ".venv"
    venv.mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith("."):
            (venv / part.name).symlink_to(part)
    version = re.search(r"^UV_VERSION=(.+)$", (ROOT / "dev").read_text("utf-8"), re.MULTILINE)
    assert version is not None
    (venv / ".uv").write_text(version[1] + "\n")
    shutil.copy(ROOT / "requirements" / "run.txt", venv / ".lock-run")
    shutil.copy(ROOT / "pyproject.toml", venv / ".lock-project")
    return tmp_path


@contextmanager
def terminal(script: str, folder: Path, environment: dict[str, str], name: str) -> Iterator[Callable[[], str]]:
    """A bash that runs the commands, and what they have printed; whatever they started ends with the block."""
    screen = folder / name
    with screen.open("wb") as out:
        command = ["bash", "-c", script]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        yield lambda: screen.read_text("utf-8")
    finally:
        # Where all of it has ended there is no group any more.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE_S)


def patiently(holds: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_the_commands_of_the_readme_deliver_an_event(clone: Path) -> None:
    start, *others = blocks()
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment |= {"GATEWAY_SERVER__PORT": str(port), "PORT": str(free_port())}
    script = "set -e\n" + "".join(others[:-1]) + "sleep 1\n" + others[-1]
    with terminal(start, clone, environment, "first") as gateway:
        patiently(lambda: is_ready(port), gateway)
        with terminal(script, clone, environment, "second") as shell:
            patiently(lambda: "Delivery completed" in shell(), shell)
            shown = shell()
    assert "HTTP/1.1 200" in shown
    verified = shown.partition("verified: ")[2].splitlines()[0]
    assert verified.endswith(
        '"raw": {"action": "opened", "issue": {"id": 7, "title": "Empty fields", "labels": ["bug", null]}}}'
    )


def test_the_ports_of_the_readme_are_the_defaults() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "${GATEWAY_SERVER__PORT:-8080}" in text
    assert "${PORT:-9000}" in text
