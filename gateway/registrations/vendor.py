"""The vendor of one instance, asked about its registration: what an answer means for that."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Literal

from gateway.access import logins
from gateway.access.act import Vendors
from gateway.calls.authenticate import BY_LOGIN, way_of
from gateway.calls.grants import Denied
from gateway.calls.model import Access, Rendered
from gateway.calls.perform import Called, Manner, Unsent
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.clock import now_ms
from gateway.instances.view import InstanceView

MANNER = Manner(patience_s=10.0, timeout_s=30.0)
_LONGEST_REASON = 400
_GONE = frozenset({404, 410})
_REFUSALS = frozenset({401, 403})

Send = Callable[[Rendered], AbstractAsyncContextManager[Called | Unsent]]
#: `rejected`: the vendor does not want it like this. `doubtful`: it may have done it, and nobody can tell.
Kind = Literal["ok", "gone", "refused", "rejected", "failed", "doubtful"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the vendor said; `sources` are where values are read from."""

    kind: Kind
    reason: str
    sources: Sources
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """Whom to ask, and for whom."""

    access: Access
    send: Send

    async def ask(self, call: Rendered) -> Answer:
        """Send one request."""
        async with self.send(call) as outcome:
            found = _unsent(outcome) if isinstance(outcome, Unsent) else _called(outcome)
        # A vendor may say back what it was told.
        return replace(found, reason=logins.discreet(found.reason, self.access)[:_LONGEST_REASON])


def of_instance(vendors: Vendors, view: InstanceView) -> Vendor:
    """The vendor of an instance that is there; its tokens are kept fresh."""
    access = Access(connector=view.connector, config=view.config)
    return Vendor(access, lambda call: vendors.send(view, call, MANNER))


async def of_departed(
    vendors: Vendors, connector: Connector, left: dict[str, str]
) -> tuple[Vendor, dict[str, str]] | Denied:
    """The vendor of a deleted instance, by the values that it left; and those values, with a new token if need be."""
    access = Access(connector=connector, config=ConfigView(completed(connector, left)))
    way = way_of(access)
    if way is not None and way.type in BY_LOGIN:
        token, ends = logins.token_of(way, access.config), logins.end_of(way, access.config)
        if not token or (ends is not None and ends < now_ms() + 30_000):
            found = await logins.renewed(vendors.calls, access, way)
            if isinstance(found, Denied):
                return found
            left = {**left, **{key: value for key, value in logins.entries(way, found).items() if value is not None}}
            token = found.access
        access = Access(connector=connector, config=ConfigView(completed(connector, left)), token=token)
    return Vendor(access, lambda call: vendors.calls.made(access, call, MANNER)), left


def _unsent(outcome: Unsent) -> Answer:
    kinds: dict[str, Kind] = {"no_credentials": "refused", "rate_limited": "failed", "forbidden": "failed"}
    kind = kinds.get(outcome.why, "doubtful")
    return Answer(kind=kind, reason=outcome.message, sources=Sources(), wait_s=outcome.wait_s)


def _called(outcome: Called) -> Answer:
    sources = Sources(headers=outcome.headers, raw=outcome.body or b"")
    verdict = outcome.verdict
    said = f": {verdict.message}" if verdict.message else ""
    reason = f"the vendor answered {outcome.status}{said}"
    return Answer(kind=_kind(outcome), reason=reason, sources=sources, wait_s=verdict.wait_s)


def _kind(outcome: Called) -> Kind:
    if outcome.verdict.kind == "ok":
        return "doubtful" if outcome.body is None else "ok"
    if outcome.verdict.kind == "rate_limited":
        return "failed"
    if outcome.status in _GONE:
        return "gone"
    if outcome.verdict.kind == "reauth" or outcome.status in _REFUSALS:
        return "refused"
    return "rejected" if 400 <= outcome.status < 500 else "doubtful"
