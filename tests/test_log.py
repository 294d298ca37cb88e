"""The log: one line an act, JSON unless somebody looks, and no secret in it."""

import json
import subprocess
import sys
from collections.abc import MutableMapping
from typing import Any

import pytest

from gateway import log


def line(level: str = "info", **facts: Any) -> dict[str, Any]:
    event: MutableMapping[str, Any] = {"event": "thing.done", **facts}
    loaded: dict[str, Any] = json.loads(log.as_json(None, level, event))
    return loaded


def printed(program: str, *, settings: str = "Log()") -> list[str]:
    """What a process of its own prints, so that nobody else's log is set up anew."""
    head = "import logging, structlog\nfrom gateway import log\nfrom gateway.config import Log\n"
    program = f"{head}log.configure({settings})\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_line_has_its_facts_its_level_and_its_time() -> None:
    found = line("warn", instance_id=7)
    assert found.pop("timestamp").endswith("Z")
    assert found == {"event": "thing.done", "instance_id": 7, "level": "warning"}


@pytest.mark.parametrize(
    "name", ["token", "client_secret", "Authorization", "admin_password", "signature_key", "api_key", "event.api.key"]
)
def test_secrets_are_taken_out(name: str) -> None:
    assert line(**{name: "hush"})[name] == "********"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("half \ud800 pair", "half \ud800 pair"), (2**70, 2**70), ({1: 2}, {"1": 2}), (ValueError("no"), "no")],
)
def test_whatever_stands_in_a_line_it_is_written(value: object, shown: object) -> None:
    assert line(found=value)["found"] == shown


def test_a_fault_has_its_traceback_in_the_same_line() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError:
        found = line("exception", exc_info=True)
    assert found["level"] == "error"
    assert "ValueError: no such thing" in found["exception"]


def test_every_line_is_one_json_document_and_the_level_is_kept() -> None:
    program = "log = structlog.get_logger()\nlog.info('a.b', text='two\\nlines')\nlog.debug('c.d')\nlog.error('e.f')"
    assert [json.loads(one)["event"] for one in printed(program)] == ["a.b", "e.f"]
    assert [json.loads(one)["event"] for one in printed(program, settings="Log(level='error')")] == ["e.f"]


def test_lines_of_libraries_take_the_same_way() -> None:
    program = "logging.getLogger('asyncio').warning('slow')\nlogging.getLogger('asyncio').info('nothing')"
    [found] = map(json.loads, printed(program))
    assert (found["library"], found["event"], found["level"]) == ("asyncio", "slow", "warning")


def test_for_people_there_is_no_json_and_without_a_terminal_no_colour() -> None:
    [found] = printed("structlog.get_logger().info('a.b', token='hush')", settings="Log(format='console')")
    assert "a.b" in found
    assert "token=********" in found
    assert "\x1b" not in found


def test_lines_can_go_to_a_file_instead() -> None:
    program = "import io\nout = io.BytesIO()\nlog.configure(Log(format='console'), out)\n"
    assert printed(program + "structlog.get_logger().info('a.b')\nprint(out.getvalue()[:1])") == ["b'{'"]
