"""What answers mean: statuses, a file's own rules, and waits in every unit, brought to sanity."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.judge import judged, remaining, told, wait_s
from gateway.catalogue.call_model import Limits
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from tests.calls.shop import SHOP, access_to
from tests.vendors.misbehaving import RESETS

NOW = 1_700_000_000.25
LIMITS = """
[http.limits]
retry_after = ["header:ratelimit#reset"]
reset_at = ["{place}"]
reset_unit = "{unit}"
remaining = "header:x-left"
used = "header:x-used"
"""
RULES = """
[[http.error]]
status = [403]
body = { "error.code" = ["slow", "slower"] }
action = "rate_limited"
[[http.error]]
status = [400]
header = { X-Expired = "*" }
action = "reauth"
[[http.error]]
status = [404]
body_contains = "nothing here"
action = "ignore"
[[http.error]]
status = [500]
action = "retry"
message = "body:why"
"""


def limits_of(folder: Path, unit: str = "s", place: str = "header:x-ratelimit-reset") -> Limits:
    limits = connector_with(folder, LIMITS.format(unit=unit, place=place)).http.limits
    assert limits is not None
    return limits


def connector_with(folder: Path, text: str) -> Connector:
    return access_to(folder, SHOP + text).connector


def headers_of(kind: str, wait: float) -> dict[str, str]:
    return {name.lower(): value for name, value in RESETS[kind](NOW, wait).items()}


@pytest.mark.parametrize(
    ("kind", "unit", "place"),
    [
        ("seconds", "s", "header:none"),
        ("http date", "s", "header:none"),
        ("ratelimit", "s", "header:none"),
        ("epoch", "s", "header:x-ratelimit-reset"),
        ("milliseconds", "ms", "header:x-ratelimit-reset"),
        ("iso", "iso", "header:x-ratelimit-next"),
    ],
)
@pytest.mark.parametrize(("wait", "expected"), [(40.0, 40.0), (-500.0, 0.0), (90_000.0, 3600.0)])
def test_every_way_to_say_when_is_understood_and_brought_to_sanity(
    tmp_path: Path, kind: str, unit: str, place: str, wait: float, expected: float
) -> None:
    found = wait_s(limits_of(tmp_path, unit, place), Sources(headers=headers_of(kind, wait)), NOW)
    assert found == pytest.approx(expected, abs=1.0)


def test_fractions_of_a_second_count_and_come_before_whole_ones(tmp_path: Path) -> None:
    found = wait_s(limits_of(tmp_path), Sources(headers=headers_of("ratelimit", 0.375)), NOW)
    assert found == 0.375


@pytest.mark.parametrize("kind", ["nonsense", "nothing"])
def test_what_cannot_be_understood_is_nothing(tmp_path: Path, kind: str) -> None:
    for unit in ("s", "ms", "iso"):
        assert wait_s(limits_of(tmp_path, unit), Sources(headers=headers_of(kind, 5.0)), NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "nan", "inf", "1_0", "１０", "", " ",
        "9" * 400, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    ],
)  # fmt: skip
def test_odd_times_are_no_accidents(tmp_path: Path, text: str) -> None:
    for unit in ("s", "ms", "iso"):
        found = wait_s(
            limits_of(tmp_path, unit), Sources(headers={"retry-after": text, "x-ratelimit-reset": text}), NOW
        )
        assert found is None or 0 <= found <= 3600


_PLAIN = Limits(
    requests=None, per=None, burst=None, concurrency=None, scope="credential", status=(), retry_after=(), reset_at=(),
    reset_unit="s", remaining=None, used=None,
)  # fmt: skip


@given(st.one_of(st.text(), st.floats().map(str), st.datetimes().map(str), st.integers().map(str)))
def test_whatever_retry_after_says_the_wait_is_none_or_sane(text: str) -> None:
    found = wait_s(_PLAIN, Sources(headers={"retry-after": text}), NOW)
    assert found is None or 0 <= found <= 3600


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({"x-left": "3"}, 3.0),
        ({"x-left": "0"}, 0.0),
        ({"x-left": "-1"}, -1.0),
        ({"x-left": "many"}, None),
        ({"x-used": "39/40"}, 1.0),
        ({"x-used": "41/40"}, 0.0),
        ({"x-used": "40"}, None),
        ({"x-used": "/"}, None),
        ({}, None),
    ],
)
def test_how_many_calls_are_left_is_read_from_either_header(
    tmp_path: Path, headers: dict[str, str], left: float | None
) -> None:
    assert remaining(limits_of(tmp_path), Sources(headers=headers)) == left


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "ok"), (204, "ok"), (304, "ok"), (301, "fail"), (400, "fail"), (401, "reauth"), (403, "fail"),
        (404, "fail"), (429, "rate_limited"), (500, "fail"), (502, "retry"), (503, "retry"), (504, "retry"),
    ],
)  # fmt: skip
def test_statuses_mean_what_they_mean_everywhere(tmp_path: Path, status: int, kind: str) -> None:
    assert judged(access_to(tmp_path).connector, status, {}, b"", NOW).kind == kind


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "message"),
    [
        (403, {"retry-after": "7"}, b'{"error":{"code":"slower","message":"easy"}}', "rate_limited", "easy"),
        (403, {}, b'{"error":{"code":"other"}}', "fail", '{"error":{"code":"other"}}'),
        (400, {"x-expired": "yes"}, b"", "reauth", None),
        (404, {}, b"there is nothing here", "ok", None),
        (500, {}, b'{"why":"a deploy"}', "retry", "a deploy"),
    ],
)
def test_a_file_s_own_rules_come_first(
    tmp_path: Path, status: int, headers: dict[str, str], body: bytes, kind: str, message: str | None
) -> None:
    verdict = judged(connector_with(tmp_path, RULES), status, headers, body, NOW)
    assert (verdict.kind, verdict.message) == (kind, message)
    assert verdict.wait_s == (7.0 if kind == "rate_limited" else None)


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("https://Login.Other.example/x?token=1", "login.other.example"),
        ("/elsewhere", "another path of the same host"),
        ("http://[", "another path of the same host"),
        ("", "nowhere"),
    ],
)
def test_a_redirect_fails_and_says_where_it_points(tmp_path: Path, location: str, where: str) -> None:
    verdict = judged(access_to(tmp_path).connector, 302, {"location": location}, b"<html>moved</html>", NOW)
    assert verdict.kind == "fail"
    assert verdict.message == f"the vendor redirects to {where}, and redirects are not followed"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"a"}}', "a"),
        (b'{"error":"b"}', "b"),
        (b'{"errors":[{"message":"c"}]}', "c"),
        (b'{"field-errors":{},"errors":["d"]}', "d"),
        (b'{"detail":"e"}', "e"),
        (b"plain words", "plain words"),
        (b"", None),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"<!DOCTYPE html><style>x{}</style><p>Down</p>", "a page for people instead of an answer: Down"),
    ],
)
def test_the_vendor_s_words_are_found_in_the_usual_places(body: bytes, message: str | None) -> None:
    assert told(Sources(raw=body)) == message


@given(st.binary(max_size=500))
def test_any_body_has_bounded_words(body: bytes) -> None:
    found = told(Sources(raw=body * 100, headers={"content-type": "text/html"}))
    assert found is None or len(found) <= 2000
