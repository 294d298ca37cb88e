"""The aiohttp client as a unit: what it makes of statuses and of aiohttp's exceptions."""

import aiohttp
import pytest

from gateway.egress.guard import Guard
from gateway.egress.model import Answer, Failure, Request
from gateway.egress.open import open_client
from tests.kit.mocked import mocked

URL = "http://127.0.0.1:9/hook"


async def _sent(answers: dict[str, object]) -> Answer | Failure:
    guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8"])
    async with open_client("aiohttp", guard) as client:
        with mocked() as told:
            told.post(URL, **answers)
            return await client.send(Request(method="POST", url=URL, headers=(), body=b"{}", timeout=5))


@pytest.mark.parametrize("status", [200, 204, 301, 307, 400, 410, 429, 500, 503])
async def test_every_status_is_an_answer(status: int) -> None:
    outcome = await _sent({"status": status, "body": b"said", "headers": {"Retry-After": "7"}})
    assert isinstance(outcome, Answer)
    assert outcome.status == status


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "timeout"),
        (aiohttp.ServerDisconnectedError(), "reset"),
        (aiohttp.ClientOSError(104, "reset"), "reset"),
        (aiohttp.ClientPayloadError("cut"), "reset"),
    ],
)
async def test_an_exception_is_a_failure_with_its_reason(error: Exception, reason: str) -> None:
    outcome = await _sent({"exception": error, "repeat": True})
    assert isinstance(outcome, Failure)
    assert outcome.reason in (reason, "protocol")
