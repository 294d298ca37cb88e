"""Five kills under load on each engine, and on the way up; `./dev crash N` does any number."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.campaign import campaign
from tests.crash.process import process


@pytest.mark.timeout(240)
async def test_nothing_that_was_acknowledged_is_lost_in_five_kills(database_url: str, tmp_path: Path) -> None:
    account = await campaign(tmp_path, database_url, kills=5, seed=7, say=print)
    assert account.problems == []
    assert account.acknowledged == account.arrived > 200


async def test_a_kill_during_the_first_start_leaves_data_that_the_next_start_can_use(
    database_url: str, tmp_path: Path
) -> None:
    async with process(tmp_path, database_url) as gateway:
        for tenths in range(3, 11):
            await gateway.spawn()
            await asyncio.sleep(tenths / 10)
            await gateway.kill()
        await gateway.start()
        made = await gateway.create("github", "http://127.0.0.1:9/nobody")
        assert made["id"] == 1
        await gateway.terminate()


async def test_secrets_made_by_a_killed_first_start_are_the_ones_of_the_next(tmp_path: Path) -> None:
    async with process(tmp_path, f"sqlite:///{tmp_path / 'gateway.db'}") as gateway:
        gateway.secrets = {}
        for tenths in range(3, 9):
            await gateway.spawn()
            await asyncio.sleep(tenths / 10)
            await gateway.kill()
        await gateway.start()
        kept = (tmp_path / "secrets.toml").read_text()
        await gateway.kill()
        await gateway.start()
        assert (tmp_path / "secrets.toml").read_text() == kept
