"""The description of one instance's own API: written by the surface that serves it, shown by who shows instances."""

from collections.abc import Callable

from aiohttp import web

from gateway.api.openapi.model import Json
from gateway.instances.view import InstanceView

#: The OpenAPI document of an instance.
DOCUMENT: web.AppKey[Callable[[InstanceView], Json]] = web.AppKey("instance_document")
