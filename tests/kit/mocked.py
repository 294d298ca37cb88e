"""aioresponses with an aiohttp that it does not know yet; for units that see statuses and exceptions only."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aioresponses.core as core
from aiohttp import ClientResponse, HttpVersion11
from aioresponses import aioresponses


class _Mocked(ClientResponse):
    """A response whose constructor also takes what newer versions of aiohttp ask for."""

    def __init__(self, *args: Any, stream_writer: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=stream_writer or SimpleNamespace(output_size=0), **kwargs)
        self.version = HttpVersion11


@contextmanager
def mocked() -> Iterator[aioresponses]:
    """Answers for `ClientSession`, as they are told."""
    plain = core.ClientResponse
    if "stream_writer" in inspect.signature(ClientResponse.__init__).parameters:
        core.ClientResponse = _Mocked
    try:
        with aioresponses() as answers:
            yield answers
    finally:
        core.ClientResponse = plain
