"""The way of a person through a vendor's login: the address to send them to, and the proof that the code is ours."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import urlsplit

from gateway.accounts.model import Caller
from gateway.calls import grants
from gateway.calls.model import Access
from gateway.catalogue.call_model import Auth, OAuth
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed, entries_of
from gateway.catalogue.model import Connector, Entry
from gateway.errors import Invalid, Problem
from gateway.runtime import Runtime

LONGEST = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller asks an address with; further values go by the key of their configuration entry."""

    api_key: str = ""
    callback_url: str = ""
    scope: str = ""
    state: str = ""
    #: The customer's own address at the vendor, where its login is not the same for everybody.
    site_address: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def address(runtime: Runtime, caller: Caller, connector: Connector, wanted: Wanted) -> str:
    """Where a person agrees to the login; Invalid names everything that is missing or wrong."""
    way, oauth = _login(connector, wanted.values.get("authentication.type"))
    values = _values(way, oauth, wanted)
    problems = [*_lacking(connector, oauth, values), *_wrong(connector, wanted, values)]
    if problems:
        listed = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        raise Invalid(f"An address for the login cannot be made: {listed}.", tuple(problems))
    access = Access(connector=connector, config=ConfigView(completed(connector, values)))
    proof = verifier(runtime, caller, connector, values)
    return grants.authorize_url(access, oauth, state=wanted.state or None, verifier=proof)


def address_of(
    runtime: Runtime, caller: Caller, connector: Connector, values: Mapping[str, str], callback_url: str, state: str
) -> str:
    """The same for an instance with these values, whoever asks: people come back to `callback_url`."""
    way, oauth = _login(connector, values.get("authentication.type"))
    needed = {key: values[key] for key in _needed(oauth) if values.get(key)}
    named = {"authentication.type": way.id} if len(connector.auth) > 1 else {}
    wanted = Wanted(
        api_key=values.get(grants.CLIENT_ID, ""),
        callback_url=callback_url,
        scope=values.get(grants.SCOPE, ""),
        state=state,
        values={**needed, **named},
    )
    return address(runtime, caller, connector, wanted)


def verifier(runtime: Runtime, caller: Caller, connector: Connector, values: Mapping[str, str | None]) -> str:
    """The PKCE verifier of a login: the same when the code is redeemed as when the address was made.

    Callers of this wire bring back the code alone, so nothing of the first request can be found again. It is derived
    from the sealing key, which nobody outside knows.
    """
    place = "\x00".join((caller.partner_id, connector.key, values.get(grants.CLIENT_ID) or ""))
    key = runtime.config.security.encryption_keys[-1] if runtime.config.security.encryption_keys else ""
    digest = hmac.digest(key.encode(), f"oauth verifier\x00{place}".encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _login(connector: Connector, named: str | None) -> tuple[Auth, OAuth]:
    for way in connector.auth.values():
        if way.oauth is not None and way.oauth.authorize_url is not None and named in (None, way.id):
            return way, way.oauth
    raise Invalid(f"{connector.name} has no login with OAuth.", (Problem("keyOrId", "has no login with OAuth"),))


def _values(way: Auth, oauth: OAuth, wanted: Wanted) -> dict[str, str]:
    given = {
        grants.CLIENT_ID: wanted.api_key,
        grants.CALLBACK: wanted.callback_url,
        grants.SCOPE: wanted.scope,
        **wanted.values,
        "authentication.type": way.id,
    }
    if wanted.site_address:
        open_key = next((key for key in _needed(oauth) if not given.get(key)), None)
        if open_key is not None:
            given[open_key] = _site(oauth, open_key, wanted.site_address)
    return {key: value for key, value in given.items() if value}


def _needed(oauth: OAuth) -> Iterator[str]:
    """The entries that stand in the address, in order."""
    own = [oauth.authorize_url] if oauth.authorize_url is not None else []
    for template in (*own, *oauth.authorize_params.values()):
        yield from (key for locator in template.locators for key in locator.config_keys if not _is_own(key))


def _is_own(key: str) -> bool:
    return key in (grants.CLIENT_ID, grants.CLIENT_SECRET, grants.CALLBACK, grants.SCOPE)


def _site(oauth: OAuth, key: str, site: str) -> str:
    """What of a customer's address belongs into an entry: all of it, its host, or what stands before the vendor's."""
    text = oauth.authorize_url.source_text if oauth.authorize_url is not None else ""
    if text.startswith(f"{{config:{key}}}"):
        return site
    host = _host(site) if "://" in site else site.rstrip("/")
    vendors = text.partition(f"{{config:{key}}}")[2].partition("/")[0]
    return host.removesuffix(vendors) if vendors else host


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return url


def _lacking(connector: Connector, oauth: OAuth, values: Mapping[str, str]) -> Iterator[Problem]:
    for key, name in _PARAMETERS.items():
        if not values.get(key):
            yield Problem(name, "is required")
    for key in dict.fromkeys(_needed(oauth)):
        if not values.get(key) and not connector.value_defaults.get(key):
            yield Problem(key, "is needed for the address of this login")


def _wrong(connector: Connector, wanted: Wanted, values: Mapping[str, str]) -> Iterator[Problem]:
    entries = entries_of(connector)
    for key in wanted.values:
        if key not in entries:
            near = get_close_matches(key[:100], [*entries, *_NAMES], n=1)
            yield Problem(
                key[:80], "is neither a parameter nor an entry" + (f"; did you mean {near[0]}?" if near else "")
            )
    for key, value in values.items():
        if key in entries and (text := _problem_of(entries[key], value)):
            yield Problem(_PARAMETERS.get(key, key), text)
    if text := _unfit(wanted.state):
        yield Problem("state", text)
    callback = values.get(grants.CALLBACK)
    if callback and not _is_web_address(callback):
        yield Problem("callbackUrl", "expected an address that begins with https:// (or http:// while developing)")


def _problem_of(entry: Entry, value: str) -> str | None:
    if text := _unfit(value):
        return text
    if entry.choices and value not in entry.choices:
        return f"expected one of {', '.join(entry.choices)}"
    if entry.pattern and not entry.pattern.search(value):
        return f"does not match {entry.pattern.pattern}"
    return None


def _unfit(value: str) -> str | None:
    if len(value) > LONGEST:
        return f"is longer than {LONGEST} characters"
    printable = all(character.isprintable() for character in value)
    return None if printable else "holds control characters"


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


_PARAMETERS: Mapping[str, str] = {grants.CLIENT_ID: "apiKey", grants.CALLBACK: "callbackUrl"}
_NAMES = ("apiKey", "apiSecret", "callbackUrl", "scope", "state", "siteAddress")
