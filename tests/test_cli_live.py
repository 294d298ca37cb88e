"""The commands that follow: what they print, what they forward, and how they end."""

import json
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import IO, Any

import pytest
from click.testing import CliRunner
from standardwebhooks.webhooks import Webhook

from gateway.cli import main
from tests.kit.command import ENVIRONMENT, arguments, gateway

OPEN = {"GATEWAY_SERVER__PORT": "0", "GATEWAY_SERVER__SHUTDOWN_GRACE": "1s"}


class Lines:
    """What a process says on one of its outputs, line by line, for as long as it runs."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._queue: Queue[str] = Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            self._queue.put(line.rstrip("\n"))

    def next(self) -> str:
        return self._queue.get(timeout=30)

    def close(self) -> None:
        self._thread.join()
        self._stream.close()


class Served:
    """A gateway in a process of its own, in a folder that its commands stand in too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            arguments("serve"), stdout=subprocess.PIPE, cwd=folder, env=ENVIRONMENT | OPEN, text=True
        )
        self._log = Lines(self._process.stdout)
        self.url = str(json.loads(self._log.next())["address"])
        self._auth = gateway("auth", cwd=folder).stdout.strip()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)
        self._log.close()

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return gateway(*words, "--url", self.url, cwd=self.folder)

    def create(self) -> dict[str, Any]:
        configuration = {"event.notification.enabled": True}
        body = {"element": {"key": "generic"}, "name": "one", "configuration": configuration}
        request = urllib.request.Request(
            f"{self.url}/instances",
            data=json.dumps(body).encode(),
            headers={"Authorization": self._auth, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            made: dict[str, Any] = json.load(answer)
        return made

    @contextmanager
    def running(self, *words: str) -> Iterator["Running"]:
        running = Running(arguments(*words, "--url", self.url), self.folder)
        try:
            assert running.err.next().endswith("Ctrl-C ends it.")
            yield running
        finally:
            running.process.kill()
            running.process.wait()
            running.out.close()
            running.err.close()


class Running:
    """A command that runs until it is stopped."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=ENVIRONMENT, text=True
        )
        self.out, self.err = Lines(self.process.stdout), Lines(self.process.stderr)

    def interrupted(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path)
    try:
        yield found
    finally:
        found.stop()


class Hook(HTTPServer):
    """A developer's program; it answers with the statuses that it is given, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ANSWER)
        self.got: Queue[tuple[dict[str, str], bytes]] = Queue()
        self.statuses: list[int] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}/hook"


def _post(handler: Any) -> None:
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    handler.server.got.put((dict(handler.headers.items()), body))
    handler.send_response(handler.server.statuses.pop(0) if handler.server.statuses else 204)
    handler.end_headers()


#: Its names are the library's, which calls them.
_ANSWER = type("_Answer", (BaseHTTPRequestHandler,), {"do_POST": _post, "log_message": lambda *_: None})


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()
    yield found
    found.shutdown()
    found.server_close()


def sent(served: Served, instance_id: int) -> str:
    """A test delivery; the id of its event."""
    found = served.command("send", "--instance", str(instance_id), "--json")
    assert found.returncode == 0, found.stderr
    [event_id] = json.loads(found.stdout)["event_ids"]
    return str(event_id)


def test_tail_shows_an_event_as_it_comes_for_people_and_for_programs(served: Served) -> None:
    made = served.create()
    with served.running("tail") as people, served.running("tail", "--json", "--instance", str(made["id"])) as programs:
        event_id = sent(served, made["id"])
        told = json.loads(programs.out.next())
        assert (told["id"], told["instance_id"], told["connector"]) == (event_id, made["id"], "generic")
        line = people.out.next()
        assert f"  {event_id}  generic#{made['id']}  " in line
        assert people.interrupted() == 130
        assert programs.interrupted() == 130


def test_tail_shows_what_came_after_an_event(served: Served) -> None:
    made = served.create()
    first, second = (sent(served, made["id"]) for _ in range(2))
    with served.running("tail", "--json", "--after", first) as programs:
        # The seconds before are shown too: nobody knows any more in which order these became durable.
        found = {json.loads(programs.out.next())["id"] for _ in range(2)}
    assert found == {first, second}


def test_listen_forwards_the_body_with_its_signatures_and_goes_on_after_a_failure(served: Served, hook: Hook) -> None:
    made = served.create()
    hook.statuses = [500]
    with served.running("listen", "--forward", hook.url, "--instance", str(made["id"])) as listening:
        ids = [sent(served, made["id"]) for _ in range(2)]
        for event_id, status in zip(ids, ("500", "204"), strict=True):
            headers, body = hook.got.get(timeout=20)
            assert Webhook(made["signingSecret"]).verify(body, {name.lower(): one for name, one in headers.items()})
            assert json.loads(body)["message"]["eventId"] == event_id
            line = listening.out.next()
            assert line.startswith(f"{status}  ")
            assert line.endswith(event_id)
        hook.shutdown()
        hook.server_close()
        event_id = sent(served, made["id"])
        line = listening.out.next()
        assert line.startswith("failed  ")
        assert "connection refused" in line
        assert line.endswith(event_id)
        assert listening.interrupted() == 130


def test_send_lists_what_it_can_send_and_sends_one_by_its_name(served: Served) -> None:
    made = served.create()
    listed = served.command("send", "--instance", str(made["id"]), "--list", "--json")
    names = [one["name"] for one in json.loads(listed.stdout) if one["sendable"]]
    assert names
    assert names[0] in served.command("send", "--instance", str(made["id"]), "--list").stdout
    found = served.command("send", "--instance", str(made["id"]), "--fixture", names[0])
    assert found.returncode == 0
    assert found.stdout.startswith(f"{names[0]}: accepted (status 200)\n  event ")
    unknown = served.command("send", "--instance", str(made["id"]), "--fixture", "no such")
    assert unknown.returncode == 1
    assert "no recorded delivery named 'no such'" in unknown.stderr


def test_a_gateway_that_does_not_run_is_one_line(tmp_path: Path) -> None:
    assert gateway("init", cwd=tmp_path).returncode == 0
    for words in (["tail"], ["listen", "--forward", "http://localhost:9/"], ["send", "--instance", "1"]):
        found = gateway(*words, "--url", "http://127.0.0.1:9", cwd=tmp_path)
        assert found.returncode == 1
        assert found.stderr.startswith("Error: No gateway answers at http://127.0.0.1:9 (")
        assert len(found.stderr.splitlines()) == 1


@pytest.mark.parametrize("forward", ["localhost:3000/hook", "ftp://localhost/", "http://"])
def test_an_address_that_nothing_can_be_forwarded_to_is_refused_at_once(forward: str) -> None:
    found = CliRunner().invoke(main, ["listen", "--forward", forward])
    assert found.exit_code == 2
    assert "--forward" in found.output


@pytest.mark.parametrize("command", ["tail", "listen", "send"])
def test_each_command_explains_itself(command: str) -> None:
    found = CliRunner().invoke(main, [command, "--help"])
    assert found.exit_code == 0
    assert f"  {command} " in CliRunner().invoke(main, ["--help"]).output
