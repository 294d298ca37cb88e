"""What a delivery may carry only once: a nonce that was seen with another body is a replay."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.change import short
from gateway.events import store as events
from gateway.proofs.received import Received
from gateway.storage.database import Database, Statement

Seen = Literal["never", "with this body", "with another body"]


@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce of an instance, and the hash of the body that it came with."""

    instance_id: int
    text: str
    body_hash: str

    def remember(self, now: int) -> Statement:
        """Keep it; Conflict where it is kept already."""
        return events.remember_nonce(self.instance_id, self.text, self.body_hash, now)


def nonce_of(instance_id: int, text: str, received: Received) -> Nonce:
    """The nonce of a delivery."""
    return Nonce(instance_id, short(text) or "", hashlib.sha256(received.body).hexdigest())


class Nonces:
    """The nonces that are in use at this moment, kept apart; those of before are rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns: dict[tuple[int, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, nonce: Nonce) -> AsyncIterator[None]:
        """The only one with this nonce until the block ends."""
        key = (nonce.instance_id, nonce.text)
        lock, waiting = self._turns.get(key, (asyncio.Lock(), 0))
        self._turns[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns.pop(key)
            if waiting > 1:
                self._turns[key] = (lock, waiting - 1)

    async def seen(self, nonce: Nonce) -> Seen:
        """Whether the instance has met it before."""
        body_hash = await events.body_of_nonce(self._database, nonce.instance_id, nonce.text)
        if body_hash is None:
            return "never"
        return "with this body" if body_hash == nonce.body_hash else "with another body"
