"""Handshakes that act: a secret that is kept once, an address that is confirmed, probes of every method."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.egress.certificates import Authority, trusted_by_default
from tests.kit.gateway import Answered, Gateway, started
from tests.kit.vendors import signed, with_vendors

BODY = b'{"type":"t"}'


@pytest.fixture
async def shy(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway on each engine that knows the vendors of the tests."""
    async with started(with_vendors(tmp_path, database_url)) as found:
        yield found


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[Gateway]:
    """The same on SQLite."""
    async with started(with_vendors(tmp_path, "")) as found:
        yield found


async def hand_over(gateway: Gateway, url: str, secret: str) -> Answered:
    return await gateway.call("POST", url, headers={"X-Hook-Secret": secret}, data=b"")


async def checks(gateway: Gateway) -> list[str]:
    await asyncio.sleep(0.1)
    sql = "SELECT failed_check FROM refusals WHERE outcome = 'refused' ORDER BY id"
    rows = await gateway.running.services.runtime.database.all(sql)
    return [row["failed_check"] for row in rows]


async def test_a_secret_is_kept_once_and_verifies_from_then_on(
    shy: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await shy.create("shy")
    url = made["webhookUrl"]
    assert (await shy.send(url, BODY, signed("the secret", BODY))).status == 401
    for _ in range(2):
        answered = await hand_over(shy, url, "the secret")
        assert (answered.status, answered.headers["X-Hook-Secret"]) == (200, "the secret")
    assert (await shy.send(url, BODY, signed("the secret", BODY))).status == 200
    assert (await hand_over(shy, url, "another")).status == 403
    assert (await shy.send(url, BODY, signed("another", BODY))).status == 401
    assert sorted(await checks(shy)) == ["already_saved", "missing_secret", "signature_mismatch"]
    database = shy.running.services.runtime.database
    row = await database.one("SELECT * FROM configuration WHERE key = 'hook.secret' AND instance_id = $1", made["id"])
    assert row is not None
    assert row["value"] is None
    assert b"the secret" not in bytes(row["sealed"])
    shown = await shy.call("GET", f"/instances/{made['id']}")
    assert b"the secret" not in shown.body
    assert "the secret" not in capsys.readouterr().out


async def test_of_many_secrets_at_once_one_is_kept(shy: Gateway) -> None:
    made = await shy.create("shy")
    answers = await asyncio.gather(*(hand_over(shy, made["webhookUrl"], f"secret {n}") for n in range(20)))
    kept = [n for n, answered in enumerate(answers) if answered.status == 200]
    assert len(kept) == 1
    assert {answered.status for n, answered in enumerate(answers) if n not in kept} == {403}
    assert (await shy.send(made["webhookUrl"], BODY, signed(f"secret {kept[0]}", BODY))).status == 200


async def test_a_secret_that_a_caller_set_is_never_replaced(lone: Gateway) -> None:
    made = await lone.create("shy", **{"hook.secret": "mine"})
    assert (await hand_over(lone, made["webhookUrl"], "theirs")).status == 403
    assert (await hand_over(lone, made["webhookUrl"], "mine")).status == 200
    await lone.call("PATCH", f"/instances/{made['id']}", json={"configuration": {"hook.secret": None}})
    assert (await hand_over(lone, made["webhookUrl"], "theirs")).status == 200


async def test_an_empty_or_endless_secret_is_refused_and_nothing_kept(lone: Gateway) -> None:
    made = await lone.create("shy")
    for value in ("", "s" * 1025):
        assert (await hand_over(lone, made["webhookUrl"], value)).status == 403
    assert (await hand_over(lone, made["webhookUrl"], "s" * 1024)).status == 200


async def test_a_url_that_everybody_can_guess_takes_no_secret(lone: Gateway) -> None:
    made = await lone.create("shy")
    encoded = base64.b64encode(str(made["id"]).encode()).decode()
    url = "/elements/api-v2/events/shy"
    assert (await hand_over(lone, f"{url}/{encoded}", "planted")).status == 403
    named = {"X-Hook-Secret": "planted", "Element-Instances": str(made["id"])}
    assert (await lone.call("POST", url, headers=named)).status == 403
    assert (await hand_over(lone, url, "planted")).status == 404
    assert (await hand_over(lone, made["webhookUrl"], "the vendor's")).status == 200
    assert await checks(lone) == ["handshake_unproved"] * 2


async def test_probes_with_get_and_head_are_answered_on_every_url_of_an_instance(lone: Gateway) -> None:
    made = await lone.create("shy")
    encoded = base64.b64encode(str(made["id"]).encode()).decode()
    named = {"Element-Instances": str(made["id"])}
    app = lone.url + "/elements/api-v2/events/shy"
    for url, headers in ((made["webhookUrl"], {}), (f"{app}/{encoded}", {}), (app, named)):
        answered = await lone.call("GET", url, headers=headers)
        assert (answered.status, answered.body) == (200, b"here")
        answered = await lone.call("HEAD", url, headers=headers)
        assert (answered.status, answered.body, answered.headers["Content-Length"]) == (200, b"", "4")


async def test_an_answer_to_head_has_no_body_on_the_wire(lone: Gateway) -> None:
    made = await lone.create("shy")
    path = made["webhookUrl"].removeprefix(lone.url)
    reader, writer = await asyncio.open_connection("127.0.0.1", lone.running.port)
    writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")
    writer.close()


async def test_a_method_that_is_neither_declared_nor_a_probe_is_405_and_kept(lone: Gateway) -> None:
    made = await lone.create("shy")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        answered = await lone.call(method, made["webhookUrl"], headers={})
        assert (answered.status, answered.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert await checks(lone) == ["method_not_allowed"] * 4
    ledger = await lone.ledger()
    assert (ledger["received"], ledger["refused"]) == (4, 4)


class Vendor:
    """A vendor's own address, behind TLS."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        return web.Response(status=self.status, headers={"Location": f"https://localhost:{self.port}/elsewhere"})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with trusted_by_default(tmp_path_factory.mktemp("authority")) as found:
        yield found


@asynccontextmanager
async def vendor(authority: Authority) -> AsyncIterator[Vendor]:
    found = Vendor()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=authority.server("localhost")).start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()


async def confirm(gateway: Gateway, made: dict[str, Any], url: str) -> Answered:
    body = json.dumps({"type": "confirm", "url": url}).encode()
    return await gateway.send(made["webhookUrl"], body, {"Content-Type": "application/json"})


async def test_an_address_is_confirmed_before_the_answer(authority: Authority, tmp_path: Path) -> None:
    async with vendor(authority) as sns:
        hosts = json.dumps([f"localhost:{sns.port}"])
        async with started(with_vendors(tmp_path, "", confirm_hosts=hosts)) as gateway:
            made = await gateway.create("shy")
            good = f"https://localhost:{sns.port}/?Action=Confirm&Token=t"
            answered = await confirm(gateway, made, good)
            assert (answered.status, answered.body) == (200, b"confirmed")
            assert sns.asked == ["/?Action=Confirm&Token=t"]
            for status in (302, 307, 404, 500):
                sns.status, sns.asked[:] = status, []
                answered = await confirm(gateway, made, good)
                assert (answered.status, answered.headers["Retry-After"]) == (503, "5")
                assert sns.asked == ["/?Action=Confirm&Token=t"]
            sns.asked.clear()
            for url in (
                f"http://localhost:{sns.port}/",
                f"https://127.0.0.1:{sns.port}/",
                f"https://localhost:{sns.port}@127.0.0.1:{sns.port}/",
                f"https://localhost:{sns.port + 1}/",
                "https://localhost/",
                "",
            ):
                assert (await confirm(gateway, made, url)).status == 403
            assert sns.asked == []
            assert (await gateway.ledger())["received"] == 0


async def test_an_address_inside_is_not_called_even_where_the_file_names_it(
    authority: Authority, tmp_path: Path
) -> None:
    async with vendor(authority) as sns:
        hosts = json.dumps([f"localhost:{sns.port}"])
        closed = with_vendors(tmp_path, "", confirm_hosts=hosts, egress={"allow_http": False, "allow_networks": []})
        async with started(closed) as gateway:
            made = await gateway.create("shy")
            assert (await confirm(gateway, made, f"https://localhost:{sns.port}/")).status == 503
        assert sns.asked == []
