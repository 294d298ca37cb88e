"""Answers to probes, and to deliveries."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.inbound.handshake import Reply, acknowledgement, handshake
from gateway.proofs.received import Received
from tests.catalogue.connector_file import WEBHOOK, connector_of

REQUEST = Received(
    method="POST", url="https://g.example/in/t?x=1", query="x=1", headers={}, body=b"{}", remote="192.0.2.1"
)
CONFIG = ConfigView({"secret": "s"})


def _connector(folder: Path, text: str) -> Connector:
    return connector_of(folder, WEBHOOK + "[[webhook.handshake]]\n" + text)


def _reply(
    connector: Connector, request: Received, *, verified: bool = False, config: ConfigView = CONFIG
) -> Reply | None:
    return handshake(connector, config, request, verified=verified)


ECHO = """when = { body = { type = "url_verification" } }
respond = { content_type = "text/plain", body = "{body:challenge}" }
"""


def test_a_challenge_in_the_body_is_echoed(tmp_path: Path) -> None:
    request = replace(REQUEST, body=b'{"type":"url_verification","challenge":"abc<script>"}')
    reply = _reply(_connector(tmp_path, ECHO), request)
    assert reply == Reply(200, (("content-type", "text/plain"), ("x-content-type-options", "nosniff")), b"abc<script>")


def test_another_request_is_no_handshake(tmp_path: Path) -> None:
    connector = _connector(tmp_path, ECHO)
    for body in (b'{"type":"event"}', b"{}", b"not json", b"", b"[]"):
        assert _reply(connector, replace(REQUEST, body=body)) is None
    assert _reply(connector_of(tmp_path, ""), REQUEST) is None


def test_a_handshake_is_answered_on_its_own_side_of_verification(tmp_path: Path) -> None:
    request = replace(REQUEST, body=b'{"type":"url_verification","challenge":"abc"}')
    proved = _connector(tmp_path, "verify = true\n" + ECHO)
    assert _reply(proved, request) is None
    assert _reply(proved, request, verified=True) is not None
    assert _reply(_connector(tmp_path, ECHO), request, verified=True) is None


def test_a_handshake_is_told_by_method_header_and_query(tmp_path: Path) -> None:
    text = """when = { method = ["GET", "HEAD"], header = { "x-probe" = "*" }, query = { mode = ["a", "b"] } }
respond = { status = 204 }
"""
    connector = _connector(tmp_path, text)
    request = replace(REQUEST, method="GET", headers={"x-probe": ""}, query="mode=b")
    assert _reply(connector, request) == Reply(204, (), b"")
    others = (
        replace(request, method="POST"),
        replace(request, headers={}),
        replace(request, query="mode=c"),
        replace(request, query=""),
    )
    assert [_reply(connector, other) for other in others] == [None] * 4


CHECKED = """when = { query = { "hub.mode" = "subscribe" } }
check = { "query:hub.verify_token" = "{config:secret}" }
respond = { body = "{query:hub.challenge}" }
"""


@pytest.mark.parametrize(
    ("query", "secret", "status", "body"),
    [
        ("hub.mode=subscribe&hub.verify_token=s&hub.challenge=42", "s", 200, b"42"),
        ("hub.mode=subscribe&hub.verify_token=t&hub.challenge=42", "s", 403, b'{"status":"refused"}'),
        ("hub.mode=subscribe&hub.challenge=42", "s", 403, b'{"status":"refused"}'),
        ("hub.mode=subscribe&hub.verify_token=&hub.challenge=42", "", 403, b'{"status":"refused"}'),
    ],
)
def test_a_token_of_a_handshake_must_be_the_configured_one(
    query: str, secret: str, status: int, body: bytes, tmp_path: Path
) -> None:
    reply = _reply(_connector(tmp_path, CHECKED), replace(REQUEST, query=query), config=ConfigView({"secret": secret}))
    assert reply is not None
    assert (reply.status, reply.body) == (status, body)


def test_a_keyed_hash_is_computed(tmp_path: Path) -> None:
    text = """when = { query = { crc_token = "*" } }
compute = { hmac = "sha256", secret = "config:secret", input = "{query:crc_token}", encoding = "base64" }
respond = { json = { response_token = "sha256={computed}" } }
"""
    connector = _connector(tmp_path, text)
    reply = _reply(connector, replace(REQUEST, query="crc_token=abc"))
    expected = base64.b64encode(hmac.new(b"s", b"abc", "sha256").digest()).decode()
    assert reply is not None
    assert reply.body == f'{{"response_token":"sha256={expected}"}}'.encode()
    empty = _reply(connector, replace(REQUEST, query="crc_token=abc"), config=ConfigView({}))
    assert empty is not None
    assert empty.status == 403


def test_a_hash_of_parts_is_computed(tmp_path: Path) -> None:
    text = """when = { query = { challenge_code = "*" } }
compute = { hash = "sha256", secret = "config:secret", input = "{query:challenge_code}{secret}{url_base}" }
respond = { json = { challengeResponse = "{computed}" } }
"""
    reply = _reply(_connector(tmp_path, text), replace(REQUEST, query="challenge_code=c"))
    assert reply is not None
    expected = hashlib.sha256(b"cshttps://g.example/in/t").hexdigest()
    assert reply.body == f'{{"challengeResponse":"{expected}"}}'.encode()


def test_headers_are_echoed_without_line_breaks(tmp_path: Path) -> None:
    text = 'when = { header = { x-hook = "*" } }\nrespond = { headers = { X-Hook = "{header:x-hook}" } }\n'
    reply = _reply(_connector(tmp_path, text), replace(REQUEST, headers={"x-hook": "a\r\nSet-Cookie: b\x00é"}))
    assert reply is not None
    assert reply.headers == (("X-Hook", "aSet-Cookie: b"),)


SAVED = """when = { header = { x-hook-secret = "*" } }
save_once = { secret = "header:x-hook-secret" }
respond = { status = 200, headers = { X-Hook-Secret = "{header:x-hook-secret}" } }
"""


def test_what_has_to_be_saved_comes_with_the_answer(tmp_path: Path) -> None:
    connector = _connector(tmp_path, SAVED)
    reply = _reply(connector, replace(REQUEST, headers={"x-hook-secret": "s" * 1024}))
    assert reply is not None
    assert (reply.status, reply.saves, reply.acts) == (200, (("secret", "s" * 1024),), True)
    assert reply.headers == (("X-Hook-Secret", "s" * 1024),)


@pytest.mark.parametrize("value", ["", "s" * 1025, "a\x00b", "a\udce9", "a\nb"])
def test_a_value_that_is_no_secret_is_refused(value: str, tmp_path: Path) -> None:
    reply = _reply(_connector(tmp_path, SAVED), replace(REQUEST, headers={"x-hook-secret": value}))
    assert reply is not None
    assert (reply.status, reply.saves) == (403, ())


CONFIRMED = """when = { body = { Type = "SubscriptionConfirmation" } }
confirm_url = "body:SubscribeURL"
confirm_hosts = ["sns.*.example.com"]
respond = { status = 200 }
"""


@pytest.mark.parametrize(
    ("url", "confirmed"),
    [
        ("https://sns.eu.example.com/?Action=Confirm&Token=x", True),
        ("https://SNS.eu.example.com:443/", True),
        ("http://sns.eu.example.com/", False),
        ("https://sns.a.b.example.com/", False),
        ("https://sns.example.com/", False),
        ("https://sns.eu.example.com.evil.test/", False),
        ("https://sns.eu.example.com@evil.test/", False),
        ("https://evil.test/#sns.eu.example.com", False),
        ("https://sns.eu.example.com:8443/", False),
        ("https://127.0.0.1/", False),
        ("//sns.eu.example.com/", False),
        ("", False),
    ],
)
def test_only_an_address_on_the_vendors_hosts_is_confirmed(url: str, confirmed: bool, tmp_path: Path) -> None:
    body = json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()
    reply = _reply(_connector(tmp_path, CONFIRMED), replace(REQUEST, body=body))
    assert reply is not None
    assert (reply.status, reply.confirm) == ((200, url) if confirmed else (403, None))


def test_acceptance_is_acknowledged_as_the_vendor_wants(tmp_path: Path) -> None:
    github = load_catalogue([]).get("github")
    assert github is not None
    assert acknowledgement(github, CONFIG, REQUEST).body == b'{"status":"accepted"}'
    wanted = connector_of(
        tmp_path, WEBHOOK.replace("[[webhook.verify", 'ack = { status = 202, body = "[accepted]" }\n[[webhook.verify')
    )
    reply = acknowledgement(wanted, CONFIG, REQUEST)
    assert (reply.status, reply.body) == (202, b"[accepted]")


ANSWER = """when = { method = "POST" }
respond = { json = { a = "{body:a}", b = "{header:h}" }, headers = { X-A = "{body:a}" } }
"""


@given(body=st.binary(), header=st.text())
def test_nothing_that_comes_makes_an_answer_fail(
    body: bytes, header: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connector = _connector(tmp_path_factory.mktemp("h"), ANSWER)
    for raw in (body, b'{"a":' + body + b"}", b'{"a":' + b"[" * 400 + b"]" * 400 + b"}", b'{"a":"\\ud800"}'):
        reply = _reply(connector, replace(REQUEST, body=raw, headers={"h": header}))
        assert isinstance(reply, Reply)
        assert all("\n" not in value for _, value in reply.headers)
