"""Processes of the benchmark: started, told apart by what they say, ended with the block."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Server:
    """A server of `bench.servers` that listens."""

    port: int
    pid: int
    said: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def server(kind: str, **options: Any) -> AsyncIterator[Server]:
    """Start one, wait until it listens, and end it by closing its standard input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.servers", kind, json.dumps(options),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stdin is not None
    said: dict[str, Any] = {}
    while "port" not in said:
        line = await process.stderr.readline()
        if not line:
            raise RuntimeError(f"the server {kind} ended with {await process.wait()}")
        try:
            said |= json.loads(line)
        except ValueError:
            print(line.decode(), end="", file=sys.stderr)
    rest = asyncio.create_task(_pass_on(process.stderr))
    try:
        yield Server(said["port"], process.pid, said)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await rest


async def _pass_on(stream: asyncio.StreamReader) -> None:
    while line := await stream.readline():
        print(line.decode(), end="", file=sys.stderr)
