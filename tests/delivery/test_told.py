"""What an attempt leaves behind for whoever asks later."""

from pathlib import Path

import orjson
from aiohttp import web

from tests.delivery.road import attempts, send, until
from tests.kit.consumer import Arrived, Consumer
from tests.kit.gateway import NOWHERE, Gateway, settings, started

SECRET_ANSWER = {"Set-Cookie": "session=opens-everything", "X-Trace": "t-1"}


async def _answer(_: Arrived) -> web.StreamResponse:
    return web.Response(text="thank you", headers=SECRET_ANSWER)


async def test_an_attempt_keeps_its_phases_and_the_answer_without_what_opens_something(
    tmp_path: Path, database_url: str, receiver: Consumer
) -> None:
    receiver.answer = _answer
    async with started(settings(tmp_path, database_url)) as gateway:
        await send(gateway, await gateway.create("github", receiver.url()))
        await until(gateway, delivered=1)
        [made] = await attempts(gateway)
    assert made["status"] == 200
    assert bytes(made["answer"]) == b"thank you"
    assert 0 <= made["connect_ms"] <= made["head_ms"] <= made["duration_ms"]
    headers = dict(orjson.loads(made["headers"]))
    assert (headers["x-trace"], headers["set-cookie"]) == ("t-1", "[redacted]")


async def test_with_answers_switched_off_an_attempt_keeps_its_status_and_times_alone(
    tmp_path: Path, receiver: Consumer
) -> None:
    receiver.answer = _answer
    async with started(settings(tmp_path, "", retention={"answers": False})) as gateway:
        await send(gateway, await gateway.create("github", receiver.url()))
        await until(gateway, delivered=1)
        [made] = await attempts(gateway)
    assert (made["status"], bytes(made["answer"]), made["headers"]) == (200, b"", None)
    assert made["head_ms"] is not None


async def test_an_event_keeps_the_request_that_brought_it_without_what_opens_something(
    tmp_path: Path, database_url: str
) -> None:
    async with started(settings(tmp_path, database_url)) as gateway:
        wanted = {"token": "glpat-1234", "project": "1", "webhook.secret": "the-shared-secret", **NOWHERE}
        made = await gateway.create("gitlab", **wanted)
        body = orjson.dumps({"object_kind": "push", "project_id": 1})
        headers = {
            "Content-Type": "application/json",
            "X-Gitlab-Token": "the-shared-secret",
            "X-Gitlab-Event": "Push Hook",
            "X-Odd": "it says the-shared-secret too",
        }
        assert (await gateway.send(made["webhookUrl"] + "?page=1&note=the-shared-secret", body, headers)).status == 200
        [row] = await gateway.running.services.runtime.database.all("SELECT request, body_hash, routed FROM events")
    told = orjson.loads(row["request"])
    kept = dict(told["headers"])
    assert (told["method"], told["query"], told["remote"]) == ("POST", "page=1&note=[redacted]", "127.0.0.1")
    assert kept["x-gitlab-event"] == "Push Hook"
    assert kept["x-gitlab-token"] == kept["x-odd"] == "[redacted]"
    assert (len(row["body_hash"]), row["routed"]) == (32, 0)


async def _echo(one: Arrived) -> web.StreamResponse:
    filler = "." * 1_000
    told = {"X-Opens": one.headers["X-Opens"], "X-Basic": one.headers["Authorization"]}
    return web.Response(text=f"{told['X-Basic']} {filler} {told['X-Opens']}", headers=told)


async def test_a_consumer_that_answers_with_what_it_was_sent_puts_no_secret_into_the_history(
    sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    receiver.answer = _echo
    values = {
        "event.notification.callback.headers": "X-Opens: everything-there-is",
        "event.notification.basic.username": "somebody",
        "event.notification.basic.password": "a-long-password",
    }
    await send(sqlite_gateway, await sqlite_gateway.create("github", receiver.url(), **values))
    await until(sqlite_gateway, delivered=1)
    [made] = await attempts(sqlite_gateway)
    basic = receiver.arrived[0].headers["Authorization"].removeprefix("Basic ").encode()
    kept = bytes(made["answer"]) + made["headers"].encode()
    assert kept.count(b"[redacted]") >= 2
    for part in (b"everything", basic[:8]):
        assert part not in kept
