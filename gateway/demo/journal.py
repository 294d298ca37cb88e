"""The gateway's log as a file, and line by line as the story's source: what is told is what the gateway says it did."""

import asyncio
import io
from pathlib import Path
from typing import Any

import orjson


class Journal(io.FileIO):
    """A file of log lines that also hands each line on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ab")
        self.path = path
        self.lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def write(self, line: Any) -> int:
        """Keep one line, and hand it on."""
        self.lines.put_nowait(orjson.loads(line))
        return super().write(line)
