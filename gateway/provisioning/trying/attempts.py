"""A 3rd-party connector rendered for people, and tried once against the other side."""

import asyncio
from dataclasses import replace

import structlog

from gateway import redact
from gateway.accounts import store as accounts
from gateway.accounts.model import AccountId, Caller
from gateway.clock import now_ms
from gateway.delivery.attempt import MAX_ANSWER, Unsendable, host_of
from gateway.delivery.to_third_party import ToThirdParty
from gateway.egress.model import Answer, Failure, Request
from gateway.errors import Busy, Invalid, NotFound, Problem
from gateway.events.model import Event
from gateway.ids import signing_secret
from gateway.instances.configuration import MASK
from gateway.provisioning.services import Services
from gateway.provisioning.trying.basis import event_of
from gateway.provisioning.trying.model import MOST_SHOWN, Basis, Preview, ShownRequest, Tested
from gateway.thirdparty import connectors
from gateway.thirdparty.draft import refused
from gateway.thirdparty.masking import is_secret
from gateway.thirdparty.model import Definition, Draft, SigningSecret, ThirdParty
from gateway.thirdparty.trying import MOST_TRIES

#: What may still be missing while somebody is typing.
_UNNEEDED = ("name",)

log = structlog.get_logger()


async def preview(
    services: Services,
    caller: Caller,
    draft: Draft,
    *,
    id: int | None = None,  # noqa: A002 - as surfaces call it
    account_id: str | None = None,
    event_id: str | None = None,
) -> Preview:
    """What the draft, on top of the stored connector where an id is given, would send of an event."""
    tried, problems = await _tried(services, caller, draft, id, account_id)
    event, name = await _event(services, caller, tried, event_id)
    if any(one.field not in _UNNEEDED for one in problems):
        return Preview(event=_basis(event), request=None, problems=tuple(problems))
    sending = _sending(services, tried, event, name)
    made = await asyncio.to_thread(sending.request, now_ms())
    if isinstance(made, Unsendable):
        return Preview(event=_basis(event), request=None, problems=(*problems, _problem(made)))
    return Preview(event=_basis(event), request=_shown(made), problems=tuple(problems))


async def tested(
    services: Services,
    caller: Caller,
    draft: Draft,
    *,
    id: int | None = None,  # noqa: A002, PT028 - as surfaces call it; it is no test of ours
    account_id: str | None = None,  # noqa: PT028
    event_id: str | None = None,  # noqa: PT028
) -> Tested:
    """Send one real request, never again, and in no ledger; Busy where the account has tried very often just now."""
    connectors.may_change(caller)
    tried, problems = await _tried(services, caller, draft, id, account_id)
    wrong = [one for one in problems if one.field not in _UNNEEDED]
    if wrong:
        raise refused(wrong)
    event, name = await _event(services, caller, tried, event_id)
    sending = _sending(services, tried, event, name)
    made = await asyncio.to_thread(sending.request, now_ms())
    if isinstance(made, Unsendable):
        raise Invalid(f"The request {made.reason}.", (_problem(made),))
    if not services.worker.third_parties.tries.take(tried.account_id):
        raise Busy(f"This account has tried its connectors {MOST_TRIES} times within a minute; wait a moment.")
    outcome = await services.runtime.client.send(made)
    found = _answered(event, made, outcome, sending.secrets(made))
    log.info("third_party.tried", account_id=tried.account_id, destination=host_of(made.url), status=found.status)
    return found


async def _tried(
    services: Services, caller: Caller, draft: Draft, connector_id: int | None, account_id: str | None
) -> tuple[ThirdParty, list[Problem]]:
    runtime = services.runtime
    if connector_id is not None:
        stored = await connectors.one(runtime, caller, connector_id)
        wanted, problems = connectors.judged(runtime, draft, stored.definition)
        return replace(stored, definition=wanted), problems
    account = account_id or caller.account_id or caller.user.account_id
    if not await accounts.has_account(runtime.database, caller, account):
        raise NotFound(f"No account found with ID {account[:64]}")
    wanted, problems = connectors.judged(runtime, draft, None)
    return _unmade(caller, account, wanted), problems


def _unmade(caller: Caller, account_id: str, wanted: Definition) -> ThirdParty:
    return ThirdParty(
        id=0,
        partner_id=caller.partner_id,
        account_id=AccountId(account_id),
        definition=wanted,
        state="active",
        reason=None,
        # The real one is made with the connector.
        signing_secrets=(SigningSecret(signing_secret()),),
        version=0,
        created_at=0,
        updated_at=0,
    )


async def _event(services: Services, caller: Caller, tried: ThirdParty, event_id: str | None) -> tuple[Event, str]:
    event = await event_of(services.runtime, caller, tried.account_id, tried.definition.fires, event_id)
    view = await services.index.by_id(event.instance_id) if event.instance_id else None
    return event, "A sample instance" if not event.instance_id else "" if view is None else view.instance.name


def _sending(services: Services, tried: ThirdParty, event: Event, instance_name: str) -> ToThirdParty:
    own = services.runtime.catalogue.get(event.connector)
    return ToThirdParty(
        event=event,
        hub=own.hub if own is not None else "",
        instance_name=instance_name,
        connector=tried,
        replay_id=None,
        timeout_s=services.runtime.config.delivery.timeout.seconds,
        keeps=True,
    )


def _problem(made: Unsendable) -> Problem:
    return Problem(made.field, made.message)


def _basis(event: Event) -> Basis:
    return Basis(
        event_id=event.id if event.instance_id else None,
        instance_id=event.instance_id,
        connector=event.connector,
        type=event.type,
        action=event.action,
        object_type=event.object_type,
        object_id=event.object_id,
        received_at=event.received_at,
        is_sample=not event.instance_id,
        payload=event.payload,
    )


def _shown(made: Request) -> ShownRequest:
    return ShownRequest(
        method=made.method,
        url=made.url,
        headers=tuple((name, MASK if is_secret(name) else value) for name, value in made.headers),
        body=made.body[:MOST_SHOWN],
        truncated=len(made.body) > MOST_SHOWN,
    )


def _answered(event: Event, made: Request, outcome: Answer | Failure, secrets: tuple[str, ...]) -> Tested:
    if isinstance(outcome, Failure):
        return Tested(
            event=_basis(event),
            request=_shown(made),
            status=None,
            headers=(),
            body=b"",
            truncated=False,
            duration_ms=round(outcome.total_ms),
            reason=f"{outcome.reason}: {outcome.detail}",
        )
    return Tested(
        event=_basis(event),
        request=_shown(made),
        status=outcome.status,
        headers=tuple(redact.headers(outcome.headers, secrets)),
        body=redact.body(outcome.body, secrets, MAX_ANSWER),
        truncated=outcome.truncated,
        duration_ms=round(outcome.total_ms),
        reason=None if 200 <= outcome.status < 300 else f"status {outcome.status}",
    )
