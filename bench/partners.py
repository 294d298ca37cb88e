"""Lines about partners' accounts: method calls as Cyclr's wire makes them, and long lists of accounts."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import aiohttp
import orjson

from bench.calls import CONNECTIONS, field
from bench.line import Line, ratio
from bench.load import closed
from bench.process import Server, server
from bench.single import program

_ACCOUNTS = 100_000
_PAGE = 100
_LOOKS = 40


@dataclass
class Wire:
    """How the account API of a gateway is called."""

    session: aiohttp.ClientSession
    headers: dict[str, str]

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        async with self.session.request(method, path, headers=self.headers, **options) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{method} {path} was answered {answer.status}: {await answer.text()}")
            return await answer.json(content_type=None)


async def lines(number: int, rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """All lines of this part."""
    return [await _calls(number, rounds, tell), await _pages(rounds, tell)]


async def _calls(number: int, rounds: int, tell: Callable[[str], None]) -> Line:
    ratios, figures = [], []
    async with field() as servers:
        request = await _prepared(servers.gateway)
        plain = _post("/things/1", b"{}", {})
        for turn in range(rounds + 1):
            theirs = await _rate(servers.forwarder.port, plain, number)
            ours = await _rate(servers.gateway.port, request, number)
            if turn:  # the first round warms up
                ratios.append(ours / theirs)
                figures.append((ours, theirs))
            tell(f"method calls: {ours:.0f}/s against {theirs:.0f}/s")
    detail = f"{median(one for one, _ in figures):.0f}/s against {median(two for _, two in figures):.0f}/s"
    name = "`POST …/methods/{id}` a second, authorised and charged"
    return ratio(name, "an aiohttp handler that gets and passes on", ratios, 0.65, at_least=True, detail=detail)


async def _rate(port: int, request: bytes, number: int) -> float:
    result = await closed(port, [request] * number, CONNECTIONS)
    if set(result.statuses) != {200}:
        raise RuntimeError(f"not every call was answered 200: {result.statuses}")
    return result.rate


async def _wire(session: aiohttp.ClientSession, gateway: Server) -> Wire:
    async with session.post("/oauth/token", data={"grant_type": "client_credentials", **gateway.said["client"]}) as got:
        token = (await got.json())["access_token"]
    return Wire(session, {"Authorization": f"Bearer {token}"})


async def _prepared(gateway: Server) -> bytes:
    """One request to the only method of the benchmark's connector that takes an id."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session:
        wire = await _wire(session, gateway)
        await wire.ask("PUT", "/api/v1/ip-allow-list", json={"list": "calls", "entries": ["127.0.0.1"]})
        [account] = await wire.ask("GET", "/v1.0/accounts")
        wire.headers["X-Cyclr-Account"] = account["Id"]
        [installed] = await wire.ask("GET", "/v1.0/account/connectors")
        methods = await wire.ask("GET", "/v1.0/connectors/Benchmark/methods", params={"query": "thing"})
        parameter = methods[0]["Parameters"][0]["Id"]
        path = f"/v1.0/account/connectors/{installed['Id']}/methods/{methods[0]['Id']}"
        return _post(path, orjson.dumps({"Parameters": {str(parameter): "1"}}), wire.headers)


def _post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def _pages(rounds: int, tell: Callable[[str], None]) -> Line:
    """How long the last page takes against the first; the larger of both over the smaller."""
    ratios, detail = [], ""
    with tempfile.TemporaryDirectory() as folder:
        await program("fill_accounts", folder=folder, number=_ACCOUNTS)
        async with (
            server("gateway", folder=folder) as gateway,
            aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
        ):
            wire = await _wire(session, gateway)
            for turn in range(rounds + 1):
                first, last = await _took(wire, 1), await _took(wire, _ACCOUNTS // _PAGE)
                if turn:
                    ratios.append(max(first, last) / min(first, last))
                    detail = f"{1e3 * first:.1f} ms and {1e3 * last:.1f} ms"
                tell(f"accounts: page 1 in {1e3 * first:.1f} ms, page {_ACCOUNTS // _PAGE} in {1e3 * last:.1f} ms")
    name = f"page {_ACCOUNTS // _PAGE} of {_ACCOUNTS:,} accounts, or page 1, whichever is slower"
    return ratio(name, "the other one", ratios, 1.5, at_least=False, detail=detail)


async def _took(wire: Wire, page: int) -> float:
    took = []
    for _ in range(_LOOKS):
        began = time.monotonic()
        await wire.ask("GET", "/v1.0/accounts", params={"page": page, "pageSize": _PAGE})
        took.append(time.monotonic() - began)
    return median(took)
