"""The public keys that vendors publish: fetched when a delivery needs one, and kept in memory for a while."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from gateway.egress.model import Answer, Client, Failure, Request
from gateway.proofs.certificates import read_chain
from gateway.proofs.pinned import is_pinned
from gateway.proofs.proof import Keys, KeySource, Rejected

FRESH_S = 3600.0
USABLE_S = 86_400.0
FAILED_S = 10.0
ANOTHER_KEY_S = 60.0
TIMEOUT_S = 5.0
MAX_ANSWER = 256 << 10
MAX_KEPT = 1000
MAX_KEPT_BYTES = 32 << 20
MAX_AT_ONCE = 8
MAX_NEW_A_MINUTE = 60

_ACCEPT = (("accept", "application/json, application/pem-certificate-chain, */*;q=0.5"),)
_REFUSING = frozenset({"forbidden_address", "invalid_url", "invalid_method", "invalid_header"})
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Outage:
    """The key could not be fetched now; the vendor should send again, since nobody knows whether the proof is good."""

    detail: str


Ask = Callable[[], Awaitable[bytes | Rejected | Outage]]
Place = tuple[str, str, tuple[str, ...]]


@dataclass(slots=True)
class _Kept:
    text: bytes
    at: float


@dataclass(frozen=True, slots=True)
class _Failed:
    outcome: Rejected | Outage
    at: float


class KeyStore(Keys):
    """Fetches for this node; one question at a time for each source."""

    def __init__(self, client: Client, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._kept: OrderedDict[Place, _Kept] = OrderedDict()
        self._kept_bytes = 0
        self._failed: OrderedDict[Place, _Failed] = OrderedDict()
        self._under_way: dict[Place, asyncio.Task[Rejected | Outage | None]] = {}
        self._room = asyncio.Semaphore(MAX_AT_ONCE)
        self._new: deque[float] = deque(maxlen=MAX_NEW_A_MINUTE)

    def known(self, source: KeySource) -> bytes | None:
        """The text that the source answered; None where it should be asked, for the first time or again."""
        place = _place(source)
        kept = self._kept.get(place)
        if kept is None:
            return None
        age = self._now() - kept.at
        failed = self._failure(place) is not None
        if age >= USABLE_S or (age >= FRESH_S and not failed):
            return None
        if age >= ANOTHER_KEY_S and not _mentions(kept.text, source.key_id):
            return None
        self._kept.move_to_end(place)
        return kept.text

    async def fetch(self, source: KeySource, ask: Ask | None = None) -> Rejected | Outage | None:
        """Make a key known; None when it is, or when an earlier answer may still be used.

        `ask` is how a key is had that only a method of the vendor tells.
        """
        if source.kind == "method" and ask is None:
            return Rejected("key_unavailable", "the vendor must be asked by a method, and nobody can here")
        if source.kind != "method" and not is_pinned(source.where, source.hosts):
            return Rejected("key_unavailable", "the address of the key is not on a host that the connector names")
        place = _place(source)
        outcome: Rejected | Outage | None = self._failure(place)
        if outcome is None:
            outcome = await asyncio.shield(self._task(place, source, ask))
        return None if outcome is None or self.known(source) is not None else outcome

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, place: Place, source: KeySource, ask: Ask | None) -> "asyncio.Task[Rejected | Outage | None]":
        task = self._under_way.get(place)
        if task is None:
            # A task of its own: whoever waits for it may go away, and others wait for it too.
            task = self._under_way[place] = asyncio.create_task(self._asked(place, source, ask))
            task.add_done_callback(lambda _: self._under_way.pop(place, None))
        return task

    async def _asked(self, place: Place, source: KeySource, ask: Ask | None) -> Rejected | Outage | None:
        found = await self._answer(place, source, ask)
        if isinstance(found, bytes):
            self._keep(place, found)
            return None
        self._failed[place] = _Failed(found, self._now())
        self._failed.move_to_end(place)
        if len(self._failed) > MAX_KEPT:
            self._failed.popitem(last=False)
        return found

    async def _answer(self, place: Place, source: KeySource, ask: Ask | None) -> bytes | Rejected | Outage:
        if place not in self._kept and not self._may_ask_anew():
            return Outage("too many addresses of keys were named within a minute")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._room.acquire()
        except TimeoutError:
            return Outage("too many keys are being fetched")
        try:
            if ask is not None:
                return await ask()
            return _read(source, await self._client.send(_request(source)))
        finally:
            self._room.release()

    def _may_ask_anew(self) -> bool:
        """Counts an address that was never answered: a stranger may name endless ones on a host that is pinned."""
        now = self._now()
        if len(self._new) == MAX_NEW_A_MINUTE and now - self._new[0] < 60:
            return False
        self._new.append(now)
        return True

    def _keep(self, place: Place, text: bytes) -> None:
        self._failed.pop(place, None)
        self._drop(self._kept.pop(place, None))
        self._kept[place] = _Kept(text, self._now())
        self._kept_bytes += len(text)
        while len(self._kept) > MAX_KEPT or self._kept_bytes > MAX_KEPT_BYTES:
            self._drop(self._kept.popitem(last=False)[1])

    def _drop(self, kept: _Kept | None) -> None:
        self._kept_bytes -= len(kept.text) if kept is not None else 0

    def _failure(self, place: Place) -> Rejected | Outage | None:
        failed = self._failed.get(place)
        return failed.outcome if failed is not None and self._now() - failed.at < FAILED_S else None


def _place(source: KeySource) -> Place:
    return source.kind, source.where, source.hosts


def _mentions(text: bytes, key_id: str | None) -> bool:
    return key_id is None or b'"' + key_id.encode() + b'"' in text


def _request(source: KeySource) -> Request:
    return Request(method="GET", url=source.where, headers=_ACCEPT, timeout=TIMEOUT_S, max_answer=MAX_ANSWER)


def _read(source: KeySource, outcome: Answer | Failure) -> bytes | Rejected | Outage:
    if isinstance(outcome, Failure):
        if outcome.reason in _REFUSING:
            return _refused(f"the address of the key may not be called: {outcome.reason}")
        return Outage(f"the key could not be fetched: {outcome.reason}")
    if outcome.status >= 500 or outcome.status in _LATER:
        return Outage(f"the address of the key answered {outcome.status}")
    if outcome.status != 200:
        return _refused(f"the address of the key answered {outcome.status}")
    if outcome.truncated:
        return _refused(f"the answer is larger than {MAX_ANSWER} bytes")
    return outcome.body if _is_key(source, outcome.body) else _refused("what the address answered is no key")


def _is_key(source: KeySource, text: bytes) -> bool:
    if source.kind == "certificate":
        return bool(read_chain(text))
    try:
        return isinstance(orjson.loads(text), dict | list)
    except ValueError:
        return False


def _refused(why: str) -> Rejected:
    return Rejected("key_unavailable", why)
