"""The command: what it prints, what it writes, and that nothing an operator does ends in a traceback."""

import json
import os
import pty
import signal
import socket
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.kit.command import ENVIRONMENT, arguments, gateway

PORT_0 = {"GATEWAY_SERVER__PORT": "0"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A gateway that says that it is ready, then is asked to stop."""
    process = subprocess.Popen(arguments("serve"), stdout=subprocess.PIPE, cwd=folder, env=ENVIRONMENT | environ)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def ready(process: "subprocess.Popen[bytes]") -> dict[str, str]:
    assert process.stdout is not None
    line: dict[str, str] = json.loads(process.stdout.readline())
    assert line["event"] == "gateway.ready"
    return line


# Help


@pytest.mark.parametrize("command", ["init", "serve", "check", "migrate", "demo", "auth"])
def test_every_command_explains_itself(command: str) -> None:
    found = run(command, "--help")
    assert found.exit_code == 0
    assert len(found.output.splitlines()) > 4
    assert f"  {command} " in run("--help").output


def test_the_version_is_told() -> None:
    assert run("--version").output.startswith("gateway")


# init, auth


def test_init_writes_a_configuration_for_its_owner_only(folder: Path) -> None:
    found = run("init")
    assert found.exit_code == 0
    assert "Wrote config.toml (mode 0600) with fresh secrets. Start with:" in found.output
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600
    assert run("check").exit_code == 0


def test_init_never_replaces_a_file_unasked(folder: Path) -> None:
    run("init", "own.toml")
    first = (folder / "own.toml").read_text()
    found = run("init", "own.toml")
    assert (found.exit_code, (folder / "own.toml").read_text()) == (1, first)
    assert "own.toml exists" in found.output
    assert "--force" in found.output
    assert run("init", "own.toml", "--force").exit_code == 0
    assert (folder / "own.toml").read_text() != first


def test_init_says_where_it_cannot_write(folder: Path) -> None:
    (folder / "file").touch()
    found = run("init", "file/config.toml")
    assert (found.exit_code, found.exception.__class__) == (1, SystemExit)
    assert "file/config.toml cannot be written" in found.output


def test_auth_prints_the_header_of_the_configuration(folder: Path) -> None:
    (folder / "config.toml").write_text("[bootstrap]\n" + "\n".join(f'{key} = "{key}"' for key in _GIVEN) + _KEYS)
    assert run("auth").output == "User user_secret, Organization organization_secret\n"


_GIVEN = (
    "organization_secret",
    "user_secret",
    "client_id",
    "client_secret",
    "admin_username",
    "admin_password",
)
_KEYS = '\n[security]\nencryption_keys = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]\n'


def test_auth_before_the_first_start_says_that(folder: Path) -> None:
    found = run("auth")
    assert found.exit_code == 1
    assert "made when `gateway serve` starts first" in found.output
    assert list(folder.iterdir()) == []


# check, migrate


def test_check_tells_what_there_is_and_starts_nothing(folder: Path) -> None:
    found = run("check")
    assert found.exit_code == 0
    assert "Configuration: good. Public URL: http://127.0.0.1:8080" in found.output
    assert "github" in found.output
    assert "data/gateway.db is not there yet" in found.output
    assert list(folder.iterdir()) == []


def test_migrate_plans_then_applies_then_has_nothing_to_do(folder: Path) -> None:
    assert "0001 initial" in run("migrate", "--plan").output
    assert "migrations are waiting" in run("check").output
    assert "Applied." in run("migrate").output
    assert run("migrate").output == "Nothing to apply.\n"
    assert "Database (sqlite): reachable, up to date." in run("check").output
    assert folder.joinpath("data", "gateway.db").exists()


BROKEN = [
    ("check", {"GATEWAY_SERVER__PRT": "1"}, "did you mean GATEWAY_SERVER__PORT?"),
    ("check", {"GATEWAY_SERVER__PUBLIC_URL": "hooks"}, "must be an address such as https://"),
    ("check", {"GATEWAY_EGRESS__ALLOW_NETWORKS": '["10.0.0.1/8"]'}, "is not a network such as 10.0.0.0/8"),
    ("check", {"GATEWAY_CATALOGUE__PATHS": '["nowhere"]'}, "nowhere: expected a folder of connector files"),
    ("check", {"GATEWAY_SECURITY__ENCRYPTION_KEYS": '["short"]'}, "each key is 32 bytes in base64url"),
    ("check", {"GATEWAY_STORAGE__URL": "postgresql://nobody@127.0.0.1:1/x"}, "PostgreSQL cannot be reached"),
    ("migrate", {"GATEWAY_STORAGE__URL": "postgresql://nobody@127.0.0.1:1/x"}, "PostgreSQL cannot be reached"),
    ("migrate", {"GATEWAY_STORAGE__DATA_DIR": "config.toml/data"}, "set storage.data_dir"),
]


@pytest.mark.parametrize(("command", "environ", "problem"), BROKEN)
def test_what_is_broken_is_named_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, environ: dict[str, str], problem: str
) -> None:
    (folder / "config.toml").touch()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = run(command)
    assert (found.exit_code, found.exception.__class__) == (1, SystemExit)
    assert problem in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("content", "problem"), [("a = [", "is not valid TOML"), ("[server]\nprot = 1", "did you mean server.port?")]
)
def test_a_broken_file_is_named(folder: Path, content: str, problem: str) -> None:
    (folder / "own.toml").write_text(content)
    found = run("serve", "--config", "own.toml")
    assert (found.exit_code, problem in found.output) == (1, True)
    assert found.output.startswith("Error: own.toml")


# serve


def test_serve_listens_where_it_says_tells_no_secret_and_stops_when_asked(folder: Path) -> None:
    with serving(folder, **PORT_0) as process:
        told = ready(process)
        assert told["public_url"] == told["address"] != "http://127.0.0.1:0"
        assert told["credentials_file"] == "data/secrets.toml"
        header = run("auth").output.strip()
        assert header.removeprefix("User ").split(",")[0] not in json.dumps(told)
        request = urllib.request.Request(told["address"] + "/elements", headers={"Authorization": header})
        with urllib.request.urlopen(request, timeout=10) as answered:
            assert {one["key"] for one in json.loads(answered.read())} >= {"github", "closeio", "generic"}
    assert process.returncode == 0


def test_serve_is_refused_while_another_owns_the_file_or_the_port(folder: Path) -> None:
    with serving(folder, **PORT_0) as process:
        port = ready(process)["address"].rsplit(":", 1)[1]
        second = gateway("serve", cwd=folder, **PORT_0)
        other = gateway("serve", cwd=folder, GATEWAY_STORAGE__DATA_DIR="other", GATEWAY_SERVER__PORT=port)
    assert (second.returncode, second.stdout) == (1, "")
    assert "Another gateway owns" in second.stderr
    assert (other.returncode, other.stdout) == (1, "")
    assert f"127.0.0.1:{port} cannot be listened on" in other.stderr
    assert "Traceback" not in second.stderr + other.stderr


def test_serve_with_another_sealing_key_is_refused(folder: Path) -> None:
    with serving(folder, **PORT_0) as process:
        ready(process)
    found = gateway("serve", cwd=folder, GATEWAY_SECURITY__ENCRYPTION_KEYS=json.dumps(["B" * 42 + "A="]), **PORT_0)
    assert found.returncode == 1
    assert found.stderr.startswith("Error: security.encryption_keys lacks the key")


def test_serve_on_a_terminal_greets_with_the_first_curl_and_no_secret(folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(arguments("serve"), stdout=theirs, cwd=folder, env=ENVIRONMENT | PORT_0)
    os.close(theirs)
    shown = b""
    try:
        while b"Ctrl-C ends it." not in shown:
            shown += os.read(ours, 4096)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        os.close(ours)
    assert b'/elements -H "Authorization: $(' in shown
    assert b"data/secrets.toml (mode 0600)" in shown
    assert b"/console; sign in as admin." in shown
    assert run("auth").output.split()[1].rstrip(",").encode() not in shown


def test_a_free_port_is_held_from_the_start(folder: Path) -> None:
    with serving(folder, GATEWAY_SERVER__HOST="::1", **PORT_0) as process:
        told = ready(process)
        assert told["public_url"].startswith("http://[::1]:")
        with socket.create_connection(("::1", int(told["public_url"].rsplit(":", 1)[1])), timeout=5):
            pass
