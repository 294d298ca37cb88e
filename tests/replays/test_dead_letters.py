"""Dead letters: found, looked at, sent again, laid down, counted, exported."""

import asyncio
from typing import Any

import orjson
import pytest

from gateway.replays.letters.model import LetterFilter, Spot, parse, spot_of
from tests.api.asking import colleague, is_problem, stranger
from tests.delivery.road import body, until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays.parts import begun, call, deliveries_of, destination_of, ended, listed, send

PATHS = ("/dead-letters", "/dead-letters/counts")


async def dead(gateway: Gateway, receiver: Consumer, made: dict[str, Any], *numbers: int) -> list[str]:
    """Events whose deliveries were given up; the ids of those deliveries."""
    receiver.status = 500
    before = (await gateway.ledger())["dead"]
    ids = await send(gateway, made, *numbers)
    await until(gateway, dead=before + len(numbers))
    receiver.status = 200
    return [(await deliveries_of(gateway, one))[0]["id"] for one in ids]


async def exported(gateway: Gateway, who: dict[str, str]) -> list[dict[str, Any]]:
    """The lines of an export."""
    async with gateway.session.get(f"{gateway.url}/api/v1/dead-letters/export", headers=who) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
        return [orjson.loads(line) for line in (await answer.read()).splitlines()]


async def test_a_dead_letter_tells_its_event_its_destination_and_the_last_attempt(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url("/hook?token=x"))
    [delivery_id] = await dead(gateway, receiver, made, 7)
    [found] = await listed(gateway, "/dead-letters")
    assert (found["id"], found["type"], found["object_id"]) == (delivery_id, "issues.opened", "7")
    assert (found["reason"], found["attempts_made"], found["last_attempt"]["status"]) == (
        "schedule used up; last: status 500",
        4,
        500,
    )
    assert found["destination"]["url"] == receiver.url("/hook")
    assert "token=x" not in str(found)
    whole = (await call(gateway, "GET", f"/dead-letters/{delivery_id}")).json
    assert whole == {**found, "payload": body(7).decode(), "payload_base64": None}


async def test_a_dead_letter_that_is_sent_again_is_none_any_more(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    first, second = await dead(gateway, receiver, made, 1, 2)
    answered = await call(gateway, "POST", f"/dead-letters/{first}/replay")
    assert (answered.status, answered.json["state"]) == (201, "pending")
    await until(gateway, dead=2, delivered=1, created=3)
    assert [one["id"] for one in await listed(gateway, "/dead-letters")] == [second]
    for path in ("", "/replay", "/discard"):
        reason = {"reason": "x"} if path == "/discard" else None
        method = "POST" if path else "GET"
        assert is_problem(await call(gateway, method, f"/dead-letters/{first}{path}", reason), 404)


async def test_a_dead_letter_may_go_somewhere_else(gateway: Gateway, receiver: Consumer) -> None:
    made, other = await gateway.create("github", receiver.url()), await gateway.create("generic", receiver.url("/b"))
    [delivery_id] = await dead(gateway, receiver, made, 1)
    target = {"destination_id": await destination_of(gateway, other)}
    assert (await call(gateway, "POST", f"/dead-letters/{delivery_id}/replay", target)).status == 201
    await until(gateway, delivered=1)
    assert receiver.arrived[-1].path == "/b"
    assert await listed(gateway, "/dead-letters") == []


async def test_a_dead_letter_is_laid_down_with_a_reason_and_the_ledger_moves(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    [delivery_id] = await dead(gateway, receiver, made, 1)
    answered = await call(gateway, "POST", f"/dead-letters/{delivery_id}/discard", {"reason": " not wanted "})
    assert answered.json == {"id": delivery_id, "state": "cancelled", "reason": "discarded: not wanted"}
    await until(gateway, dead=0, cancelled=1, created=1)
    assert await listed(gateway, "/dead-letters") == []
    assert is_problem(await call(gateway, "POST", f"/dead-letters/{delivery_id}/discard", {"reason": "x"}), 404)


@pytest.mark.parametrize("given", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 7}, {"reason": "x" * 501}])
async def test_a_discard_needs_a_reason(sqlite_gateway: Gateway, given: object) -> None:
    answered = await call(sqlite_gateway, "POST", f"/dead-letters/{'0' * 32}/discard", given)
    assert is_problem(answered, 400)
    assert [one["field"] for one in answered.json["errors"]] == ["reason"]


async def test_pages_meet_every_dead_letter_once_destination_by_destination(
    gateway: Gateway, receiver: Consumer
) -> None:
    one, two = await gateway.create("github", receiver.url("/1")), await gateway.create("github", receiver.url("/2"))
    first = await dead(gateway, receiver, one, 1, 2, 3)
    second = await dead(gateway, receiver, two, 4, 5)
    expected = [*second[::-1], *first[::-1]]
    for size in (1, 2, 3, 500):
        assert [found["id"] for found in await listed(gateway, f"/dead-letters?limit={size}")] == expected
    only = [found["id"] for found in await listed(gateway, f"/dead-letters?limit=2&instance_id={one['id']}")]
    assert only == first[::-1]
    number = await destination_of(gateway, two)
    assert [found["id"] for found in await listed(gateway, f"/dead-letters?destination_id={number}")] == second[::-1]


async def test_counts_are_told_for_each_destination(gateway: Gateway, receiver: Consumer) -> None:
    one, two = await gateway.create("github", receiver.url("/1")), await gateway.create("github", receiver.url("/2"))
    first, *_ = await dead(gateway, receiver, one, 1, 2, 3)
    await dead(gateway, receiver, two, 4)
    await call(gateway, "POST", f"/dead-letters/{first}/replay")
    await until(gateway, delivered=1)
    found = await listed(gateway, "/dead-letters/counts?limit=1")
    shown = [(count["destination"]["instance_id"], count["dead"], count["waiting"]) for count in found]
    assert shown == [(two["id"], 1, 1), (one["id"], 3, 2)]


async def test_an_export_has_a_line_for_each_and_a_last_one_that_says_that_it_is_all(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    ids = await dead(gateway, receiver, made, 1, 2, 3)
    *lines, last = await exported(gateway, gateway.auth)
    assert last == {"complete": True, "count": 3}
    assert [line["id"] for line in lines] == ids[::-1]
    assert [line["payload"] for line in lines] == [body(number).decode() for number in (3, 2, 1)]


async def test_an_export_whose_reader_goes_leaves_the_gateway_well(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    await dead(sqlite_gateway, receiver, made, *range(20))
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_gateway.running.port)
    head = (
        f"GET /api/v1/dead-letters/export HTTP/1.1\r\nHost: x\r\nAuthorization: {sqlite_gateway.auth['Authorization']}"
    )
    writer.write(f"{head}\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.transport.abort()
    assert (await exported(sqlite_gateway, sqlite_gateway.auth))[-1] == {"complete": True, "count": 20}


async def test_many_are_sent_again_by_a_job(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await dead(gateway, receiver, made, *range(6))
    wanted = {"filter": {"instance_id": made["id"]}, "rate": 10_000}
    dry = await call(gateway, "POST", "/dead-letters/replay", {**wanted, "dry_run": True})
    assert (dry.status, dry.json["matched"]) == (200, 6)
    job_id = await begun(gateway, "/dead-letters/replay", wanted)
    found = await ended(gateway, f"/replays/{job_id}")
    assert (found["state"], found["done"]) == ("done", 6)
    await until(gateway, delivered=6, dead=6, created=12)
    assert await listed(gateway, "/dead-letters") == []


async def test_many_are_laid_down_by_a_job(gateway: Gateway, receiver: Consumer) -> None:
    made, other = await gateway.create("github", receiver.url()), await gateway.create("github", receiver.url())
    await dead(gateway, receiver, made, *range(5))
    [left] = await dead(gateway, receiver, other, 9)
    wanted = {"filter": {"destination_id": await destination_of(gateway, made)}, "reason": "an old test"}
    found = await ended(gateway, f"/replays/{await begun(gateway, '/dead-letters/discard', wanted)}")
    assert (found["kind"], found["state"], found["done"]) == ("discard", "done", 5)
    await until(gateway, dead=1, cancelled=5, created=6)
    assert [one["id"] for one in await listed(gateway, "/dead-letters")] == [left]


async def test_dead_letters_of_others_are_not_found(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    [delivery_id] = await dead(gateway, receiver, made, 1)
    destination_id = await destination_of(gateway, made)
    for who in (await stranger(gateway), await colleague(gateway, same_account=False)):
        for path in PATHS:
            assert await listed(gateway, path, headers=who) == []
        assert is_problem(await call(gateway, "GET", f"/dead-letters/{delivery_id}", headers=who), 404)
        given = {"reason": "x"}
        assert is_problem(await call(gateway, "POST", f"/dead-letters/{delivery_id}/discard", given, headers=who), 404)
        for query in (f"destination_id={destination_id}", f"instance_id={made['id']}"):
            assert is_problem(await call(gateway, "GET", f"/dead-letters?{query}", headers=who), 404)
            assert is_problem(await call(gateway, "GET", f"/dead-letters/export?{query}", headers=who), 404)
        lines = await exported(gateway, who)
        assert lines == [{"complete": True, "count": 0}]
    assert len(await listed(gateway, "/dead-letters")) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("destination_id=x", "destination_id"),
        ("instance_id=-1", "instance_id"),
        ("since=yesterday", "since"),
        ("since=2026-02-01&until=2026-01-01", "since"),
        ("cursor=abc", "cursor"),
        ("limit=0", "limit"),
        ("since=2026-01-01&since=2026-01-02", "since"),
    ],
)
async def test_a_query_that_cannot_be_read_is_refused_with_its_field(
    sqlite_gateway: Gateway, query: str, field: str
) -> None:
    answered = await call(sqlite_gateway, "GET", f"/dead-letters?{query}")
    assert is_problem(answered, 400)
    assert [one["field"] for one in answered.json["errors"]] == [field]


async def test_a_cursor_holds_for_its_own_filter_only(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await dead(gateway, receiver, made, 1, 2)
    cursor = (await call(gateway, "GET", "/dead-letters?limit=1")).json["next"]
    assert is_problem(await call(gateway, "GET", f"/dead-letters?instance_id={made['id']}&cursor={cursor}"), 400)
    assert is_problem(await call(gateway, "GET", f"/dead-letters/counts?cursor={cursor}"), 400)


def test_a_place_among_dead_letters_is_read_back_from_its_text() -> None:
    assert spot_of(Spot(12, "0abc").text) == Spot(12, "0abc")
    assert [spot_of(text) for text in ("", "12", "x12", "ax1", "1" * 16 + "xa")] == [None] * 5


def test_a_filter_of_dead_letters_names_everything_that_is_wrong() -> None:
    assert parse({"destination_id": "7", "since": "2026-01-01"}) == LetterFilter(
        destination_id=7, since=1_767_225_600_000
    )
    problems = parse({"a": 1, "instance_id": True, "until": 5})
    assert isinstance(problems, tuple)
    assert [problem.field for problem in problems] == ["a", "instance_id", "until"]


async def test_of_all_who_want_a_dead_letter_at_once_one_has_it(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    gateway = sqlite_gateway
    made = await gateway.create("github", receiver.url())
    other = {"destination_id": await destination_of(gateway, await gateway.create("github", receiver.url("/other")))}
    for letter in await dead(gateway, receiver, made, 1, 2, 3):
        one = f"/dead-letters/{letter}"
        wishes = [("/replay", {}), ("/discard", {"reason": "enough"}), ("/replay", other), ("/replay", other)]
        answers = await asyncio.gather(*[call(gateway, "POST", one + path, json) for path, json in wishes])
        statuses = sorted(one.status for one in answers)
        assert statuses[0] in (200, 201)
        assert set(statuses[1:]) <= {404, 409}
