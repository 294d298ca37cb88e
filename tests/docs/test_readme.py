"""The README's walk from nothing to a delivered event, done as it is printed."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
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
def checkout(tmp_path: Path) -> Path:
    """The project as a fresh clone whose requirements are installed already: no data, no configuration."""
    for name in ("gateway", "docs", "requirements", "config.example.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    (tmp_path / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith("."):
            (tmp_path / ".venv" / part.name).symlink_to(part)
    shutil.copy(ROOT / "requirements" / "run.txt", tmp_path / ".venv" / ".lock-run")
    return tmp_path


@asynccontextmanager
async def terminal(script: str, folder: Path, environment: dict[str, str], name: str) -> AsyncIterator[Path]:
    """A bash that runs the commands, and the file with what they print; whatever they started ends with the block."""
    screen = folder / name
    with screen.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield screen
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await asyncio.to_thread(process.wait, _PATIENCE_S)


async def ready(port: str) -> None:
    async with asyncio.timeout(_PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def shows(screen: Path, *texts: str) -> str:
    """What stands on the screen, once all the texts do."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while not all(text in screen.read_text("utf-8") for text in texts):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{texts} should be on the screen:\n{screen.read_text('utf-8')}")
    return screen.read_text("utf-8")


async def test_the_commands_of_the_readme_deliver_an_event(checkout: Path) -> None:
    start, *others = blocks()
    ports = {"GATEWAY_SERVER__PORT": str(free_port()), "PORT": str(free_port())}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | ports
    async with terminal(start, checkout, environment, "first"):
        await ready(ports["GATEWAY_SERVER__PORT"])
        script = "set -e\n" + "".join(others[:-1]) + "sleep 1\n" + others[-1]
        async with terminal(script, checkout, environment, "second") as screen:
            shown = await shows(screen, "HTTP/1.1 200", "verified:", "Delivery completed")
    [verified] = [line for line in shown.splitlines() if line.startswith("verified:") or "verified: {" in line]
    assert '"title": "Empty fields", "labels": ["bug", null]}' in verified
    assert '"body"' not in verified
    assert '"assignee"' not in verified


async def test_the_ports_of_the_readme_are_the_defaults() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "${GATEWAY_SERVER__PORT:-8080}" in text
    assert "${PORT:-9000}" in text
