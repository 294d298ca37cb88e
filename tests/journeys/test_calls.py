"""The page's own curl commands, run against a gateway between them and a simulated Close."""

import asyncio
import json
import os
import re
from pathlib import Path

from tests.api.calling import calling
from tests.docs.receivers import ROOT

_CHAPTER = re.compile(r"^### Calls\n.*?^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_curl_commands_of_the_chapter_on_calls_do_what_it_says(tmp_path: Path) -> None:
    chapter = _CHAPTER.search((ROOT / "docs" / "api.md").read_text("utf-8"))
    assert chapter is not None
    async with calling(tmp_path) as call:
        call.there.close.add("lead", name="First", description=None)
        secrets = call.gateway.running.config.bootstrap
        values = {
            "GATEWAY": call.gateway.url,
            "USER_SECRET": secrets.user_secret,
            "INSTANCE_TOKEN": call.made["token"],
        }
        script = "set -e\n" + chapter[1].replace("\ncurl ", "\necho; curl ")
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, env={**os.environ, **values}, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        listed, made, found, pong = [json.loads(line) for line in out.decode().splitlines() if line]
        assert [one["name"] for one in listed] == ["First"]
        assert "description" not in listed[0]
        assert made["name"] == "Acme"
        assert found == [{"id": made["id"], "name": "Acme"}]
        assert pong["endpoint"] == "closeio"
