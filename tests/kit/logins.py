"""Connectors of the simulated vendor, one for each way to log in, and gateways that know them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.instances.view import InstanceView
from tests.kit.gateway import Gateway, settings, started
from tests.vendors import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Vendor

_HEAD = """
format = 1
key = "{key}"
name = "Vend {key}"
version = "1.0.0"
[[config]]
key = "site"
name = "Address of the vendor"
required = true
[[config]]
key = "user"
name = "User"
auth = "session"
[[config]]
key = "password"
name = "Password"
secret = true
auth = "session"
[[config]]
key = "api.key"
name = "Key"
secret = true
auth = "key"
[[config]]
key = "private.key"
name = "Private key"
secret = true
auth = "jwt"
{auth}
[http]
base_url = "{{config:site}}/api/v1"
{check}
[methods.me]
name = "Me"
category = "Users"
request = "GET /me/"
"""
_CHECK = '[http.check]\nrequest = "GET /me/"\n'
_WAYS = {
    "key": 'type = "basic"\nusername = "{config:api.key}"\n',
    "code": """type = "oauth2"
grant = "authorization_code"
authorize_url = "{config:site}/oauth2/authorize/"
token_url = "{config:site}/oauth2/token/"
scopes = ["all.full_access", "offline_access"]
""",
    "client": """type = "oauth2"
grant = "client_credentials"
token_url = "{config:site}/oauth2/token/"
client_auth = "basic"
""",
    "session": """type = "session"
request = "POST {config:site}/session/login/"
body = { user = "{config:user}", password = "{config:password}" }
token = "body:session.token"
expires = "body:session.expires_in"
""",
    "jwt": 'type = "jwt"\nalg = "ES256"\nkey = "{config:private.key}"\nclaims = { iss = "gateway", iat = "{now}" }\n',
}
#: Every connector lists all ways, its own first; `unchecked` names no check.
KEYS = ("code", "client", "session", "jwt", "key", "unchecked")


def connectors(folder: Path) -> Path:
    """A folder with the connector files."""
    place = folder / "vends"
    place.mkdir(parents=True, exist_ok=True)
    for key in KEYS:
        first = key if key in _WAYS else "code"
        ways = [first, *(way for way in _WAYS if way != first)]
        auth = "".join(f"[auth.{way}]\n{_WAYS[way]}" for way in ways)
        check = _CHECK if key != "unchecked" else ""
        (place / f"vend-{key}.toml").write_text(_HEAD.format(key=f"vend-{key}", auth=auth, check=check))
    return place


def values(vendor: Vendor, **more: Any) -> dict[str, Any]:
    """The values of an application that is registered at the vendor."""
    own = {
        "site": vendor.url,
        "oauth.api.key": CLIENT_ID,
        "oauth.api.secret": CLIENT_SECRET,
        "oauth.callback.url": REDIRECT_URI,
    }
    return {**own, **more}


@asynccontextmanager
async def knowing(folder: Path, database_url: str = "", **sections: Mapping[str, Any]) -> AsyncIterator[Gateway]:
    """A gateway that knows these connectors."""
    place = str(connectors(folder))
    async with started(settings(folder, database_url, catalogue={"paths": [place]}, **sections)) as gateway:
        yield gateway


async def brought(gateway: Gateway, vendor: Vendor, *, lasts_s: int = 3600, connector: str = "vend-code") -> int:
    """The id of an instance whose tokens its owner brought along."""
    access, refresh = vendor.oauth.issue()
    body = {
        "element": {"key": connector},
        "externalAuthentication": "initial",
        "configuration": values(vendor)
        | {
            "oauth.user.token": access,
            "oauth.user.refresh_token": refresh,
            "oauth.user.refresh_interval": str(lasts_s),
        },
    }
    answered = await gateway.call("POST", "/instances", json=body)
    assert answered.status == 200, answered.body
    return int(answered.json["id"])


async def view(gateway: Gateway, instance_id: int) -> InstanceView:
    """The instance as calls see it."""
    found = await gateway.running.services.index.by_id(instance_id)
    assert found is not None
    return found


async def standing(gateway: Gateway, instance_id: int) -> Mapping[str, Any]:
    """What the gateway's own API says of the credentials."""
    found = (await gateway.call("GET", f"/api/v1/instances/{instance_id}")).json
    valid = (await gateway.call("GET", f"/instances/{instance_id}")).json["valid"]
    assert valid is (found["credentials"]["state"] == "good")
    told: Mapping[str, Any] = found["credentials"]
    return told
