"""`gateway doctor`, with a gateway that runs and without one."""

import json
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.command import ENVIRONMENT, arguments, gateway


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, port: str) -> Iterator[None]:
    """A gateway that says that it is ready, then is asked to stop."""
    process = subprocess.Popen(
        arguments("serve"),
        stdout=subprocess.PIPE,
        cwd=folder,
        env=ENVIRONMENT | {"GATEWAY_SERVER__PORT": port, "GATEWAY_STORAGE__MIN_FREE": "1MiB"},
    )
    try:
        assert process.stdout is not None
        assert b"gateway.ready" in process.stdout.readline()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def doctor(folder: Path, port: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {"GATEWAY_SERVER__PORT": port, "GATEWAY_STORAGE__MIN_FREE": "1MiB"}
    return gateway("doctor", *words, cwd=folder, **environ)


def test_it_asks_the_gateway_that_runs_and_opens_the_database_of_one_that_does_not(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port):
        asked = doctor(tmp_path, port, "--full")
        assert (asked.returncode, asked.stderr) == (0, "")
        assert "full_count     as the ledger says: 0 events" in asked.stdout
        other = doctor(tmp_path, free_port())
        assert (other.returncode, other.stdout) == (1, "")
        assert "Another gateway owns" in other.stderr
    alone = doctor(tmp_path, port, "--json")
    assert alone.returncode == 0, alone.stderr
    found = json.loads(alone.stdout)
    assert (found["verdict"], found["checks"][0]["check"]) == ("warning", "gateway")
    assert {one["verdict"] for one in found["checks"][1:]} == {"ok"}


def test_a_ledger_that_does_not_balance_is_exit_code_1(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port):
        pass
    with sqlite3.connect(tmp_path / "data" / "gateway.db") as database:
        database.execute("INSERT INTO ledger_events VALUES (3, 0, 2, 1, 0, 0, 0, 1, 0, 0)")
    database.close()
    found = doctor(tmp_path, port)
    assert found.returncode == 1
    assert "FAILED   ledger" in found.stdout
    assert "instance 3: received 2, accepted 1, routed 1" in found.stdout
    assert "Traceback" not in found.stderr


def test_before_the_first_start_there_is_nothing_to_examine(tmp_path: Path) -> None:
    found = doctor(tmp_path, free_port())
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "data" / "gateway.db").exists()


def test_an_address_where_nobody_answers_is_said(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port):
        pass
    found = doctor(tmp_path, port, "--url", f"http://127.0.0.1:{free_port()}")
    assert (found.returncode, found.stdout) == (1, "")
    assert "No gateway answers" in found.stderr
