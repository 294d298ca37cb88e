"""Events, fates and the ledger in the gateway's own API: what is told, to whom, and what is refused."""

import random
from typing import Any

import pytest
from yarl import URL

from gateway.history.cursor import cursor
from gateway.history.filter import FIELDS
from tests.api.asking import colleague, is_problem, stranger
from tests.delivery.road import until
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Answered, Gateway

EVENTS = "/api/v1/events"
#: The bytes that a parser would not write again: a number, an escape, white space, a null.
BODY = b'{ "action":"opened", "n": 1.10, "issue":{"id":7,"title":"\\u00e9","closed":null,"labels":[{"x/y":null}]}}'


async def send(
    gateway: Gateway, made: dict[str, Any], body: bytes = BODY, query: str = "", api_key: str = "none"
) -> None:
    signed_headers = {**signed.github(made["webhookSecret"], body), "X-Api-Key": api_key}
    assert (await gateway.send(made["webhookUrl"] + query, body, signed_headers)).status == 200


async def get(gateway: Gateway, path: str) -> Any:
    answered = await gateway.call("GET", path)
    assert answered.status == 200, answered.body
    return answered.json


async def newest(gateway: Gateway) -> dict[str, Any]:
    found: dict[str, Any] = (await get(gateway, EVENTS + "?limit=1"))["items"][0]
    return found


def fields(answered: Answered) -> set[str]:
    """The fields that a 400 names."""
    is_problem(answered, 400)
    return {one["field"] for one in answered.json["errors"]}


async def test_an_event_is_told_with_all_that_came_and_all_that_was_sent(gateway: Gateway, receiver: Consumer) -> None:
    receiver.headers = {"X-Consumer": "here", "Set-Cookie": "session=hidden"}
    made = await gateway.create(
        "github", receiver.url("/hook?key=hidden"), **{"event.notification.callback.headers": "X-Opens: hidden-too"}
    )
    await send(gateway, made, BODY, "?page=1&token=hidden", api_key="hidden")
    await until(gateway, delivered=1)
    [arrived] = receiver.arrived
    answered = await gateway.call("GET", f"{EVENTS}/{arrived.id}")
    told = answered.json
    assert b"hidden" not in answered.body
    assert made["webhookSecret"].encode() not in answered.body
    assert told["payload"] == BODY.decode()
    assert told["notification"]["body"] == arrived.body.decode()
    assert {name for name, _ in told["notification"]["headers"]} >= {"webhook-id", "webhook-signature", "X-Opens"}
    assert told["removed_nulls"] == {"count": 2, "pointers": ["/issue/closed", "/issue/labels/0/x~1y"]}
    assert (told["request"]["method"], told["request"]["query"]) == ("POST", "page=1&token=[redacted]")
    assert ["x-github-event", "issues"] in told["request"]["headers"]
    [delivery] = told["deliveries"]
    assert delivery["destination"]["url"] == receiver.url("/hook")
    assert (delivery["state"], delivery["next_attempt_at"]) == ("delivered", None)
    [attempt] = delivery["attempts"]
    assert (attempt["number"], attempt["status"], attempt["reason"], attempt["answer"]) == (1, 200, None, "{}")
    assert ["x-consumer", "here"] in attempt["answer_headers"]
    phases = attempt["phases"]
    assert 0 <= phases["connect_ms"] + phases["wait_ms"] <= phases["total_ms"] + 2


async def test_the_exact_bytes_are_to_be_had(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made)
    [arrived] = await receiver.wait(1)
    assert (await gateway.call("GET", f"{EVENTS}/{arrived.id}/payload")).body == BODY
    assert (await gateway.call("GET", f"{EVENTS}/{arrived.id}/notification")).body == arrived.body


async def test_a_long_payload_is_not_put_into_json_but_is_to_be_had_by_its_own_address(gateway: Gateway) -> None:
    made = await gateway.create("github")
    body = b'{"a":null,"long":"%s"}' % (b"x" * (1 << 20))
    shorter = b'{"a":null,"long":"%s"}' % (b"x" * ((1 << 20) - 100))
    await send(gateway, made, shorter)
    assert (await get(gateway, f"{EVENTS}/{(await newest(gateway))['id']}"))["removed_nulls"]["pointers"] == ["/a"]
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE events SET payload = $1", body)
    event_id = (await newest(gateway))["id"]
    told = await get(gateway, f"{EVENTS}/{event_id}")
    assert (told["payload"], told["notification"]["body"], told["removed_nulls"]) == (None, None, None)
    assert told["bytes"] == len(body)
    assert (await gateway.call("GET", f"{EVENTS}/{event_id}/payload")).body == body


async def test_bytes_that_are_no_text_are_told_in_base64(gateway: Gateway) -> None:
    await send(gateway, await gateway.create("github"))
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE events SET payload = $1", b'{"a":"\xff"}')
    told = await get(gateway, f"{EVENTS}/{(await newest(gateway))['id']}")
    assert (told["payload"], told["payload_base64"]) == (None, "eyJhIjoi/yJ9")


async def test_what_retention_took_away_is_told_as_gone(gateway: Gateway) -> None:
    await send(gateway, await gateway.create("github"))
    async with gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE events SET payload = $1, request = NULL, emptied_at = 1700000000000", b"")
    event_id = (await newest(gateway))["id"]
    told = await get(gateway, f"{EVENTS}/{event_id}")
    assert (told["emptied_at"], told["payload"], told["request"]) == ("2023-11-14T22:13:20.000Z", None, None)
    for what in ("payload", "notification"):
        assert "kept no longer" in is_problem(await gateway.call("GET", f"{EVENTS}/{event_id}/{what}"), 404)


async def test_pages_follow_each_other_to_the_end(gateway: Gateway) -> None:
    made = await gateway.create("github")
    for number in range(5):
        await send(gateway, made, b'{"number":%d}' % number)
    found: list[str] = []
    query, pages = "?limit=2", 0
    while True:
        page = await get(gateway, EVENTS + query)
        found, pages = found + [one["id"] for one in page["items"]], pages + 1
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert (len(found), pages) == (5, 3)
    assert found == sorted(found, reverse=True)
    assert len({*found}) == 5


async def test_a_cursor_holds_for_its_own_list_alone(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    for number in range(3):
        await send(sqlite_gateway, made, b'{"number":%d}' % number)
    more = (await get(sqlite_gateway, EVENTS + "?limit=1&connector=github"))["next"]
    changed = more[:-2] + ("AA" if more[-2:] != "AA" else "BB")
    for query in (
        f"cursor={more}",
        f"cursor={more}&connector=closeio",
        f"cursor={changed}&connector=github",
        f"cursor={more}x&connector=github",
        "cursor=%00",
        "cursor=é",
        "cursor=" + "A" * 5000,
    ):
        assert fields(await sqlite_gateway.call("GET", f"{EVENTS}?{query}")) == {"cursor"}, query
    assert fields(await sqlite_gateway.call("GET", f"/api/v1/fate?object_id=7&cursor={more}")) == {"cursor"}
    assert fields(await sqlite_gateway.call("GET", f"/api/v1/destinations?cursor={more}")) == {"cursor"}
    other = {"headers": await colleague(sqlite_gateway, same_account=False)}
    assert fields(await sqlite_gateway.call("GET", f"{EVENTS}?cursor={more}&connector=github", **other)) == {"cursor"}


async def test_a_cursor_that_somebody_made_up_is_refused_like_any_other(sqlite_gateway: Gateway) -> None:
    row = await sqlite_gateway.running.services.runtime.database.one("SELECT * FROM users")
    assert row is not None
    for account in ("", row["account_id"]):
        about = f"destinations\n{row['partner_id']}\n{account}\nNone"
        for position in ("\x00", "x", "9" * 64, "'"):
            answered = await sqlite_gateway.call("GET", f"/api/v1/destinations?cursor={cursor(position, about)}")
            assert fields(answered) == {"cursor"}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (EVENTS + "?since=2026-01-02&until=2026-01-01", {"since"}),
        (EVENTS + "?colour=red", {"colour"}),
        (EVENTS + "?status=lost&since=never", {"status", "since"}),
        (EVENTS + "?type=a&type=b", {"type"}),
        (EVENTS + "?type=", {"type"}),
        (EVENTS + "?type=%00", {"type"}),
        (EVENTS + "?limit=0", {"limit"}),
        (EVENTS + "?instance_id=x", {"instance_id"}),
        ("/api/v1/fate", {"vendor_event_id"}),
        ("/api/v1/fate?object_id=1&event_id=2", {"vendor_event_id"}),
        ("/api/v1/fate?object_id=1&object_id=2", {"object_id"}),
        ("/api/v1/fate?body_hash=abc", {"body_hash"}),
        ("/api/v1/fate?event_id=abc", {"event_id"}),
        ("/api/v1/fate?vendor_event_id=%00", {"vendor_event_id"}),
        ("/api/v1/fate?vendor_event_id=" + "x" * 1_001, {"vendor_event_id"}),
        ("/api/v1/fate?vendor_event_id=1&colour=red", {"colour"}),
        ("/api/v1/ledger?instance_id=x", {"instance_id"}),
        ("/api/v1/ledger?destination_id=-1", {"destination_id"}),
        ("/api/v1/ledger?account_id=1", {"account_id"}),
        ("/api/v1/destinations?state=off", {"state"}),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_the_name_of_the_field(
    sqlite_gateway: Gateway, path: str, wrong: set[str]
) -> None:
    assert fields(await sqlite_gateway.call("GET", path)) == wrong


@pytest.mark.parametrize("name", ["x", "0" * 31, "0" * 32, "G" * 32, "%00", "..%2f", "stream2", "é"])
async def test_an_event_that_is_not_there_is_404(sqlite_gateway: Gateway, name: str) -> None:
    for what in ("", "/payload", "/notification"):
        is_problem(await sqlite_gateway.call("GET", f"{EVENTS}/{name}{what}"), 404)


async def test_nobody_sees_what_is_anothers(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made)
    [arrived] = await receiver.wait(1)
    told = (await until(gateway, delivered=1)), (await newest(gateway))
    for headers in (await stranger(gateway), await colleague(gateway, same_account=False)):
        for path in ("", "/payload", "/notification"):
            is_problem(await gateway.call("GET", f"{EVENTS}/{arrived.id}{path}", headers=headers), 404)
        for path in (f"{EVENTS}?instance_id={made['id']}", f"/api/v1/ledger?instance_id={made['id']}",
                     "/api/v1/ledger?destination_id=1", f"/api/v1/destinations?instance_id={made['id']}",
                     f"{EVENTS}?account_id={told[1]['account_id']}"):  # fmt: skip
            is_problem(await gateway.call("GET", path, headers=headers), 404)
        preview = {"json": {"filter.response.nulls": True}, "headers": headers}
        is_problem(await gateway.call("POST", f"/api/v1/instances/{made['id']}/filter/preview", **preview), 404)
        for path in (EVENTS, "/api/v1/destinations", f"/api/v1/fate?event_id={arrived.id}",
                     f"/api/v1/fate?vendor_event_id={told[1]['vendor_event_id']}"):  # fmt: skip
            answered = await gateway.call("GET", path, headers=headers)
            assert answered.json == {"items": [], "next": None}
        ledger = (await gateway.call("GET", "/api/v1/ledger", headers=headers)).json
        assert ledger["received"] == ledger["deliveries"]["created"] == 0
    is_problem(await gateway.call("GET", EVENTS, headers={}), 401)


async def test_the_ledger_is_to_be_had_in_total_of_an_instance_and_of_a_destination(
    gateway: Gateway, receiver: Consumer
) -> None:
    first, second = [await gateway.create("github", receiver.url(path)) for path in ("/first", "/second")]
    await send(gateway, first, b'{"number":1}')
    await send(gateway, first, b'{"number":2}')
    await send(gateway, second, b'{"number":3}')
    await until(gateway, delivered=3)
    goals = (await get(gateway, "/api/v1/destinations"))["items"]
    assert [(one["instance_id"], one["deliveries"]["delivered"]) for one in goals] == [
        (first["id"], 2),
        (second["id"], 1),
    ]
    total = await get(gateway, "/api/v1/ledger")
    assert list(total) == [
        *("received", "accepted", "duplicate", "refused", "ignored", "routed", "unrouted", "deliveries")
    ]
    assert list(total["deliveries"]) == ["created", "delivered", "pending", "dead", "cancelled"]
    of_first = await get(gateway, f"/api/v1/ledger?instance_id={first['id']}")
    of_second = await get(gateway, f"/api/v1/ledger?destination_id={goals[1]['id']}")
    assert [one["received"] for one in (total, of_first, of_second)] == [3, 2, 1]
    assert [one["deliveries"]["created"] for one in (total, of_first, of_second)] == [3, 2, 1]


async def test_a_changed_filter_is_tried_over_the_last_events_and_changes_nothing(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    for body in (BODY, b'{"nothing":"to remove"}'):
        await send(gateway, made, body)
    await receiver.wait(2)
    address = f"/api/v1/instances/{made['id']}/filter/preview"
    off = (await gateway.call("POST", address, json={"filter.response.nulls": False, "last": 10})).json
    assert (off["events"], off["changed"], off["complete"]) == (2, 1, True)
    unchanged, changed = off["items"]
    assert (unchanged["changes"], unchanged["bytes_now"], unchanged["bytes_then"]) == (False, 23, 23)
    assert changed["removed_now"]["pointers"] == ["/issue/closed", "/issue/labels/0/x~1y"]
    assert (changed["removed_then"], changed["bytes_then"]) == ({"count": 0, "pointers": []}, len(BODY))
    assert off["bytes_then"] - off["bytes_now"] == len(BODY) - changed["bytes_now"]
    same = (await gateway.call("POST", address, json={"filter.response.nulls": True, "last": 1})).json
    assert (same["events"], same["changed"]) == (1, 0)
    configured = (await gateway.call("GET", f"/instances/{made['id']}")).json["configuration"]
    assert configured["filter.response.nulls"] == "true"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"filter.response.nulls"}),
        ({"filter.response.nulls": "perhaps"}, {"filter.response.nulls"}),
        ({"filter.response.nulls": True, "last": 0}, {"last"}),
        ({"filter.response.nulls": True, "last": 501}, {"last"}),
        ({"filter.response.nulls": True, "last": True}, {"last"}),
        ({"filter.response.nulls": True, "first": 5}, {"first"}),
        ([], {"body"}),
    ],
)
async def test_a_preview_that_cannot_be_made_is_refused(sqlite_gateway: Gateway, body: object, wrong: set[str]) -> None:
    made = await sqlite_gateway.create("github")
    answered = await sqlite_gateway.call("POST", f"/api/v1/instances/{made['id']}/filter/preview", json=body)
    assert fields(answered) == wrong


ODD = [
    *("", "0", "-1", "1" * 40, "true", "null", "%00", "%ff%fe", "%ed%a0%80", "'", '"', "{}", "$1", "%25", "*", "é"),
    *("g", "2026-02-30", "9999-12-31T23:59:59Z", "0001-01-01", "2026-01-01T00:00:00+99:99", "x" * 3_000, "٣", "NaN"),
]
NAMES = [*FIELDS, "limit", "cursor", "body_hash", "event_id", "destination_id", "%00", "é", "a" * 200]


async def test_no_query_breaks_an_answer(gateway: Gateway) -> None:
    await send(gateway, await gateway.create("github"))
    dice = random.Random(3)
    queries = [f"{name}={value}" for name in NAMES for value in ODD]
    for query in [*dice.sample(queries, 150), *("&".join(dice.sample(queries, 3)) for _ in range(50))]:
        for path in ("/events", "/fate", "/ledger", "/destinations"):
            url = URL(f"{gateway.url}/api/v1{path}?{query}", encoded=True)
            async with gateway.session.get(url, headers=gateway.auth) as answered:
                assert answered.status in (200, 400, 404), (path, query, await answered.text())


async def test_what_a_preview_or_a_test_delivery_does_not_know_is_refused(sqlite_gateway: Gateway) -> None:
    one = f"/api/v1/instances/{(await sqlite_gateway.create('github'))['id']}"
    for path, wanted in (("/filter/preview", {"filter.response.nulls": True}), ("/send", {})):
        answered = await sqlite_gateway.call("POST", f"{one}{path}?fixture=red&dry_run=true", json=wanted)
        assert fields(answered) == {"fixture", "dry_run"}
    assert (await get(sqlite_gateway, EVENTS))["items"] == []


async def test_the_token_of_the_webhook_url_is_not_kept_where_a_proxy_wrote_the_path_into_a_header(
    sqlite_gateway: Gateway,
) -> None:
    made = await sqlite_gateway.create("github")
    token = made["webhookUrl"].rsplit("/", 1)[-1]
    headers = {**signed.github(made["webhookSecret"], BODY), "X-Forwarded-Uri": f"/in/{token}?a=1"}
    assert (await sqlite_gateway.send(f"{made['webhookUrl']}?from={token}", BODY, headers)).status == 200
    told = (await get(sqlite_gateway, f"{EVENTS}/{(await newest(sqlite_gateway))['id']}"))["request"]
    assert ["x-forwarded-uri", "[redacted]"] in told["headers"]
    assert told["query"] == "from=[redacted]"
    assert token not in str(told)
