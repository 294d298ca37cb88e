"""Whatever is asked or sent, at every address of the console: an answer that says so, and no failure of the gateway."""

import asyncio
import gzip
import re
from collections.abc import Sequence
from html import unescape
from itertools import product
from random import Random
from urllib.parse import urlencode, urlsplit

import pytest

from tests.console.person import Person, add_user, signed_in
from tests.console.scene import routes, scene
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

#: Values that no field expects: ends of ranges, other digits, marks of templates and of markup, what is no text.
ODD = (
    *("", "\x00", "a\x00b", "-1", "0", "²", "１２", "9" * 15, "9" * 18, "9" * 400, "1e400", "nan", "true", "null"),
    *("[]", "{}", "{0.x}", "{config:x}", "{body:a.b}", "%s%n%00", "..", "../../etc", "//evil.example", "="),
    *("javascript:alert(1)", "http://[", "http://\u2100.example:99999/", "0001-01-01", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31", "9999-12-31T23:59:59-23:59", "1970-01-01T00:00", "2026-02-30", "\r\nSet-Cookie: x=y"),
    *("<script>alert(1)</script>", "\"'><b>", "\u202e\u2066", "\U0010ffff", "\ufffe\uffff", "a" * 3000, "ü" * 300),
    *("0" * 32, "f" * 64, "999999999999999x" + "f" * 32, "eyJhIjoxfQ", "\ud800".encode("utf-8", "surrogatepass").hex()),
)
#: What is tried with all fields at once; of the others a few are drawn for each.
_ALL_AT_ONCE = ("\x00", "9" * 18, "²", "9999-12-31T23:59:59-23:59", "\"'><b>")
_DRAWS = 3
#: Names that handlers read and no form shows.
_UNSHOWN = (
    *("account", "account_id", "act", "after", "again", "again_fields", "again_path", "all", "at", "backfill"),
    *("basic.kept", "before", "can", "code", "connector", "copy", "destination_id", "down", "enabled", "error"),
    *("error_description", "event", "event_id", "everything", "first", "hub", "id", "instance", "instance_id"),
    *("letter", "looked", "made", "new", "next", "object_id", "object_type", "of", "old", "overlap", "page"),
    *("popup", "q", "range", "rate", "reason", "role", "sample", "search", "seen", "since", "size", "sort"),
    *("standing", "state", "status", "subject", "subject_id", "timezone", "type", "until", "vendor_event_id"),
    *("version", "way", "within"),
)
_NAME = re.compile(r'<(?:input|select|textarea)[^>]*\sname="([^"]+)"')
#: They end the session.
_LEAVING = ("/console/sign-out", "/console/settings/account/password")
_RUN = re.compile(r"""<script>alert|['"]><b>|(?:href|src|action)="?javascript:""", re.I)


async def wrong(person: Person, method: str, path: str, fields: Sequence[tuple[str, str]]) -> str | None:
    """What an answer has that none may have."""
    given = [one for one in fields if one[0] != "csrf"]
    if method == "GET":
        page = await person.get(f"{path}?{urlencode(given)}", allow_redirects=False)
    else:
        page = await person.post(path, given, allow_redirects=False)
    if page.status in (500, 501, 504):
        return str(page.status)
    if "Set-Cookie: x" in str(page.headers) or page.headers.get("Location", "/").startswith("//"):
        return "a header"
    is_page = page.headers.get("Content-Type", "").startswith("text/html")
    return "markup" if is_page and _RUN.search(page.text) else None


def tries(page: str, draw: Random) -> list[list[tuple[str, str]]]:
    """Fields with odd values: with one value everywhere, and with some of each."""
    names = sorted({unescape(one) for one in _NAME.findall(page)} | set(_UNSHOWN))
    at_once = [[(name, value) for name in names] for value in _ALL_AT_ONCE]
    drawn = [[(name, draw.choice(ODD)) for name in names if draw.random() < 0.4] for _ in range(_DRAWS)]
    return [*at_once, *drawn, [(name, value) for name in names for value in ("a", "a")]]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_that_is_sent_breaks_a_page(gateway: Gateway, receiver: Consumer, method: str) -> None:
    there, draw, found = await scene(gateway, receiver), Random(8), []
    async with signed_in(gateway) as person:
        for pattern in routes(method):
            if pattern in _LEAVING or pattern.endswith("/live"):
                continue
            path = there.place(pattern)
            shown = await person.get(path, allow_redirects=False)
            for fields in tries(shown.text, draw):
                if (what := await wrong(person, method, path, fields)) is not None:
                    found.append((pattern, what, fields))
        assert (await person.get("/console/settings/audit")).status == 200, "the session has ended"
    assert found == []


async def test_ids_that_are_none_name_nothing(gateway: Gateway) -> None:
    found = []
    async with signed_in(gateway) as person:
        for method, ask in (("GET", person.get), ("POST", person.post)):
            for pattern in routes(method):
                for value in ("%00", "%C2%B2", "9" * 15, "9" * 40, "%ED%A0%80", "0" * 32, "..%2f", "%22%3E%3Cb%3E"):
                    path = re.sub(r"{\w+[^}]*}", value, pattern)
                    if path == pattern or pattern == "/console/{rest}":
                        continue
                    page = await ask(path, allow_redirects=False)
                    if page.status not in (404, 405) or _RUN.search(page.text):
                        found.append((method, path, page.status))
    assert found == []


FORM = b"application/x-www-form-urlencoded"


_NO_FORMS = [
    (
        FORM + b"; charset=unicode_escape",
        b"",
        b"username=\\ud800&password=\\ud800&again_path=x&again_fields=\\ud800",
    ),
    (FORM + b"; charset=utf-7", b"", b"username=%2B2AA-&password=%2B2AA-"),
    (FORM + b"; charset=nosuch", b"", b"username=a&password=b"),
    (FORM, b"", b"username=%ed%a0%80%ff%00&password=%00%ff"),
    (FORM, b"", b"a=&" * 100_000),
    (FORM, b"", b"again_path=/console/x&again_fields=" + b"a%3Db%26" * 100_000),
    (FORM, b"", b"a=" + b"x" * 1_100_000),
    (FORM, b"gzip", b"garbage"),
    (FORM, b"gzip", gzip.compress(b"a=" + bytes(50_000_000))),
    (b"multipart/form-data", b"", b""),
    (b"multipart/form-data; boundary=x", b"", b"--x\r\nBAD\r\n\r\nb\r\n--x--\r\n"),
    (
        b"multipart/form-data; boundary=x",
        b"",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: odd\r\n\r\nb\r\n--x--\r\n',
    ),
    (b"application/json", b"", b'{"username": "a"}'),
]


async def test_what_is_no_form_is_refused(sqlite_gateway: Gateway) -> None:
    paths = (b"/console/sign-in", b"/console/settings/account", b"/console/theme")
    for (kind, encoding, body), path in product(_NO_FORMS, paths):
        head = [b"POST " + path + b" HTTP/1.1", b"Host: x", b"Content-Type: " + kind, b"Connection: close"]
        head += [b"Content-Length: %d" % len(body), *([b"Content-Encoding: " + encoding] if encoding else [])]
        status = await answered(sqlite_gateway, b"\r\n".join(head) + b"\r\n\r\n" + body)
        assert 300 <= status < 500, (path, kind, encoding, body[:80])


async def test_an_origin_that_is_none_is_a_foreign_one(sqlite_gateway: Gateway) -> None:
    await add_user(sqlite_gateway, "ada", "power_user")
    for origin in ("http://[", "null", "", "http://", "x", "http://evil.example@127.0.0.1"):
        page = await sqlite_gateway.call(
            "POST", "/console/sign-in", data={"username": "ada"}, headers={"Origin": origin}, allow_redirects=False
        )
        assert page.status == 403, origin


async def test_bytes_that_are_no_text_break_nothing(sqlite_gateway: Gateway) -> None:
    headers = (b"X-CSRF-Token: \xff", b"Cookie: gateway-notice=zz", b"Cookie: gateway-notice=35")
    targets = (b"/console/sign-in?next=\xff", b"/console/events?type=\xff\xed\xa0\x80", b"/\xff")
    for header, target in product(headers, targets):
        asked = b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n\r\n"
        assert await answered(sqlite_gateway, asked) < 500, (header, target)


_NOTICES = [
    b"5",
    b"[]",
    b'{"text":["a"],"values":{}}',
    b'{"text":"frame.problem","values":{}}',
    b'{"text":"frame.sign_in.slower","values":{"x":1}}',
    b'{"text":"letters.sent_again","values":{"count":[]}}',
    b'{"text":"letters.sent_again","values":{}}',
    b'{"text":"letters.sent_again","values":7}',
    b'{"text":"thirdparty.done.changed","values":{"name":"<script>alert(1)</script>"}}',
]


async def test_a_notice_that_somebody_made_up_does_no_harm(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        for notice in _NOTICES:
            given = {"gateway-notice": notice.hex()}
            page = await person.get("/console/connectors", headers={"Cookie": ""}, cookies=given)
            assert page.status == 200, notice
            assert not _RUN.search(page.text), notice


async def answered(gateway: Gateway, asked: bytes) -> int:
    """The status of the answer to these bytes."""
    there = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    writer.write(asked)
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(line.split()[1])
