"""Trying credentials out: the call that a connector names for it, and what its answer says of them."""

from dataclasses import replace

from gateway.access import logins, model
from gateway.access.model import Standing
from gateway.calls.authenticate import BY_LOGIN, way_of
from gateway.calls.grants import Denied
from gateway.calls.model import Access
from gateway.calls.perform import Called, Calls, Manner
from gateway.calls.render import plain
from gateway.clock import now_ms
from gateway.errors import Invalid

_REFUSALS = frozenset({401, 403})


async def tried(calls: Calls, access: Access, manner: Manner, *, tries: int = 0) -> Standing | Denied:
    """How the vendor takes these credentials; Denied with its words where it definitely does not.

    What a connector names no check for counts as good.
    """
    access = _with_token(access)
    renew_at = _renewal(access)
    if access.connector.http.check is None:
        return model.good(now_ms(), renew_at=renew_at)
    try:
        call = plain(access, access.connector.http.check, {})
    except Invalid as problem:
        return model.unchecked(str(problem), now_ms(), renew_at=renew_at, tries=tries)
    async with calls.made(access, call, manner) as outcome:
        if not isinstance(outcome, Called):
            return model.unchecked(outcome.message, now_ms(), renew_at=renew_at, tries=tries)
        said = logins.discreet(outcome.verdict.message or f"status {outcome.status}", access)
        if outcome.verdict.kind == "reauth" or (outcome.verdict.kind == "fail" and outcome.status in _REFUSALS):
            return Denied("reauth", said)
        if outcome.verdict.kind != "ok":
            return model.unchecked(said, now_ms(), renew_at=renew_at, tries=tries)
    return model.good(now_ms(), renew_at=renew_at)


def _with_token(access: Access) -> Access:
    way = way_of(access)
    if access.token is not None or way is None or way.type not in BY_LOGIN:
        return access
    return replace(access, token=logins.token_of(way, access.config))


def _renewal(access: Access) -> int | None:
    way = way_of(access)
    if way is None or way.type not in BY_LOGIN:
        return None
    return logins.renew_at(logins.end_of(way, access.config), now_ms())
