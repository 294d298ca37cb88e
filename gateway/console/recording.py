"""What people change here is written into the audit log, in the words of `texts/*/audit.toml`."""

from typing import Any

import structlog
from aiohttp import web

from gateway.accounts.audit import store
from gateway.accounts.audit.model import Entry, Wanted, entry
from gateway.accounts.model import User
from gateway.api.source import address
from gateway.clock import now_ms
from gateway.console.visitor import Visitor, services
from gateway.errors import GatewayError

log = structlog.get_logger()


async def recorded(
    request: web.Request, who: Visitor, act: str, subject: str, subject_id: object, subject_name: str, **details: Any
) -> None:
    """Keep that somebody did this; `details` are names of what changed and harmless values, never a secret.

    The change has happened when this is called: where the entry cannot be kept, the log says so.
    """
    await _kept(
        request, _entry(request, who.session.user, who.account.id, act, subject, subject_id, subject_name, details)
    )


async def latest(request: web.Request, who: Visitor, subject: str, subject_id: object, act: str = "") -> Entry | None:
    """What the log knows of the last change of something; for who comes second and asks who came first."""
    wanted = Wanted(subject=subject, subject_id=str(subject_id), act=act)
    found = await store.page(services(request).runtime.database, who.caller, wanted, size=1)
    return next(iter(found.items), None)


def refused(request: web.Request, username: str) -> None:
    """Keep that a password was wrong; nobody waits."""
    store.note_failure(services(request).runtime.database, username, now_ms(), address(request))


def _entry(
    request: web.Request,
    user: User,
    account_id: str,
    act: str,
    subject: str,
    subject_id: object,
    subject_name: str,
    details: dict[str, Any],
) -> Entry:
    return entry(
        partner_id=user.partner_id,
        account_id=account_id,
        user_id=user.id,
        username=user.username,
        at=now_ms(),
        via="console",
        act=act,
        subject=subject,
        subject_id=subject_id,
        subject_name=subject_name,
        details=details,
        remote=address(request),
    )


async def _kept(request: web.Request, made: Entry) -> None:
    try:
        await store.add(services(request).runtime.database, made)
    except GatewayError as problem:
        log.warning("audit.lost", act=made.act, subject=made.subject, problem=str(problem))
