"""aioresponses with an aiohttp that it does not know yet; for units that see statuses and exceptions only."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from aiohttp import ClientResponse, HttpVersion11
from aioresponses import aioresponses


class _Mocked(ClientResponse):
    """A response whose constructor also takes what newer versions of aiohttp ask for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if "stream_writer" in inspect.signature(ClientResponse.__init__).parameters:
            options.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **options)
        self.version = HttpVersion11


@contextmanager
def mocked() -> Iterator[aioresponses]:
    """Answers for `ClientSession`, as they are told."""
    with patch("aioresponses.core.ClientResponse", _Mocked), aioresponses() as answers:
        yield answers
