"""The vendors' side: signed deliveries at a bounded rate, sent again with the same id until they are acknowledged."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.kit import signed

SENDERS = 8
RATE = 120

Sign = Callable[[str, bytes, str], Mapping[str, str]]
_SIGN: dict[str, Sign] = {
    "github": lambda secret, body, delivery: signed.github(secret, body, delivery=delivery),
    "generic": lambda secret, body, delivery: signed.standard(secret, body, message_id=delivery),
}


@dataclass
class Vendor:
    """What was sent, and when it was first acknowledged with a 2xx."""

    session: aiohttp.ClientSession
    instances: list[tuple[str, dict[str, Any]]]
    dice: random.Random
    sent: int = 0
    acknowledged: dict[str, float] = field(default_factory=dict)
    stopping: bool = False

    async def send_all(self) -> None:
        """Send until told to stop; whatever was begun is seen through."""
        await asyncio.gather(*(self._sender() for _ in range(SENDERS)))

    async def _sender(self) -> None:
        while not self.stopping:
            began = time.monotonic()
            await self._deliver()
            await asyncio.sleep(max(0.0, SENDERS / RATE - (time.monotonic() - began)))

    async def _deliver(self) -> None:
        connector, instance = self.dice.choices(self.instances, weights=[6, 2, 2])[0]
        delivery = uuid.uuid4().hex
        issue = {"id": self.sent, "title": "x" * self.dice.randrange(2000), "body": None}
        body = orjson.dumps({"delivery": delivery, "action": "opened", "issue": issue})
        self.sent += 1
        headers = _SIGN[connector](instance["webhookSecret"], body, delivery)
        await self._until_acknowledged(instance["webhookUrl"], body, headers)
        self.acknowledged[delivery] = time.monotonic()

    async def _until_acknowledged(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        for _ in range(2_000):
            if await self._acknowledged(url, body, headers):
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(url)

    async def _acknowledged(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            async with self.session.post(url, data=body, headers=headers) as answer:
                if answer.status in (200, 202, 204):
                    return True
                assert answer.status >= 500, f"{answer.status} {await answer.text()}"
        except aiohttp.ClientError:
            pass
        return False


async def send_one(session: aiohttp.ClientSession, made: Mapping[str, Any], size: int = 0) -> str:
    """One GitHub delivery that must be acknowledged; its id."""
    delivery = uuid.uuid4().hex
    assert await post(session, made, delivery, size) == 200
    return delivery


async def post(session: aiohttp.ClientSession, made: Mapping[str, Any], delivery: str, size: int = 0) -> int:
    """One GitHub delivery; the status of its answer."""
    body = orjson.dumps({"delivery": delivery, "action": "opened", "issue": {"id": 1, "title": "x" * size}})
    headers = signed.github(made["webhookSecret"], body, delivery=delivery)
    async with session.post(made["webhookUrl"], data=body, headers=headers) as answer:
        return answer.status
