"""The vendor's road over real HTTP: who is let in, what is answered, and what reaches the consumer to the byte."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import io
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StorageDown
from gateway.inbound import routes, wire
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Answered, Gateway, settings, started

GUESSABLE = "/elements/api-v2/events/github"
OBJECT = b'{"action":"opened","issue":{"id":7}}'


async def send(gateway: Gateway, made: dict[str, Any], body: bytes, **headers: str) -> Answered:
    return await gateway.send(made["webhookUrl"], body, {**signed.github(made["webhookSecret"], body), **headers})


async def settled(gateway: Gateway) -> dict[str, int]:
    """The ledger once what is counted without waiting is in it too."""
    await asyncio.sleep(0.1)
    return await gateway.ledger()


async def refusals(gateway: Gateway) -> list[str]:
    """Why requests were refused, as rows tell it."""
    await asyncio.sleep(0.1)
    sql = "SELECT failed_check FROM refusals WHERE outcome = 'refused' ORDER BY id"
    rows = await gateway.running.services.runtime.database.all(sql)
    return [row["failed_check"] for row in rows]


async def in_chunks(body: bytes) -> Any:
    for start in range(0, len(body), 7):
        yield body[start : start + 7]


async def test_a_wrong_missing_or_foreign_signature_is_401(gateway: Gateway) -> None:
    made, other = await gateway.create("github"), await gateway.create("github")
    good = signed.github(made["webhookSecret"], OBJECT)
    name = "X-Hub-Signature-256"
    for headers in (
        {key: value for key, value in good.items() if key != name},
        {**good, name: ""},
        {**good, name: "sha256=00"},
        {**good, name: good[name].replace("sha256=", "sha1=")},
        signed.github(other["webhookSecret"], OBJECT),
        signed.github(made["webhookSecret"], OBJECT + b" "),
    ):
        assert (await gateway.send(made["webhookUrl"], OBJECT, headers)).status == 401
    ledger = await settled(gateway)
    assert (ledger["received"], ledger["refused"], ledger["accepted"]) == (6, 6, 0)


async def test_a_stale_timestamp_is_401(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic", **{"authentication.type": "none"})
    stale = signed.standard(made["webhookSecret"], OBJECT, at=1_600_000_000)
    assert (await sqlite_gateway.send(made["webhookUrl"], OBJECT, stale)).status == 401
    fresh = signed.standard(made["webhookSecret"], OBJECT)
    assert (await sqlite_gateway.send(made["webhookUrl"], OBJECT, fresh)).status == 200


async def test_an_unknown_or_malformed_token_is_404(gateway: Gateway) -> None:
    for token in ("x", "A" * 43, "A" * 5000, "%00", "%ff", "a%2fb", "é", "..;"):
        for method in ("POST", "GET"):
            answered = await gateway.call(method, f"/in/{token}", headers={}, data=b"{}" if method == "POST" else None)
            assert answered.status == 404, (token, method)


async def test_an_instance_that_takes_no_events_answers_200_and_ignores(gateway: Gateway, receiver: Consumer) -> None:
    off = await gateway.create("github", receiver.url(), **{"event.notification.enabled": False})
    disabled = await gateway.create("github", receiver.url())
    await gateway.call("DELETE", f"/instances/{disabled['id']}/enabled")
    for made in (off, disabled):
        assert (await send(gateway, made, OBJECT)).status == 200
        assert (await gateway.send(made["webhookUrl"], OBJECT, signed.github("wrong", OBJECT))).status == 401
    await gateway.call("PUT", f"/instances/{disabled['id']}/enabled")
    assert (await send(gateway, disabled, OBJECT)).status == 200
    await receiver.wait(1)
    ledger = await settled(gateway)
    assert (ledger["ignored"], ledger["refused"], ledger["accepted"]) == (2, 2, 1)


async def test_fifty_of_the_same_at_once_are_one_event(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    headers = signed.github(made["webhookSecret"], OBJECT)
    answers = await asyncio.gather(*(gateway.send(made["webhookUrl"], OBJECT, headers) for _ in range(50)))
    assert {answered.status for answered in answers} == {200}
    await receiver.wait(1)
    ledger = await settled(gateway)
    assert (ledger["received"], ledger["accepted"], ledger["duplicate"]) == (50, 1, 49)
    assert len(receiver.arrived) == 1


@pytest.mark.parametrize("way", ["plain", "chunked"])
async def test_a_body_over_the_limit_is_413_while_it_streams(tmp_path: Path, way: str) -> None:
    small = settings(tmp_path, "", inbound={"max_body": "2KiB", "max_body_ceiling": "4KiB"})
    async with started(small) as gateway:
        made = await gateway.create("generic", **{"authentication.type": "none"})
        fitting = b'"' + b"a" * 2046 + b'"'
        answered = await gateway.send(made["webhookUrl"], fitting, signed.standard(made["webhookSecret"], fitting))
        assert answered.status == 200
        over = b'"' + b"a" * 2047 + b'"'
        data: Any = over if way == "plain" else in_chunks(over)
        headers = signed.standard(made["webhookSecret"], over)
        assert (await gateway.call("POST", made["webhookUrl"], data=data, headers=headers)).status == 413
        assert await refusals(gateway) == ["too_large"]
        assert await endless(gateway, made["webhookUrl"]) < 1 << 20


async def endless(gateway: Gateway, url: str) -> int:
    """How many bytes of a body without end are taken before the answer 413."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    path = url.removeprefix(gateway.url)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    answer = asyncio.create_task(reader.readline())
    sent = 0
    while not answer.done() and sent < 8 << 20:
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        sent += 1024
        await asyncio.sleep(0.001)
    assert b" 413 " in await answer
    await hang_up(writer)
    return sent


@pytest.mark.parametrize("head", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_body_slower_than_the_deadline_is_cut_off(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    monkeypatch.setattr(routes, "BODY_DEADLINE_S", 0.2)
    monkeypatch.setattr(wire, "ARRIVAL_S", 0.2)
    made = await sqlite_gateway.create("github")
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_gateway.running.port)
    path = made["webhookUrl"].removeprefix(sqlite_gateway.url)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n5\r\n".encode())
    async with asyncio.timeout(8):
        answer = await reader.readline()
    assert b" 408 " in answer
    await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_the_rate_limit_answers_429_with_retry_after_before_any_work(tmp_path: Path) -> None:
    async with started(settings(tmp_path, "", inbound={"rate_limit": 5})) as gateway:
        made, other = await gateway.create("github"), await gateway.create("github")
        answers = [await send(gateway, made, b'{"n":%d}' % number) for number in range(12)]
        statuses = [answered.status for answered in answers]
        assert statuses[:5] == [200] * 5
        assert 429 in statuses
        limited = answers[statuses.index(429)]
        assert int(limited.headers["Retry-After"]) >= 1
        assert (await send(gateway, other, OBJECT)).status == 200
        await asyncio.sleep(0.5)
        assert (await send(gateway, made, OBJECT)).status == 200


async def test_a_store_that_cannot_commit_is_503_with_retry_after_and_never_2xx(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await sqlite_gateway.create("github")
    known, unknown = made["webhookUrl"], f"{sqlite_gateway.url}/in/{'A' * 43}"
    assert (await send(sqlite_gateway, made, OBJECT)).status == 200

    def broken(*_: object) -> None:
        raise StorageDown("the disk is full")

    database: Any = sqlite_gateway.running.services.runtime.database
    monkeypatch.setattr(database, "_free", broken)
    headers = signed.github(made["webhookSecret"], OBJECT)
    answered = await sqlite_gateway.send(known, OBJECT, headers)
    assert (answered.status, int(answered.headers["Retry-After"]) >= 1) == (503, True)
    assert (await sqlite_gateway.send(unknown, OBJECT, headers)).status == 404
    api = await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json={"tags": ["x"]})
    assert (api.status, api.headers["Retry-After"]) == (503, "5")
    assert b"disk" not in api.body
    monkeypatch.undo()
    assert (await sqlite_gateway.send(known, OBJECT, headers)).status == 200
    ledger = await settled(sqlite_gateway)
    assert (ledger["accepted"], ledger["duplicate"]) == (2, 0)


async def test_a_form_a_query_and_a_head_request_become_objects(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create(
        "generic",
        receiver.url(),
        **{"authentication.type": "none", "webhook.verify": "none", "object.id.path": "id", "event.type.path": "t"},
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await gateway.send(made["webhookUrl"], b"t=lead.created&id=7&x=%C3%A9&x=b+c", form)).status == 200
    assert (await gateway.call("GET", made["webhookUrl"] + "?t=lead.deleted&id=8", headers={})).status == 200
    assert (await gateway.call("HEAD", made["webhookUrl"] + "?id=9", headers={})).status == 200
    assert (await gateway.call("POST", made["webhookUrl"] + "?id=10", headers={})).status == 200
    messages = [json.loads(one.body)["message"] for one in await receiver.wait(4)]
    found = {message["events"][0]["objectId"]: message["raw"] for message in messages}
    assert found["7"] == {"t": "lead.created", "id": "7", "x": ["é", "b c"]}
    assert found["8"] == {"t": "lead.deleted", "id": "8"}
    assert (found["9"], found["10"]) == ({"id": "9"}, {"id": "10"})


async def test_other_methods_are_405(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        answered = await sqlite_gateway.call(method, made["webhookUrl"], headers={})
        assert answered.status == 405, method
        assert "POST" in answered.headers["Allow"]


async def test_the_guessable_urls_take_what_is_signed(gateway: Gateway, receiver: Consumer) -> None:
    first, second = (
        await gateway.create("github", receiver.url("/1")),
        await gateway.create("github", receiver.url("/2")),
    )
    encoded = base64.b64encode(str(first["id"]).encode()).decode()
    headers = signed.github(first["webhookSecret"], OBJECT)
    assert (await gateway.send(f"{GUESSABLE}/{encoded}", OBJECT, headers)).status == 200
    assert (await gateway.send(f"{GUESSABLE}/{encoded.rstrip('=')}", OBJECT, headers)).status == 200
    by_header = {**signed.github(second["webhookSecret"], OBJECT), "Element-Instances": f" {second['id']} "}
    assert (await gateway.send(GUESSABLE, OBJECT, by_header)).status == 200
    assert sorted(one.path for one in await receiver.wait(2)) == ["/1", "/2"]
    ledger = await settled(gateway)
    assert (ledger["accepted"], ledger["duplicate"]) == (2, 1)


async def test_the_header_names_several_instances_and_each_gets_its_event(
    sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    made = [
        await sqlite_gateway.create("github", receiver.url(f"/{number}"), **{"webhook.secret": "shared"})
        for number in range(3)
    ]
    ids = ",".join(str(one["id"]) for one in made)
    headers = {**signed.github("shared", OBJECT), "Element-Instances": ids}
    assert (await sqlite_gateway.send(GUESSABLE, OBJECT, headers)).status == 200
    assert sorted(one.path for one in await receiver.wait(3)) == ["/0", "/1", "/2"]


async def test_a_guess_that_meets_nothing_is_404(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    encoded = base64.b64encode(str(made["id"]).encode()).decode()
    for path in (
        f"/elements/api-v2/events/closeio/{encoded}",
        f"{GUESSABLE}/{base64.b64encode(b'999').decode()}",
        *(f"{GUESSABLE}/{text}" for text in ("x", "MQ%3D%3D%3D", "4pGg", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "%00")),
    ):
        assert (await sqlite_gateway.send(path, OBJECT, signed.github(made["webhookSecret"], OBJECT))).status == 404
    for ids in ("", "x", "0", "9" * 30, "9" * 5000, ",".join(["1"] * 3000), "-1", "²"):
        headers = {"Element-Instances": ids.encode().decode("latin-1")}
        answered = await sqlite_gateway.send(GUESSABLE, OBJECT, headers)
        assert answered.status == (401 if ids.startswith("1,") else 404), ids[:20]


async def test_the_guessable_urls_need_a_proof_unless_the_operator_allows_them(
    tmp_path: Path, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    unproved = {"authentication.type": "none", "webhook.verify": "none"}
    allowing = settings(tmp_path / "second", "", inbound={"allow_guessable_urls": True})
    async with started(allowing) as allowed:
        for gateway, status in ((sqlite_gateway, 404), (allowed, 200)):
            made = await gateway.create("generic", receiver.url(), **unproved)
            encoded = base64.b64encode(str(made["id"]).encode()).decode()
            path = f"/elements/api-v2/events/generic/{encoded}"
            assert (await gateway.send(path, OBJECT, {"Content-Type": "application/json"})).status == status


async def test_close_and_generic_hmac_are_received_too(gateway: Gateway, receiver: Consumer) -> None:
    key = "ab" * 32
    close = await gateway.create("closeio", receiver.url(), **{"webhook.signature.key": key})
    body = b'{"event":{"id":"ev_1","object_type":"lead","object_id":"lead_1","action":"created","data":null}}'
    assert (await gateway.send(close["webhookUrl"], body, signed.close(key, body))).status == 200
    assert (await gateway.send(close["webhookUrl"], body, signed.close("cd" * 32, body))).status == 401
    generic = await gateway.create(
        "generic", receiver.url(), **{"authentication.type": "none", "webhook.verify": "hmac"}
    )
    digest = hmac.new(generic["webhookSecret"].encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Signature": digest}
    assert (await gateway.send(generic["webhookUrl"], body, headers)).status == 200
    arrived = await receiver.wait(2)
    assert b"data" not in arrived[0].body


async def test_large_bodies_that_are_allowed_arrive_whole(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    body = b'{"text":"' + b"a" * (3 << 20) + b'"}'
    headers = signed.github(made["webhookSecret"], body)
    answered = await sqlite_gateway.call("POST", made["webhookUrl"], data=io.BytesIO(body), headers=headers)
    assert answered.status == 200
    [arrived] = await receiver.wait(1)
    assert arrived.body.endswith(body + b"}}")
