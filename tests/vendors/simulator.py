"""The server of the simulated vendor: keeps what arrives, and answers as it was told or as it should."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.vendors.arrived import BODY, Arrived, read
from tests.vendors.closeio import Close
from tests.vendors.event_log import EventLog
from tests.vendors.folders import Folder
from tests.vendors.life import Clock, Life
from tests.vendors.lists import Lists
from tests.vendors.misbehaving import Act
from tests.vendors.oauth import Authorization


@dataclass
class Vendor:
    """The vendor and its switches."""

    url: str = ""
    port: int = 0
    close: Close = field(default_factory=Close)
    #: Its time: the real one, until a test stops it.
    clock: Clock = field(default_factory=Clock)
    #: What lives there, and how it is told: Close's event log, and lists of other vendors.
    life: Life = field(default_factory=Life)
    log: EventLog = field(default_factory=EventLog)
    lists: Lists = field(default_factory=Lists)
    folder: Folder = field(default_factory=Folder)
    oauth: Authorization = field(default_factory=Authorization)
    requests: list[Arrived] = field(default_factory=list)
    #: Paths of requests whose client left before the answer was complete.
    left: list[str] = field(default_factory=list)
    #: How many requests were being answered at once, at most.
    most_at_once: int = 0
    _now: int = 0
    _queued: list[tuple[str, Act]] = field(default_factory=list)
    _standing: list[tuple[str, Act]] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.life.clock = self.log.clock = self.close.clock = self.clock
        self.lists.life = self.life
        self.close.log = self.log

    def next(self, *acts: Act, on: str = "/") -> None:
        """Answer the next requests to paths that begin so like this, one each."""
        self._queued += [(on, act) for act in acts]

    def always(self, act: Act, on: str = "/") -> None:
        """Answer every request to paths that begin so like this."""
        self._standing.append((on, act))

    def behave(self) -> None:
        """Answer as one should again."""
        self._queued.clear()
        self._standing.clear()

    def to(self, path: str) -> list[Arrived]:
        """What arrived at paths that begin so."""
        return [one for one in self.requests if one.path.startswith(path)]

    async def wait(self, number: int, path: str = "/", timeout_s: float = 20) -> list[Arrived]:
        """Wait until so many requests have arrived."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: len(self.to(path)) >= number)
        return self.to(path)

    async def wait_left(self, number: int = 1, timeout_s: float = 20) -> list[str]:
        """Wait until so many clients have left in the middle of an answer."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: len(self.left) >= number)
        return self.left

    @web.middleware
    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Write down what came, and choose who answers."""
        arrived = await read(request)
        request[BODY] = arrived.body
        self.requests.append(arrived)
        await self._tell()
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            act = self._chosen(request.path)
            answer = await (act(request) if act else handler(request))
            if not answer.prepared:
                answer.headers.setdefault("Date", format_datetime(self._date(), usegmt=True))
            return answer
        except (ConnectionError, asyncio.CancelledError):
            self.left.append(request.path)
            await self._tell()
            raise
        finally:
            self._now -= 1

    def _date(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _chosen(self, path: str) -> Act | None:
        for number, (on, act) in enumerate(self._queued):
            if path.startswith(on):
                del self._queued[number]
                return act
        return next((act for on, act in self._standing if path.startswith(on)), None)


@asynccontextmanager
async def vendor() -> AsyncIterator[Vendor]:
    """A vendor on a free port of the loopback, gone at the end of the block."""
    found = Vendor()
    found.close.bearer_is_valid = found.oauth.is_valid
    app = web.Application(middlewares=[found.attend])
    app.add_routes([*found.close.routes(), *found.oauth.routes(), *found.lists.routes(), *found.folder.routes()])
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    found.url = f"http://127.0.0.1:{found.port}"
    try:
        yield found
    finally:
        await runner.cleanup()
