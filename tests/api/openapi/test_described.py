"""The description names every route that the gateway has, and none that it has not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from gateway.api.openapi.model import Operation
from gateway.api.surface import Surface
from gateway.app import described

SURFACES = described("https://gateway.example")
_PLACE = re.compile(r"\{(\w+)(?::[^{}]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?[^{}]*)?\}")


def routes(surface: Surface) -> set[str]:
    """The surface's routes as they would be described; what browsers ask before they call is none."""
    found = [one for one in surface.routes if isinstance(one, web.RouteDef) and one.method != "OPTIONS"]
    return {f"{one.method} {_canonical(one.path)}" for one in found}


def _canonical(path: str) -> str:
    return web.UrlDispatcher().add_resource(path).canonical


def operations(surface: Surface) -> Iterator[Operation]:
    for chapter in surface.chapters:
        yield from chapter.operations


@pytest.mark.parametrize("surface", SURFACES, ids=lambda one: one.name)
def test_every_route_is_described_and_nothing_else_is(surface: Surface) -> None:
    told = {f"{one.method} {prefix}{one.path}" for one in operations(surface) for prefix in one.prefixes}
    there = routes(surface)
    assert (sorted(there - told), sorted(told - there)) == ([], [])


def test_a_route_that_nobody_described_would_be_found() -> None:
    surface = SURFACES[-1]
    more = Surface("more", surface.owns, [*surface.routes, web.get("/new", _nothing)], surface.refuse)
    assert "GET /new" in routes(more)


async def _nothing(request: web.Request) -> Any:
    raise NotImplementedError(request.path)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one.id for surface in SURFACES for one in operations(surface)]
    assert len(names) == len(set(names))
