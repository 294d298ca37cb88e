"""Calls against a vendor on a real socket, which behaves well and badly."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gateway.calls import perform
from gateway.calls.model import Access, Rendered
from gateway.calls.perform import Called, Calls, Manner, Unsent
from gateway.egress.model import BrokenOffError
from tests.calls.shop import CONFIG, access_to
from tests.calls.test_pace import limits
from tests.vendors import API_KEY, Vendor, misbehaving
from tests.vendors.misbehaving import Act

CLOSE = (
    CONFIG
    + """
[auth.basic]
type = "basic"
username = "{config:key}"
[http]
base_url = "{config:base.url}"
timeout = "20s"
[http.limits]
concurrency = 4
retry_after = ["header:ratelimit#reset", "header:retry-after"]
reset_at = ["header:x-ratelimit-reset"]
remaining = "header:x-left"
"""
)
QUICK = Manner(patience_s=0.0, timeout_s=5.0)


def access_at(folder: Path, there: Vendor, key: str = API_KEY) -> Access:
    return access_to(folder, CLOSE, config={"key": key, "base.url": there.url})


def get(there: Vendor, path: str = "/api/v1/me/") -> Rendered:
    return Rendered(verb="GET", url=there.url + path)


@pytest.fixture
def access(tmp_path: Path, there: Vendor) -> Access:
    return access_at(tmp_path, there)


async def called(calls: Calls, access: Access, call: Rendered, manner: Manner = QUICK) -> Called:
    async with calls.made(access, call, manner) as outcome:
        assert isinstance(outcome, Called), outcome
        return outcome


async def unsent(calls: Calls, access: Access, call: Rendered, manner: Manner = QUICK) -> Unsent:
    async with calls.made(access, call, manner) as outcome:
        assert isinstance(outcome, Unsent), outcome
        return outcome


async def test_a_call_carries_its_proof_and_brings_the_answer(calls: Calls, access: Access, there: Vendor) -> None:
    lead = there.close.add("lead", name="Acme")
    found = await called(calls, access, get(there, f"/api/v1/lead/{lead['id']}/"))
    assert (found.status, found.verdict.kind, found.pieces) == (200, "ok", None)
    assert orjson.loads(found.body or b"")["name"] == "Acme"
    assert there.requests[0].headers["Authorization"].startswith("Basic ")


async def test_the_vendor_s_refusals_are_answers_in_its_own_words(calls: Calls, access: Access, there: Vendor) -> None:
    missing = await called(calls, access, get(there, "/api/v1/lead/lead_none/"))
    assert (missing.status, missing.verdict.kind) == (404, "fail")
    assert missing.verdict.message == "Empty query: Lead matching query does not exist."
    stranger = Access(connector=access.connector, config=type(access.config)({**access.config.values, "key": "no"}))
    denied = await called(calls, stranger, get(there))
    assert (denied.status, denied.verdict.kind) == (401, "reauth")


async def test_a_call_never_leaves_the_hosts_with_its_proof(calls: Calls, access: Access, there: Vendor) -> None:
    for url in ("http://127.0.0.1:1/x", "https://evil.example/", "http://169.254.169.254/", "nonsense"):
        outcome = await unsent(calls, access, Rendered(verb="GET", url=url))
        assert outcome.why == "forbidden"
    assert there.requests == []


@pytest.mark.parametrize(
    "target", ["{self}", "http://169.254.169.254/latest/", "https://evil.example/?k=1", "/api/v1/lead/"]
)
async def test_redirects_are_not_followed(calls: Calls, access: Access, there: Vendor, target: str) -> None:
    there.always(misbehaving.redirect(target))
    found = await called(calls, access, get(there))
    assert (found.status, found.verdict.kind) == (302, "fail")
    assert "redirects are not followed" in (found.verdict.message or "")
    assert len(there.requests) == 1


@pytest.mark.parametrize("kind", ["seconds", "ratelimit", "epoch", "http date"])
async def test_too_many_calls_are_waited_for_while_there_is_patience(
    calls: Calls, access: Access, there: Vendor, kind: str
) -> None:
    there.next(misbehaving.too_many(misbehaving.RESETS[kind](time.time(), 1.0)))
    began = time.monotonic()
    found = await called(calls, access, get(there), Manner(patience_s=10.0, timeout_s=5.0))
    assert found.status == 200
    assert time.monotonic() - began < 5
    assert len(there.requests) == 2


async def test_without_patience_the_vendor_s_429_is_the_answer_and_others_wait_for_it(
    calls: Calls, access: Access, there: Vendor
) -> None:
    there.next(misbehaving.too_many({"Retry-After": "100"}))
    found = await called(calls, access, get(there), Manner(patience_s=5.0))
    assert (found.status, found.verdict.kind, found.verdict.wait_s) == (429, "rate_limited", 100.0)
    refused = await unsent(calls, access, get(there))
    assert refused.why == "rate_limited"
    assert 90 < (refused.wait_s or 0) <= 100
    assert len(there.requests) == 1


async def test_a_bound_of_some_calls_holds_up_no_others(calls: Calls, access: Access, there: Vendor) -> None:
    allowed = limits(requests=1, per=60_000)
    bound = replace(QUICK, bound=("search", allowed))
    assert (await called(calls, access, get(there), bound)).status == 200
    refused = await unsent(calls, access, get(there), bound)
    assert (refused.why, 50 < (refused.wait_s or 0) <= 60) == ("rate_limited", True)
    assert (await called(calls, access, get(there))).status == 200
    assert (await called(calls, access, get(there), replace(QUICK, bound=("list", allowed)))).status == 200
    assert len(there.requests) == 3


async def test_a_vendor_that_says_to_come_back_at_once_for_ever_is_asked_a_few_times(
    calls: Calls, access: Access, there: Vendor
) -> None:
    there.always(misbehaving.too_many({"Retry-After": "0"}))
    found = await called(calls, access, get(there), Manner(patience_s=30.0))
    assert found.status == 429
    assert len(there.requests) == perform.MOST_REPEATS + 1


async def test_the_last_call_that_the_vendor_allows_makes_the_next_one_wait(
    calls: Calls, access: Access, there: Vendor
) -> None:
    there.next(misbehaving.answering(200, "{}", X_Left="0", Retry_After="50"))
    await called(calls, access, get(there))
    assert (await unsent(calls, access, get(there))).why == "rate_limited"


async def test_unlimited_in_the_vendor_s_words_is_no_pause(calls: Calls, access: Access, there: Vendor) -> None:
    there.next(misbehaving.answering(200, "{}", X_Left="-1", Retry_After="50"))
    await called(calls, access, get(there))
    assert (await called(calls, access, get(there))).status == 200


async def test_no_more_calls_at_once_than_the_file_allows(calls: Calls, access: Access, there: Vendor) -> None:
    there.always(misbehaving.slow_body(b"{}", 0.005))
    await asyncio.gather(*(called(calls, access, get(there), Manner(patience_s=20.0)) for _ in range(40)))
    assert there.most_at_once <= 4
    assert len(there.requests) == 40


@pytest.mark.parametrize(("act", "status"), [(act, 503) for act in misbehaving.burst(1)])
async def test_a_5xx_is_an_answer_and_no_outage(
    calls: Calls, access: Access, there: Vendor, act: Act, status: int
) -> None:
    there.always(act)
    for _ in range(8):
        found = await called(calls, access, get(there))
        assert (found.status, found.verdict.kind) == (status, "retry")


async def test_a_page_for_people_is_an_answer_with_its_words(calls: Calls, access: Access, there: Vendor) -> None:
    there.next(misbehaving.html(500), misbehaving.html(), misbehaving.wrong_json())
    broken = await called(calls, access, get(there))
    assert broken.verdict.message == "a page for people instead of an answer: Down We are on a break"
    assert (await called(calls, access, get(there))).headers["content-type"].startswith("text/html")
    assert (await called(calls, access, get(there))).body == b'{"data": [{"id": "lead_1", '


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (misbehaving.nothing(), "unreachable"),
        (misbehaving.half(), "unreachable"),
        (misbehaving.broken_gzip(), "unreachable"),
        (misbehaving.slow_head(), "late"),
        (misbehaving.slow_body(), "late"),
    ],
)
async def test_half_answers_and_late_ones_are_none(
    calls: Calls, access: Access, there: Vendor, act: Act, why: str
) -> None:
    there.always(act)
    outcome = await unsent(calls, access, get(there), Manner(patience_s=0.0, timeout_s=0.3))
    assert outcome.why == why
    assert "127.0.0.1" in outcome.message


@pytest.mark.parametrize("act", [misbehaving.endless(), misbehaving.bomb(), misbehaving.zeros(500, chunked=True)])
async def test_a_body_without_an_end_is_held_up_to_a_bound_and_comes_in_pieces(
    calls: Calls, access: Access, there: Vendor, act: Act
) -> None:
    there.always(act)
    async with calls.made(access, get(there), Manner(timeout_s=20.0)) as outcome:
        assert isinstance(outcome, Called)
        assert outcome.body is None
        assert outcome.pieces is not None
        first = await anext(outcome.pieces)
        assert len(first) <= perform.MOST_HELD + (1 << 20)
        assert all([len(await anext(outcome.pieces)) <= 1 << 20 for _ in range(20)])
    assert await there.wait_left() == ["/api/v1/me/"]


async def test_the_error_of_a_vendor_is_read_up_to_a_bound(calls: Calls, access: Access, there: Vendor) -> None:
    there.next(misbehaving.answering(500, b"x" * 1_000_000, "text/plain"))
    found = await called(calls, access, get(there))
    assert (len(found.body or b""), found.pieces) == (64 << 10, None)
    assert len(found.verdict.message or "") == 2_000


async def test_a_body_in_pieces_that_breaks_off_says_so(calls: Calls, access: Access, there: Vendor) -> None:
    there.next(misbehaving.half(bytes(1 << 20), 10 << 20, "application/octet-stream"))
    async with calls.made(access, get(there), QUICK) as outcome:
        assert isinstance(outcome, Called)
        assert outcome.pieces is not None
        with pytest.raises(BrokenOffError):
            _ = [piece async for piece in outcome.pieces]


async def test_a_host_that_is_gone_is_left_alone_and_found_again(calls: Calls, tmp_path: Path, there: Vendor) -> None:
    access = access_at(tmp_path, there)
    there.always(misbehaving.nothing())
    for _ in range(5):
        assert (await unsent(calls, access, get(there))).why == "unreachable"
    arrived = len(there.requests)
    alone = await unsent(calls, access, get(there))
    assert "left alone" in alone.message
    assert 0 < (alone.wait_s or 0) <= 5
    assert len(there.requests) == arrived
    there.behave()
    host = f"127.0.0.1:{there.port}"
    calls.circuits._hosts[host].open_until = 0.0
    assert (await called(calls, access, get(there))).status == 200


async def test_a_trial_that_is_cancelled_does_not_shut_the_host_out_for_ever(
    calls: Calls, access: Access, there: Vendor
) -> None:
    host = f"127.0.0.1:{there.port}"
    for _ in range(5):
        calls.circuits.failed(host)
    calls.circuits._hosts[host].open_until = 0.0
    there.next(misbehaving.slow_head())
    trial = asyncio.create_task(called(calls, access, get(there)))
    await there.wait(1)
    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)
    assert (await called(calls, access, get(there))).status == 200


async def test_while_one_call_tries_a_host_again_every_other_is_turned_away(
    calls: Calls, access: Access, there: Vendor
) -> None:
    host = f"127.0.0.1:{there.port}"
    for _ in range(5):
        calls.circuits.failed(host)
    calls.circuits._hosts[host].open_until = 0.0
    go_on = asyncio.Event()
    there.next(misbehaving.waiting(go_on, misbehaving.answering(200, "{}")))
    trial = asyncio.create_task(called(calls, access, get(there)))
    await there.wait(1)
    for _ in range(3):
        assert (await unsent(calls, access, get(there))).why == "unreachable"
    go_on.set()
    assert (await trial).status == 200
    assert (await called(calls, access, get(there))).status == 200


async def test_what_a_caller_leaves_behind_is_a_free_slot(calls: Calls, access: Access, there: Vendor) -> None:
    there.next(*(misbehaving.slow_head() for _ in range(4)))
    tasks = [asyncio.create_task(called(calls, access, get(there))) for _ in range(4)]
    await there.wait(4)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await there.wait_left(4)
    assert (await called(calls, access, get(there))).status == 200


async def test_headers_that_cannot_be_sent_are_refused_without_their_value(
    calls: Calls, tmp_path: Path, there: Vendor
) -> None:
    text = CLOSE.replace('type = "basic"\nusername', 'type = "bearer"\ntoken')
    access = access_to(tmp_path, text, config={"key": "line\r\nbreak", "base.url": there.url})
    outcome = await unsent(calls, access, get(there))
    assert outcome.why == "forbidden"
    assert "break" not in outcome.message
    assert there.requests == []


async def test_nothing_is_sent_without_a_proof(calls: Calls, tmp_path: Path, there: Vendor) -> None:
    outcome = await unsent(calls, access_at(tmp_path, there, key=""), get(there))
    assert outcome.why == "no_credentials"
    assert there.requests == []


async def test_a_body_is_uploaded_piece_by_piece(calls: Calls, access: Access, there: Vendor) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 16)

    there.next(misbehaving.too_many({"Retry-After": "0"}))
    call = Rendered(verb="PUT", url=there.url + "/api/v1/lead/x/")
    async with calls.made(access, call, Manner(patience_s=5.0), upload=pieces()) as outcome:
        assert isinstance(outcome, Called)
        assert outcome.status == 429  # what was read from the caller cannot be sent again
    assert [one.size for one in there.requests] == [4 << 20]
