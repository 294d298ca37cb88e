"""A disk that is full in earnest: the kernel refuses the process to write on, and later lets it again."""

import asyncio
import resource
import uuid
from pathlib import Path

from tests.crash import rows
from tests.crash.process import Process, process
from tests.crash.vendor import post
from tests.kit.consumer import consumer


async def test_on_a_full_disk_events_are_answered_503_and_accepted_again_when_there_is_room(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    async with process(tmp_path, url) as gateway, consumer() as destination:
        await gateway.start()
        made = await gateway.create("github", destination.url())
        _allow(gateway, (tmp_path / "gateway.db-wal").stat().st_size + 200_000)
        names = [uuid.uuid4().hex for _ in range(30)]
        statuses = [await post(gateway.session, made, name, 50_000) for name in names]
        assert set(statuses) == {200, 503}
        accepted = statuses.count(200)
        _allow(gateway, resource.RLIM_INFINITY)
        again = await asyncio.gather(*(post(gateway.session, made, name, 50_000) for name in names))
        assert set(again) == {200}
        await destination.wait(len(names))
        await gateway.settled()
        shown = await gateway.ledger()
        assert (shown["accepted"], shown["duplicate"]) == (len(names), accepted)
        await gateway.terminate()
        assert await rows.problems(url, shown) == []


def _allow(gateway: Process, size: int) -> None:
    """How large a file of the running process may become."""
    assert gateway.running is not None
    resource.prlimit(gateway.running.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
