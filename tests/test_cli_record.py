"""Recording a real delivery: it is answered as the gateway answers, and no secret of it reaches the file."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.catalogue.connector_file import HEAD, MAPPING, PROOF, SECRET, WEBHOOK
from tests.contracts.shop import BODY, delivery, fixtures, sign
from tests.kit.command import ENVIRONMENT, arguments, gateway

REAL = "the-real-secret-of-a-real-shop"
BOTH = PROOF + '[[webhook.verify]]\nscheme = "token"\ntoken = "header:x-token"\nsecret = "config:secret"\n'
ASANA = """
[[webhook.handshake]]
when = { header = { "x-hook-secret" = "*" } }
save_once = { "secret" = "header:x-hook-secret" }
respond = { status = 200, headers = { "x-hook-secret" = "{header:x-hook-secret}" } }
"""
STAMPED = (
    PROOF.replace("{raw}", "{sig:t}.{raw}") + 'split = ","\nprefix = "v1="\ntimestamp = "sig:t"\ntolerance = "5m"\n'
)


class Answered(NamedTuple):
    status: int
    headers: Message
    body: bytes


class Recording:
    """A command that records, and what it prints."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url

    def send(self, body: str, headers: dict[str, str], path: str = "/in/recording") -> Answered:
        connection = http.client.HTTPConnection(self.url.partition("://")[2].partition("/")[0], timeout=20)
        try:
            connection.request("POST", path, body.encode(), headers)
            response = connection.getresponse()
            return Answered(response.status, response.headers, response.read())
        finally:
            connection.close()

    def end(self) -> tuple[int, str]:
        """Its exit code, and everything more that it has printed."""
        said, errors = self.process.communicate(timeout=30)
        return self.process.returncode, said + errors


@contextmanager
def recording(folder: Path, text: str, *options: str) -> Iterator[Recording]:
    """A command that listens."""
    (folder / "shop.toml").write_text(HEAD + text)
    process = subprocess.Popen(
        arguments("connectors", "test", "shop.toml", "--record", *options),
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"Listening for one delivery of Shop at (http\S+)", line)
        assert found is not None, line + process.communicate()[1]
        while "Ctrl-C ends it." not in process.stdout.readline():
            pass
        yield Recording(process, found[1])
    finally:
        process.kill()
        process.communicate()


def written(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "tests" / "shop.json").read_text())["deliveries"]
    return found


def passes(folder: Path) -> str:
    """What `test` says of every delivery that was recorded."""
    said = gateway("connectors", "test", "shop.toml", cwd=folder).stdout
    return "\n".join(line for line in said.splitlines() if "at least one delivery" not in line)


def test_a_delivery_becomes_a_fixture_that_passes_and_holds_no_secret(tmp_path: Path) -> None:
    spellings = {REAL, base64.b64encode(REAL.encode()).decode(), REAL.encode().hex()}
    body = json.dumps({"type": "order.paid", "echo": REAL, "encoded": [*spellings], "password": "hunter2!"})
    headers = {
        "X-Signature": sign(body, REAL),
        "X-Other-Signature": sign(body, REAL),
        "Cookie": "session=tasty",
        "Authorization": "Bearer sesame",
        "X-Forwarded-For": "198.51.100.7",
        "X-Vendor-Event": "order",
        "Content-Type": "application/json",
    }
    with recording(tmp_path, WEBHOOK, "--set", f"secret={REAL}", "--name", "a paid order") as one:
        query = f"?key={REAL}&access%5Ftoken=openup&sig=c2ln&page=2"
        assert one.send(body, headers, "/in/recording" + query).status == 200
        code, said = one.end()
    text = (tmp_path / "tests" / "shop.json").read_text()
    assert (code, "personal data" in said) == (0, True)
    hidden = [*spellings, sign(body, REAL), "tasty", "sesame", "198.51.100.7", "hunter2", "openup", "c2ln"]
    assert [secret for secret in hidden if secret in text + said] == []
    [told] = written(tmp_path)
    assert told["name"] == "a paid order"
    assert told["request"]["headers"]["x-vendor-event"] == "order"
    assert told["request"]["url"].startswith("https://gateway.example/in/t0ken?key=")
    assert told["request"]["query"].endswith("&access%5Ftoken=masked&sig=masked&page=2")
    assert told["changes"][0]["type"] == "order.paid"
    assert "✓ shop: a paid order: accepted" in passes(tmp_path)


def test_a_refused_request_is_answered_401_told_and_not_kept(tmp_path: Path) -> None:
    with recording(tmp_path, WEBHOOK, "--set", f"secret={REAL}") as one:
        answer = one.send(BODY, {"X-Signature": sign(BODY)})
        assert (answer.status, answer.body) == (401, b"unauthorized")
        assert one.send(BODY, {"X-Signature": f"sha256={sign(BODY, REAL)}"}).status == 401
        assert one.send(BODY, {"X-Signature": sign(BODY, REAL)}).status == 200
        code, said = one.end()
    assert code == 0
    assert "Refused a request: wrong_signature_encoding: " in said
    assert REAL not in said
    assert "Refused a request: signature_mismatch: no signature matches. It is not kept" in said
    assert len(written(tmp_path)) == 1


def test_a_time_that_is_signed_in_one_header_stays_right(tmp_path: Path) -> None:
    stamp = str(int(time.time()))
    made = hmac.new(REAL.encode(), f"{stamp}.{BODY}".encode(), hashlib.sha256).hexdigest()
    with recording(tmp_path, SECRET + MAPPING + STAMPED, "--set", f"secret={REAL}") as one:
        assert one.send(BODY, {"X-Signature": f"t={stamp},v1={made}"}).status == 200
        assert one.end()[0] == 0
    assert made not in (tmp_path / "tests" / "shop.json").read_text()
    assert "✓ shop: recorded: accepted" in passes(tmp_path)


def test_a_token_beside_the_signature_is_replaced_too(tmp_path: Path) -> None:
    with recording(tmp_path, SECRET + MAPPING + BOTH, "--set", f"secret={REAL}") as one:
        assert one.send(BODY, {"X-Signature": sign(BODY, REAL), "X-Token": REAL}).status == 200
        assert one.end()[0] == 0
    assert REAL not in (tmp_path / "tests" / "shop.json").read_text()
    assert "✓ shop: recorded: accepted" in passes(tmp_path)


def test_a_handshake_that_hands_over_the_secret_is_recorded_and_used(tmp_path: Path) -> None:
    with recording(tmp_path, WEBHOOK + ASANA) as one:
        shaken = one.send("{}", {"X-Hook-Secret": REAL})
        assert (shaken.status, shaken.headers["x-hook-secret"]) == (200, REAL)
        assert one.send(BODY, {"X-Signature": sign(BODY, REAL)}).status == 200
        code, said = one.end()
    assert code == 0
    assert "The handshake brought secret" in said
    first, second = written(tmp_path)
    assert (first["expect"], second["expect"]) == ("handshake", "accepted")
    assert first["saves"]["secret"] == first["handshake"]["headers"]["x-hook-secret"] == second["config"]["secret"]
    assert REAL not in (tmp_path / "tests" / "shop.json").read_text() + said
    assert passes(tmp_path).count("✓") == 2


ED25519 = """
[[webhook.verify]]
scheme = "public_key"
algorithm = "ed25519"
signature = "header:x-signature"
encoding = "hex"
signed = "{header:x-key}{raw}"
"""
GIVEN = (
    '[[config]]\nkey = "public"\nname = "Key"\n' + MAPPING + ED25519 + 'key = "{config:public}"\nkey_format = "hex"\n'
)
ASKED = (
    '[methods.key_get]\nrequest = "GET /keys/{id}"\n'
    + MAPPING
    + ED25519
    + ('key_api = "key_get"\nkey_id = "header:x-key"\nkey_field = "key"\nkey_format = "hex"\n')
)


def vendors_key() -> tuple[str, dict[str, str]]:
    """The public key of a vendor, and the headers of a delivery that it signed."""
    key = Ed25519PrivateKey.generate()
    signature = key.sign(b"k1" + BODY.encode()).hex()
    return key.public_key().public_bytes_raw().hex(), {"X-Signature": signature, "X-Key": "k1"}


def test_a_delivery_under_the_vendor_s_own_key_stays_as_it_came(tmp_path: Path) -> None:
    public, headers = vendors_key()
    with recording(tmp_path, GIVEN, "--set", f"public={public}") as one:
        assert one.send(BODY, headers).status == 200
        assert one.end()[0] == 0
    [told] = written(tmp_path)
    assert told["request"]["headers"]["x-signature"] == headers["X-Signature"]
    assert "✓ shop: recorded: accepted" in passes(tmp_path)


def test_a_key_that_a_method_answers_is_asked_for_and_kept(tmp_path: Path) -> None:
    public, headers = vendors_key()
    (tmp_path / "key.json").write_text(json.dumps({"key": public}))
    with recording(tmp_path, ASKED) as one:
        assert one.send(BODY, headers).status == 401
        one.process.send_signal(signal.SIGINT)
        assert "The key is needed: --key 'key_get:k1=@FILE'" in one.end()[1]
    with recording(tmp_path, ASKED, "--key", "key_get:k1=@key.json") as one:
        assert one.send(BODY, headers).status == 200
        assert one.end()[0] == 0
    assert written(tmp_path)[0]["keys"] == {"key_get:k1": (tmp_path / "key.json").read_text()}
    assert "✓ shop: recorded: accepted" in passes(tmp_path)


def test_recording_again_adds_to_the_file_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "shop.json").write_text(json.dumps(fixtures(delivery(name="recorded"))))
    with recording(tmp_path, WEBHOOK, "--set", f"secret={REAL}") as one:
        one.send(BODY, {"X-Signature": sign(BODY, REAL)})
        assert one.end()[0] == 0
    assert [told["name"] for told in written(tmp_path)] == ["recorded", "recorded (2)"]


def test_a_secret_may_come_from_a_file_or_from_stdin(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(REAL + "\n")
    with recording(tmp_path, WEBHOOK, "--set", "secret=@secret") as one:
        assert one.send(BODY, {"X-Signature": sign(BODY, REAL)}).status == 200
    piped = subprocess.run(
        arguments("connectors", "test", "shop.toml", "--record", "--set", "secret=@-", "--timeout", "0.1"),
        cwd=tmp_path, env=ENVIRONMENT, input=REAL + "\n", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "Listening" in piped.stdout
    assert "Nothing was recorded: no delivery came within 0.1 s." in piped.stderr
    assert piped.returncode == 1


def test_a_secret_that_is_missing_is_asked_for_unseen(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(HEAD + WEBHOOK)
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        arguments("connectors", "test", "shop.toml", "--record", "--timeout", "0.1"),
        cwd=tmp_path, env=ENVIRONMENT, stdin=side, stdout=side, stderr=side, start_new_session=True,
    )  # fmt: skip
    os.close(side)
    seen = b""
    while b"Secret (secret): " not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, REAL.encode() + b"\n")
    while b"Nothing was recorded" not in seen:
        seen += os.read(terminal, 1000)
    assert process.wait(30) == 1
    os.close(terminal)
    assert REAL.encode() not in seen


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    with recording(tmp_path, WEBHOOK, "--set", f"secret={REAL}") as one:
        one.process.send_signal(signal.SIGINT)
        code, said = one.end()
    assert code == 1
    assert "Nothing was recorded: it was ended before a delivery came." in said
    assert "Traceback" not in said
    assert not (tmp_path / "tests").exists()


REFUSED = {
    "a folder": ((".",), "--record takes one connector file"),
    "two files": (("shop.toml", "shop.toml"), "--record takes one connector file"),
    "a broken file": (("broken.toml",), "broken.toml:1: format: expected 1, got 2"),
    "no webhook": (("bare.toml",), "has no [webhook], so nothing is delivered"),
    "a key without its place": (("shop.toml", "--set", "secret=some-secret", "--key", "=@x"), "expected WHERE=@FILE"),
    "no value": (("shop.toml", "--set", "secret"), "expected NAME=VALUE"),
    "an unknown entry": (("shop.toml", "--set", "secrte=a"), "no such entry; did you mean 'secret'?"),
    "a file that is not there": (("shop.toml", "--set", "secret=@none"), "none cannot be read"),
    "no secret and nobody to ask": (("shop.toml",), "--set secret=… is missing: Secret (secret)"),
    "a port in use": (
        ("shop.toml", "--set", "secret=some-secret", "--host", "192.0.2.1"),
        "cannot listen at 192.0.2.1:0",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_recorded_is_said_at_once(what: str, tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(HEAD + WEBHOOK)
    (tmp_path / "bare.toml").write_text(HEAD)
    (tmp_path / "broken.toml").write_text("format = 2")
    words, expected = REFUSED[what]
    found = gateway("connectors", "test", *words, "--record", "--timeout", "5", cwd=tmp_path)
    assert found.returncode == 1
    assert expected in found.stderr
    assert "Traceback" not in found.stderr


def test_a_fixture_file_that_is_broken_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "shop.json").write_text("{")
    (tmp_path / "shop.toml").write_text(HEAD + WEBHOOK)
    found = gateway("connectors", "test", "shop.toml", "--record", "--set", "secret=some-secret", cwd=tmp_path)
    assert found.returncode == 1
    assert "tests/shop.json: is no JSON" in found.stderr
    assert (tmp_path / "tests" / "shop.json").read_text() == "{"


def test_a_secret_too_short_to_be_found_again_is_not_recorded(tmp_path: Path) -> None:
    with recording(tmp_path, WEBHOOK, "--set", "secret=abc") as one:
        assert one.send(BODY, {"X-Signature": sign(BODY, "abc")}).status == 200
        code, said = one.end()
    assert code == 1
    assert "secret: a secret of fewer than 6 characters cannot be found and replaced" in said
    assert not (tmp_path / "tests").exists()
