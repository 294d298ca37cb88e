"""Calls that want more than they may, and vendors that answer badly."""

import asyncio
import gzip
import io
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.api.asking import OC, colleague, is_platform_error, stranger
from tests.api.calling import Caller, calling
from tests.vendors import misbehaving
from tests.vendors.misbehaving import MIB, answering

LEADS = "/api/v1/lead/"
NEXT = "Elements-Next-Page-Token"


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Caller]:
    async with calling(tmp_path) as found:
        yield found


async def raw(call: Caller, target: str) -> tuple[int, bytes]:
    """A GET with a target that no client would write, and its answer."""
    async with call.gateway.session.get(
        URL(f"{call.gateway.url}{target}", encoded=True), headers=call.headers
    ) as answered:
        return answered.status, await answered.read()


@pytest.mark.parametrize(
    "step",
    ["..", "%2e%2e", ".", "a%0d%0aHost:%20evil", "a%00b", "%ff%fe", "%ed%a0%80", "a%0ab", "%2e", "x" * 3000],
)
async def test_an_id_that_is_a_step_or_holds_control_characters_never_reaches_the_vendor(
    call: Caller, step: str
) -> None:
    before = len(call.there.requests)
    status, body = await raw(call, f"{OC}/hubs/crm/accounts/{step}")
    assert status in (400, 404), body
    assert [one.raw_path for one in call.there.requests[before:] if "lead" not in one.raw_path] == []


@pytest.mark.parametrize(
    "id_", ["..%2f..%2fwebhook", "a%2fb", "%3fx=1", "%23", "lead_1%3B", "%252e%252e", "*", "@evil.example"]
)
async def test_an_id_with_slashes_or_other_marks_stays_one_step_of_the_vendors_path(call: Caller, id_: str) -> None:
    status, _ = await raw(call, f"{OC}/hubs/crm/accounts/{id_}")
    assert status == 404
    [asked] = [one for one in call.there.requests if one.raw_path.startswith(LEADS)]
    inner = asked.raw_path.removeprefix(LEADS).removesuffix("/")
    assert "/" not in inner
    assert "?" not in asked.raw_path


@pytest.mark.parametrize(
    "target",
    [
        "accounts/%ff/notes", "accounts/%ff/notes?nextPage=x", "accounts/a%0d/activities", "accounts?where=%ff",
        "accounts?fields=%ff", "accounts?query=%ed%a0%80", "accounts?%ff=1", "accounts?%00=1",
        "tasks?orderBy=%0d%0aX:1", "accounts/1/activities?activityType=%0d%0a",
        "accounts?nextPage=%ff", "accounts?where=name%3D%27%00%27",
    ],
)  # fmt: skip
async def test_bytes_that_are_no_text_are_the_callers_mistake(call: Caller, target: str) -> None:
    status, body = await raw(call, f"{OC}/hubs/crm/{target}")
    assert status in (400, 200), body
    assert all("\r" not in one.query for one in call.there.requests)


async def test_credentials_of_others_open_nothing(call: Caller) -> None:
    call.there.close.add("lead", name="mine")
    token = call.made["token"]
    before = len(call.there.requests)
    for headers in (
        await stranger(call.gateway),
        await colleague(call.gateway, same_account=False),
        {"Authorization": "User nobody"},
    ):
        theirs = headers["Authorization"].split(",")[0] + f", Element {token}"
        for given in (theirs, f"{headers['Authorization']}, Element {token}"):
            answered = await call("GET", "accounts", headers={"Authorization": given})
            is_platform_error(answered, 401)
            is_platform_error(await call("GET", "ping", headers={"Authorization": given}), 401)
    for given in (f"Element {token}", f"User , Element {token}", "User x, Element y", ""):
        is_platform_error(await call("GET", "accounts", headers={"Authorization": given}), 401)
    assert len(call.there.requests) == before


async def test_a_caller_that_was_let_in_is_asked_again_once_the_instance_changes(call: Caller) -> None:
    assert (await call("GET", "accounts")).status == 200
    await call.gateway.call("DELETE", f"/instances/{call.id}")
    is_platform_error(await call("GET", "accounts"), 401)


async def test_a_vendors_secret_in_its_error_is_masked(call: Caller) -> None:
    key = "api_1234567890abcdef.0987654321fedcba"
    call.there.always(answering(400, f'{{"error":"the key {key} is odd"}}'), on=LEADS)
    answered = await call("GET", "accounts")
    assert answered.json["providerMessage"] == "the key ******** is odd"


@pytest.mark.parametrize(
    ("act", "status", "told"),
    [
        (misbehaving.html(), 502, "We are on a break"),
        (misbehaving.html(500), 500, "We are on a break"),
        (misbehaving.wrong_json(), 502, '{"data": [{"id": "lead_1", '),
        (answering(200, "{}"), 502, "{}"),
        (answering(200, ""), 502, ""),
        (answering(200, '{"data":7}'), 502, '{"data":7}'),
        (misbehaving.redirect("http://169.254.169.254/latest"), 502, None),
        (misbehaving.redirect("{self}"), 502, None),
        (misbehaving.refused(), 401, "The access token provided is expired."),
        (answering(418, '{"error":"teapot"}'), 418, "teapot"),
        (answering(503, '{"error":"later"}', Retry_After="7"), 503, "later"),
    ],
)
async def test_what_makes_no_sense_is_worded_and_never_a_500_of_ours(
    call: Caller, act: misbehaving.Act, status: int, told: str | None
) -> None:
    call.there.always(act, on=LEADS)
    answered = await call("GET", "accounts")
    assert answered.status == status, answered.body
    assert answered.headers["Elements-Error"] == "true"
    if told is not None:
        assert told in answered.json["providerMessage"]
    used = await call.gateway.call("GET", f"{OC}/usage/{answered.json['requestId']}")
    while used.status == 404:
        used = await call.gateway.call("GET", f"{OC}/usage/{answered.json['requestId']}")
    assert used.json["status"] == status


@pytest.mark.parametrize(
    "act",
    [misbehaving.nothing(), misbehaving.half(), misbehaving.broken_gzip(), misbehaving.bomb(), misbehaving.endless()],
    ids=["nothing", "half", "broken gzip", "bomb", "endless"],
)
async def test_half_and_endless_answers_are_502_in_bounded_memory(call: Caller, act: misbehaving.Act) -> None:
    call.there.always(act, on=LEADS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answered = await call("GET", "accounts")
    assert answered.status == 502, answered.body
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80 << 10


async def test_json_beyond_what_is_held_says_what_to_do_and_streams_with_the_filter_off(call: Caller) -> None:
    text = b'{"x":[' + b",".join([b'{"a":null}'] * (MIB)) + b"]}"
    call.there.always(answering(200, text), on="/api/v1/me/")
    refused = await call("GET", "me")
    assert "filter.response.nulls to false" in is_platform_error(refused, 502)
    await call.set(filter_response_nulls=False)
    answered = await call("GET", "me")
    assert answered.status == 200
    assert answered.body == text
    assert answered.headers["Content-Length"] == str(len(text))
    call.there.always(answering(200, b'{"data":[' + b" " * (9 * MIB) + b"]}"), on=LEADS)
    assert "smaller page" in is_platform_error(await call("GET", "accounts"), 502)


async def test_a_large_answer_streams_in_bounded_memory_with_its_headers(call: Caller) -> None:
    act = misbehaving.zeros(200)
    call.there.always(act, on="/api/v1/me/")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with call.gateway.session.get(f"{call.gateway.url}{OC}/me", headers=call.headers) as answered:
        size = 0
        async for piece in answered.content.iter_any():
            size += len(piece)
        assert answered.content_length == size == 200 * MIB
        assert answered.headers["Elements-Element-Instance-Id"] == str(call.id)
    # The vendor, the gateway and the caller are one process here.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 << 10


async def test_headers_of_the_answer_go_on_and_those_of_the_connection_do_not(call: Caller) -> None:
    named = {
        "Content_Disposition": 'attachment; filename="a.bin"', "ETag": '"1"',
        "Last_Modified": "Sat, 01 Jan 2022 00:00:00 GMT",
        "Set_Cookie": "a=b", "Server": "theirs", "X_Internal": "1", "Keep_Alive": "timeout=5",
    }  # fmt: skip
    call.there.always(answering(200, b"\x00\xff", "application/x-thing", **named), on="/api/v1/me/")
    answered = await call("GET", "me")
    assert (answered.body, answered.headers["Content-Type"]) == (b"\x00\xff", "application/x-thing")
    assert answered.headers["Content-Disposition"] == 'attachment; filename="a.bin"'
    assert answered.headers["ETag"] == '"1"'
    assert not {"Set-Cookie", "X-Internal", "Keep-Alive"} & set(answered.headers)


async def test_a_packed_answer_comes_unpacked_with_its_length(call: Caller) -> None:
    text = b'{"a":null,"b":1}'
    call.there.always(answering(200, gzip.compress(text), Content_Encoding="gzip"), on="/api/v1/me/")
    answered = await call("GET", "me")
    assert (answered.body, answered.headers["Content-Length"]) == (b'{"b":1}', "7")
    assert "Content-Encoding" not in answered.headers


async def test_half_of_a_large_answer_is_broken_off_and_not_taken_for_the_whole(call: Caller) -> None:
    act = misbehaving.half(bytes(MIB), 2 * MIB, "application/octet-stream")
    call.there.always(act, on="/api/v1/me/")
    with pytest.raises(aiohttp.ClientPayloadError):
        await call("GET", "me")
    assert (await call("GET", "accounts")).status == 200


async def test_a_vendor_that_repeats_its_page_for_ever_is_left_after_its_most_pages(call: Caller) -> None:
    call.there.always(answering(200, '{"data":[{"id":1}],"has_more":true}'), on=LEADS)
    token, pages = "", 0
    while pages < 200:
        answered = await call("GET", "accounts?pageSize=1" + (f"&nextPage={token}" if token else ""))
        assert answered.status == 200
        pages += 1
        token = answered.headers.get(NEXT, "")
        if not token:
            break
    assert pages == 100


async def test_a_vendor_that_nobody_reaches_is_502_and_one_that_is_forbidden_too(call: Caller) -> None:
    await call.set(base_url="http://127.0.0.1:9/api/v1")
    assert "cannot be reached" in is_platform_error(await call("GET", "accounts"), 502)


async def test_too_many_calls_are_429_with_retry_after(call: Caller) -> None:
    call.there.always(misbehaving.too_many({"Retry-After": "600"}, rate_reset=600), on=LEADS)
    answered = await call("GET", "accounts")
    assert answered.status == 429
    assert int(answered.headers["Retry-After"]) > 500
    again = await call("GET", "accounts")
    assert again.status == 429
    assert len(call.there.to(LEADS)) == 1


async def test_bodies_and_parameters_that_are_not_taken_are_400_at_once(call: Caller) -> None:
    before = len(call.there.requests)
    for verb, path, body in (
        ("GET", "accounts", b"x"),
        ("DELETE", "accounts/1", b'{"a":1}'),
        ("POST", "accounts", b"[1]"),
        ("POST", "accounts", b"{"),
        ("POST", "accounts", b'{"nme":"x"}'),
        ("POST", "accounts", b'{"name":"\xff"}'),
        ("POST", "accounts?fields=name", b"{}"),
        ("GET", "accounts?fields=" + ",".join(f"x{n}" for n in range(300)), b""),
        ("GET", "accounts?page=2&page=3", b""),
        ("GET", "accounts?page=2&nextPage=x", b""),
    ):
        answered = await call(verb, path, data=body)
        assert answered.status == 400, (verb, path, answered.body)
    large = await call("POST", "accounts", data=io.BytesIO(b'{"name":"' + b"x" * MIB + b'"}'))
    assert large.status == 413
    assert len(call.there.requests) == before


async def test_a_caller_that_leaves_in_the_middle_lets_the_vendor_go(call: Caller) -> None:
    call.there.always(misbehaving.endless("application/octet-stream"), on="/api/v1/me/")
    async with call.gateway.session.get(f"{call.gateway.url}{OC}/me", headers=call.headers) as answered:
        await answered.content.readany()
        answered.close()
    await call.there.wait_left()
    await asyncio.sleep(0)
    assert (await call("GET", "accounts")).status == 200
