"""A vendor's connector file for tests of calls, and access to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from gateway.calls.model import Access, Arguments, Rendered
from gateway.calls.render import rendered
from gateway.catalogue.config_view import ConfigView
from gateway.errors import Invalid
from tests.catalogue.connector_file import connector_of

CONFIG = """
[[config]]
key = "key"
name = "Key"
secret = true
[[config]]
key = "user"
name = "User"
[[config]]
key = "hook.secret"
name = "Hook secret"
secret = true
[[config]]
key = "auth.url"
name = "Where logins go"
"""
BASIC = """
[auth.basic]
type = "basic"
username = "{config:key}"
password = ""
"""
HTTP = """
[http]
base_url = "https://api.shop.example/v1"
hosts = ["files.shop.example"]
headers = { X-Shop = "yes" }
idempotency_header = "Idempotency-Key"
"""
METHODS = """
[methods.list]
name = "List"
request = "GET /things/"
query = { state = { choices = ["on", "off"] }, size = { type = "integer" }, kind = { default = "plain" }, v = "2" }
[methods.get]
name = "Get"
request = "GET /things/{id}/"
[methods.file]
name = "File"
request = "GET /files/{+path}"
[methods.create]
name = "Create"
request = "POST /things/"
body = "json"
fields = { name = { required = true }, count = { type = "integer" }, kind = { default = "plain" }, "x_*" = {} }
[methods.tag]
name = "Tag"
request = "POST /tags"
body = "json"
fields = { tags = { type = "array" }, mode = { choices = ["1", "2"], type = "integer" } }
[methods.pay]
name = "Pay"
request = "POST /payments"
body = "form"
fields = { amount = { type = "integer", required = true }, "*" = {} }
[methods.any]
name = "Any"
request = "{verb} /{+path}"
params = { verb = { choices = ["GET", "POST"], required = true }, path = { required = true } }
query = "*"
body = "any"
[methods.upload]
name = "Upload"
request = "PUT /files/{id}"
body = "raw"
"""
SHOP = CONFIG + BASIC + HTTP + METHODS


def access_to(
    folder: Path, text: str = SHOP, *, token: str | None = None, config: Mapping[str, str] | None = None
) -> Access:
    """Access to the vendor that a text describes, with these values."""
    values = {"key": "k-1", **(config or {})}
    return Access(connector=connector_of(folder, text), config=ConfigView(values), token=token)


class Given(TypedDict, total=False):
    """What a caller may give."""

    params: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    body: bytes
    content_type: str
    idempotency_key: str


def call_of(access: Access, method: str, **given: Unpack[Given]) -> Rendered:
    """The request of a method with these arguments."""
    return rendered(access, access.connector.methods[method], Arguments(**given))


def refusal_of(access: Access, method: str, **given: Unpack[Given]) -> str:
    """Why a method cannot be called like this; empty where it can."""
    try:
        call_of(access, method, **given)
    except Invalid as error:
        return str(error)
    return ""
