"""How fast a vendor may be called: a token bucket, a bound on calls at once, and the pauses that it asks for."""

import asyncio
import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.calls.authenticate import way_of
from gateway.calls.hosts import base_url
from gateway.calls.model import Access
from gateway.catalogue.call_model import Auth, Limits
from gateway.catalogue.template import templates_in

MOST_KEYS = 50_000
MOST_REMEMBERED = 4_096
_LOOKS = 8
_USUAL_PAUSE_S = 1.0
_SHORTEST_PAUSE_S = 0.1
_STEP_S = 0.25
_INSTANT_S = 1e-6  # what additions of fractions are wrong by


@dataclass(frozen=True, slots=True)
class TooMany:
    """The call would have to wait longer than it may; `wait_s` until it would be its turn."""

    wait_s: float


@dataclass(slots=True, eq=False)
class _Ticket:
    """One call that waits; the future is done when its turn has come."""

    limits: Limits | None
    called: asyncio.Future[None]


@dataclass(slots=True)
class _Line:
    """Everyone who shares one allowance. `spent_until` is when the bucket will be full again (GCRA)."""

    spent_until: float = 0.0
    paused_until: float = 0.0
    running: int = 0
    #: In the order in which they came; polls let the calls of people go first.
    people: deque[_Ticket] = field(default_factory=deque)
    polls: deque[_Ticket] = field(default_factory=deque)
    alarm: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody has anything to do with it right now."""
        return not (self.running or self.people or self.polls)


class Pace:
    """The allowances of every credential, in memory; shared by calls and polls."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    @asynccontextmanager
    async def turn(
        self, key: str, limits: Limits | None, patience_s: float, *, yields: bool = False
    ) -> AsyncIterator[TooMany | None]:
        """Wait for a turn, at most so long; what comes is TooMany where there is none in time.

        Turns come in the order of asking; who `yields` goes only while nobody else waits.
        """
        refused = await self.enter(key, limits, patience_s, yields=yields)
        if refused is not None:
            yield refused
            return
        try:
            yield None
        finally:
            self.leave(key)

    async def enter(
        self, key: str, limits: Limits | None, patience_s: float, *, yields: bool = False
    ) -> TooMany | None:
        """Take a turn that has to be left, or TooMany without one."""
        return await self._called(self._line(key), limits, patience_s, yields=yields)

    def leave(self, key: str) -> None:
        """The turn is over."""
        self._leave(self._lines[key])

    def pause(self, key: str, wait_s: float | None) -> None:
        """The vendor wants no call of this allowance for so long; a moment at least."""
        line = self._line(key)
        wait = _USUAL_PAUSE_S if wait_s is None else max(wait_s, _SHORTEST_PAUSE_S)
        line.paused_until = max(line.paused_until, self._clock() + wait)

    def wait_s(self, key: str) -> float:
        """How long nobody may call yet."""
        line = self._lines.get(key)
        return 0.0 if line is None else max(0.0, line.paused_until - self._clock())

    async def _called(self, line: _Line, limits: Limits | None, patience_s: float, *, yields: bool) -> TooMany | None:
        """None with a turn taken, or TooMany without one."""
        ahead = len(line.people) + (len(line.polls) if yields else 0)
        wait = self._wait(line, limits, ahead)
        if wait <= 0 and not ahead:
            self._take(line, limits)
            return None
        if wait > patience_s:
            return TooMany(wait)
        ticket = _Ticket(limits, asyncio.get_running_loop().create_future())
        queue = line.polls if yields else line.people
        queue.append(ticket)
        self._call(line)
        try:
            await asyncio.wait([ticket.called], timeout=max(0.0, patience_s))
        except asyncio.CancelledError:
            if ticket.called.done():
                self._leave(line)
            raise
        finally:
            if not ticket.called.done():
                queue.remove(ticket)
                self._call(line)
        return None if ticket.called.done() else TooMany(max(self._wait(line, limits, ahead), _STEP_S))

    def _call(self, line: _Line) -> None:
        """Let everybody go whose turn has come, and wake up for the next one."""
        if line.alarm is not None:
            line.alarm.cancel()
            line.alarm = None
        while line.people or line.polls:
            queue = line.people or line.polls
            limits = queue[0].limits
            wait = self._wait(line, limits, 0)
            if wait > 0:
                if not _is_full(line, limits):
                    line.alarm = asyncio.get_running_loop().call_later(wait, self._call, line)
                return
            self._take(line, limits)
            queue.popleft().called.set_result(None)

    def _take(self, line: _Line, limits: Limits | None) -> None:
        line.running += 1
        if limits is not None and limits.requests and limits.per:
            line.spent_until = max(line.spent_until, self._clock()) + _cost(limits)

    def _leave(self, line: _Line) -> None:
        line.running -= 1
        self._call(line)

    def _wait(self, line: _Line, limits: Limits | None, ahead: int) -> float:
        """How long it will take at least, with so many to go first."""
        now = self._clock()
        wait = line.paused_until - now
        if limits is not None and limits.requests and limits.per:
            cost = _cost(limits)
            begin = max(line.spent_until, now) if ahead else line.spent_until
            wait = max(wait, begin + cost * (ahead + 1) - _room(limits) - now)
        if _is_full(line, limits):
            return max(wait, _STEP_S)
        return wait if wait > _INSTANT_S else 0.0

    def _line(self, key: str) -> _Line:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
            self._forget()
        self._lines.move_to_end(key)
        return line

    def _forget(self) -> None:
        """Let go of allowances that were not used for the longest time, and that nobody uses."""
        for _ in range(_LOOKS):
            if len(self._lines) <= MOST_KEYS:
                return
            key, line = next(iter(self._lines.items()))
            if line.idle:
                del self._lines[key]
            else:
                self._lines.move_to_end(key)


class Keys:
    """Remembers who shares which allowance, as long as configurations stay the same objects."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Access, str]] = OrderedDict()

    def of(self, access: Access) -> str:
        """The key of an allowance."""
        known = self._known.get(id(access.config))
        if known is not None and _is_same(known[0], access):
            return known[1]
        key = key_of(access, access.connector.http.limits)
        self._known[id(access.config)] = (access, key)
        self._known.move_to_end(id(access.config))
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return key


def key_of(access: Access, limits: Limits | None) -> str:
    """Who shares an allowance: a credential, everybody at the vendor, or those with the same value of an entry."""
    connector = access.connector.key
    scope = limits.scope if limits else "credential"
    if scope == "connector":
        return connector
    if scope.startswith("config:"):
        return f"{connector}:{access.config.get(scope[7:]) or ''}"
    return f"{connector}:{credential_of(access)}"


def credential_of(access: Access) -> str:
    """A digest of what proves who calls, the same for every instance with the same proof."""
    way = way_of(access)
    if way is None:
        return base_url(access.connector, access.config)
    values = [base_url(access.connector, access.config)]
    values += [access.config.get(key) or "" for key in sorted(named_by(way))]
    by_person = way.oauth is not None and way.oauth.grant != "client_credentials"
    proof = "\x00".join((way.id, *values, (access.token or "") if by_person else ""))
    return hashlib.sha256(proof.encode("utf-8", "surrogatepass")).hexdigest()


def named_by(way: Auth) -> frozenset[str]:
    """The entries that a way to authenticate reads its proof from."""
    templates = [way.name, way.value, way.username, way.password, way.token, way.key, *templates_in(way.claims)]
    if way.session is not None:
        templates += [way.session.request.path, *templates_in(way.session.body)]
    keys = {key for one in templates if one for locator in one.locators for key in locator.config_keys}
    return frozenset(keys | ({"oauth.api.key", "oauth.api.secret"} if way.oauth is not None else set()))


def _is_same(known: Access, access: Access) -> bool:
    return known.config is access.config and known.connector is access.connector and known.token == access.token


def _is_full(line: _Line, limits: Limits | None) -> bool:
    return limits is not None and limits.concurrency is not None and line.running >= limits.concurrency


def _cost(limits: Limits) -> float:
    return (limits.per or 0) / 1000 / (limits.requests or 1)


def _room(limits: Limits) -> float:
    return _cost(limits) * (limits.burst or limits.requests or 1)
