"""The files that pages are made with: own modules and stylesheets, under an address that changes with them."""

import hashlib
from functools import cache
from importlib.resources import files

from aiohttp import web

from gateway.errors import NotFound

PREFIX = "/console/assets"
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def routes() -> list[web.AbstractRouteDef]:
    """The files."""
    return [web.get(PREFIX + "/{mark}/{name}", get), web.get("/favicon.ico", icon)]


def address(name: str) -> str:
    """Where a file is; browsers may keep it for good."""
    return f"{PREFIX}/{mark()}/{name}"


async def get(request: web.Request) -> web.Response:
    """`GET /console/assets/{mark}/{name}`: a module that names its neighbour gets one of the same version."""
    name = request.match_info["name"]
    content = contents().get(name)
    if content is None:
        raise NotFound("There is no such file.")
    current = request.match_info["mark"] == mark()
    response = web.Response(body=content, content_type=_TYPES[_ending(name)], charset="utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-store"
    response.enable_compression()
    return response


async def icon(request: web.Request) -> web.Response:
    """`GET /favicon.ico`, for browsers that ask without being told."""
    del request
    return web.Response(body=contents()["icon.svg"], content_type="image/svg+xml")


@cache
def contents() -> dict[str, bytes]:
    """All files by name."""
    folder = files("gateway.console") / "assets"
    return {file.name: file.read_bytes() for file in folder.iterdir() if _ending(file.name) in _TYPES}


@cache
def mark() -> str:
    """What tells this set of files from every other."""
    every = hashlib.sha256()
    for name, content in sorted(contents().items()):
        every.update(name.encode() + b"\0" + content + b"\0")
    return every.hexdigest()[:12]


def _ending(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
