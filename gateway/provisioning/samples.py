"""Test deliveries: a connector's recorded ones, made new for an instance and signed as its vendor signs."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from gateway.accounts.model import Caller
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import Conflict, NotFound
from gateway.ids import body_hash, first_at
from gateway.inbound import store
from gateway.inbound.fresh import freshened
from gateway.inbound.handshake import Reply
from gateway.inbound.normalise import Malformed, normalise
from gateway.inbound.receive import Receiver
from gateway.instances import store as instances
from gateway.instances.view import InstanceView
from gateway.proofs.fixtures import Delivery, KnownKeys, Unusable, beside, read_fixtures
from gateway.proofs.proof import Rejected, Verified
from gateway.proofs.received import Received
from gateway.proofs.rewriting import with_url
from gateway.proofs.signing import signed
from gateway.proofs.verify import verify
from gateway.provisioning.instances import webhook_url
from gateway.provisioning.services import Services

Outcome = Literal["accepted", "duplicate", "ignored", "refused", "unavailable"]
_ANSWER = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A delivery that may be sent to an instance as a test; `problem` says why it cannot be."""

    name: str
    origin: str
    types: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a test delivery."""

    sample: str
    outcome: Outcome
    status: int
    answer: str
    event_ids: tuple[str, ...]


async def samples(services: Services, caller: Caller, instance_id: int) -> list[Sample]:
    """What can be sent to the caller's instance."""
    view, url = await _view(services, caller, instance_id), webhook_url(services, "test")
    recorded = await _recorded(view.connector)
    return await asyncio.to_thread(lambda: [_sample(view, one, url) for one in recorded])


async def send(services: Services, receiver: Receiver, caller: Caller, instance_id: int, name: str | None) -> Sent:
    """Send one of them to the instance's own URL, as its vendor would; Conflict where it cannot be signed."""
    view = await _view(services, caller, instance_id)
    token = await _token(services, instance_id)
    chosen, received = await asyncio.to_thread(
        _chosen, view, await _recorded(view.connector), name, webhook_url(services, token)
    )
    began = now_ms()
    reply = await receiver.answer(token, received)
    found = await _stored(services, view, received, began) if reply.status < 300 else []
    return Sent(
        sample=chosen.name,
        outcome=_outcome(reply, found, began),
        status=reply.status,
        answer=reply.body[:_ANSWER].decode("utf-8", "replace"),
        event_ids=tuple(found),
    )


async def _view(services: Services, caller: Caller, instance_id: int) -> InstanceView:
    await instances.get(services.runtime.database, caller, instance_id)
    view = await services.index.by_id(instance_id)
    if view is None:
        raise NotFound(f"No instance found with ID {instance_id}")
    if view.connector.webhook is None:
        raise Conflict(f"{view.connector.name} has no webhook: nothing can be sent to this instance.")
    return view


async def _token(services: Services, instance_id: int) -> str:
    runtime = services.runtime
    secrets = await instances.secrets(runtime.database, runtime.seal, instance_id, now_ms())
    token = next((one.value for one in secrets if one.kind == "inbound"), None)
    if token is None:
        raise Conflict("This instance has no webhook URL.")
    return token


async def _recorded(connector: Connector) -> Sequence[Delivery]:
    """The accepted deliveries beside the connector's file; none where there is no such file."""
    found = await asyncio.to_thread(read_fixtures, beside(connector))
    if isinstance(found, Unusable):
        return ()
    return [one for one in found.deliveries if one.told.expect == "accepted" and one.told.handshake is None]


def _sample(view: InstanceView, one: Delivery, url: str) -> Sample:
    made = prepared(view, one, url, time.time())
    changes = one.told.changes or ()
    types = tuple(dict.fromkeys(str(change["type"]) for change in changes if "type" in change))
    problem = made if isinstance(made, str) else None
    return Sample(name=one.name, origin=one.told.origin, types=types, problem=problem)


def _chosen(view: InstanceView, recorded: Sequence[Delivery], name: str | None, url: str) -> tuple[Delivery, Received]:
    """The delivery of that name, or the first that can be sent."""
    # A published vector proves a signature, and may say nothing of any object: it comes last.
    wanted = sorted((one for one in recorded if name in (None, one.name)), key=lambda one: not one.told.changes)
    if not wanted and name is not None:
        raise NotFound(f"{view.connector.name} has no recorded delivery named {name[:200]!r}.")
    if not wanted:
        raise Conflict(f"No recorded delivery stands beside the file of {view.connector.name}.")
    problems: list[str] = []
    for one in wanted:
        made = prepared(view, one, url, time.time())
        if not isinstance(made, str):
            return one, made
        problems.append(made)
    raise Conflict(problems[0])


def prepared(view: InstanceView, one: Delivery, url: str, now_s: float) -> Received | str:
    """A recorded delivery as the vendor would send it to this instance now; or why it cannot be made."""
    query = one.received.query
    received = with_url(one.received, f"{url}?{query}" if query else url)
    fresh = freshened(view.connector, view.config, received, now_s, view.max_body)
    if isinstance(fresh, Malformed):
        return f"The recorded delivery {one.name!r} cannot be read: {fresh.detail}."
    made = signed(view.connector, view.config, fresh, now_s)
    if made is not None:
        return made
    verdict = verify(view.connector, view.config, fresh, now_s, KnownKeys({}))
    if isinstance(verdict, Verified):
        return replace(fresh, headers=dict(fresh.headers))
    if isinstance(verdict, Rejected) and verdict.check in ("missing_secret", "not_configured"):
        return f"The instance has no secret to sign with; set {_entries(view.connector)}."
    return f"Deliveries of {view.connector.name} are proved with keys that only the vendor has; none can be made here."


def _entries(connector: Connector) -> str:
    """The entries that a secret may stand in."""
    rules = connector.webhook.verify if connector.webhook is not None else ()
    return " or ".join(dict.fromkeys(key for rule in rules for key in rule.secret)) or "what its webhook asks for"


async def _stored(services: Services, view: InstanceView, received: Received, began: int) -> list[str]:
    database, instance_id = services.runtime.database, view.instance.id
    changes = normalise(view.connector, view.config, received, view.max_body)
    identities = [] if isinstance(changes, Malformed) else [one.identity for one in changes]
    known = [one for one in identities if one is not None]
    if known and len(known) == len(identities):
        return await store.ids_by_identity(database, instance_id, known)
    return await store.ids_by_body(database, instance_id, body_hash(received.body), first_at(began))


def _outcome(reply: Reply, found: Sequence[str], began: int) -> Outcome:
    if reply.status >= 300:
        return "unavailable" if reply.status >= 500 else "refused"
    if not found:
        return "ignored"
    return "accepted" if any(one >= first_at(began) for one in found) else "duplicate"
