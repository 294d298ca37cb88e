"""The demo: the road as it is told on the terminal, and the commands that it gives to people."""

import base64
import hashlib
import hmac
import os
import pty
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from gateway.demo import vendor
from gateway.demo.consumer import nulls_in, verify_elements, verify_standard
from tests.kit import signed
from tests.kit.command import ENVIRONMENT, arguments, gateway

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
WORDS = ("received", "verified", "filtered", "delivered", "acknowledged")


def test_the_demo_tells_each_event_s_way_and_ends_well(tmp_path: Path) -> None:
    done = gateway("demo", "--once", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    story = done.stdout.split("\n\n")
    first = next(part for part in story if part.startswith("1. "))
    assert re.findall(r"^  (\w+) ", first, re.M) == list(WORDS)
    assert "8 taken out: issue.body, issue.assignee" in first
    assert "webhook-signature right, Elements-Webhook-Signature right, no null member" in first
    assert any("duplicate  " in part for part in story if part.startswith("3. "))
    assert any("refused  " in part and "401" in part for part in story if part.startswith("4. "))
    assert any("answered 500" in part and "attempt 2" in part for part in story if part.startswith("5. "))
    assert any("nothing to take out" in part for part in story if part.startswith("6. "))
    total = len(vendor.steps())
    assert f"{total} of {total} webhooks ended as they had to." in done.stdout
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_the_commands_that_are_shown_work_as_they_are(tmp_path: Path) -> None:
    process = subprocess.Popen(arguments("demo"), stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT)
    assert process.stdout is not None
    try:
        shown = _until(process, "Ctrl-C ends it.")
        script = shown[shown.index("\n# First") : shown.index("\nThe gateway keeps running")]
        done = subprocess.run(["sh", "-e", "-c", script], capture_output=True, text=True, check=True, timeout=60)
        live = _until(process, "acknowledged")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert done.stdout.startswith("HTTP/1.1 200")
    assert '"signingSecret":"whsec_' in done.stdout
    assert "gateway_ledger" in done.stdout
    assert "issues.opened for instance 1" in live
    assert "2 taken out: issue.body, issue.assignee" in live
    assert process.returncode == 0


def _until(process: "subprocess.Popen[str]", word: str) -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if word in line:
            break
    return text


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    process = subprocess.Popen(arguments("demo"), stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT)
    try:
        port = _until(process, "the gateway    http").strip().rsplit(":", 1)[1]
        second = gateway("demo", "--once", "--port", port, cwd=tmp_path)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert second.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_that_want_them(tmp_path: Path, environ: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    plain = {name: value for name, value in ENVIRONMENT.items() if name != "NO_COLOR"}
    process = subprocess.Popen(arguments("demo", "--once"), stdout=theirs, cwd=tmp_path, env=plain | environ)
    os.close(theirs)
    shown = b""
    while b"acknowledged" not in shown:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    os.close(ours)
    assert (b"\x1b[" in shown) is coloured


# The consumer is an honest one


def test_the_consumer_verifies_as_the_standard_does() -> None:
    headers = signed.standard(SECRET, b"body")
    assert Webhook(SECRET).verify(b'{"a":1}', signed.standard(SECRET, b'{"a":1}'))
    assert verify_standard(SECRET, headers, b"body")
    assert verify_standard(SECRET, headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}, b"body")


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-id": "another"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "now"},
    ],
)
def test_the_consumer_refuses_what_is_not_signed_so(wrong: dict[str, str]) -> None:
    headers = signed.standard(SECRET, b"body")
    assert not verify_standard(SECRET, headers | wrong, b"body")
    assert not verify_standard(SECRET, headers, b"other body")


def test_the_consumer_verifies_the_elements_signature() -> None:
    digest = base64.b64encode(hmac.new(b"key", b"body", hashlib.sha256).digest()).decode()
    assert verify_elements("key", {"elements-webhook-signature": f"sha256={digest}"}, b"body")
    assert not verify_elements("key", {"elements-webhook-signature": f"sha256={digest}"}, b"other")
    assert not verify_elements("key", {}, b"body")


def test_the_consumer_looks_for_nulls_at_every_depth_but_in_lists() -> None:
    assert nulls_in({"a": None, "b": [None, {"c": None}], "d": {"e": None}, "f": ""}, "raw") == [
        "raw.a",
        "raw.b[1].c",
        "raw.d.e",
    ]
