"""`gateway where`: how it is asked; what it answers is on the page on operating."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from tests.docs.operate import config_file
from tests.kit.gateway import settings, started

BODY = b'{"action":"opened","issue":{"id":7}}'


@pytest.mark.parametrize("words", [[], ["x", "--object", "1"], ["--object", "1", "--event", "2"]])
def test_it_is_asked_by_exactly_one_name(words: list[str]) -> None:
    answered = CliRunner().invoke(main, ["where", *words])
    assert answered.exit_code == 2
    assert "Give one name" in answered.output


async def test_the_very_bytes_of_a_forgery_tell_why_it_was_refused(tmp_path: Path) -> None:
    config = settings(tmp_path / "data", "")
    async with started(config) as gateway:
        (tmp_path / "config.toml").write_text(config_file(config, gateway.running.port), "utf-8")
        made = await gateway.create("github")
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "issues"}
        assert (await gateway.send(made["webhookUrl"], BODY, headers)).status == 401
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "where", "--body", "-", "--json"),
            cwd=tmp_path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate(BODY)
        assert process.returncode == 0
    [found] = json.loads(told)
    assert (found["status"], found["reason"], found["event_id"]) == ("refused", "missing_header", None)
