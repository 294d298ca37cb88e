"""From an Authorization header to a caller."""

import re

from gateway.accounts import store
from gateway.accounts.model import Caller, Credentials
from gateway.errors import Forbidden, Unauthorized
from gateway.storage.database import Database

# Secrets are base64 and hold no comma or space, so both may part the pairs.
_PAIR = re.compile(r"\b(User|Organization|Element|Bearer)\s+([^\s,]+)", re.IGNORECASE)
_LONGEST = 8192


def parse(header: str) -> Credentials:
    """Read `User …, Organization …, Element …` in any order, or `Bearer …`; what is not there is None."""
    if len(header) > _LONGEST:
        return Credentials()
    found = {kind.lower(): secret for kind, secret in _PAIR.findall(header)}
    return Credentials(
        user=found.get("user"),
        organization=found.get("organization"),
        element=found.get("element"),
        bearer=found.get("bearer"),
    )


async def caller_of(database: Database, credentials: Credentials, *, now: int) -> Caller:
    """The caller that a bearer token, or a User with its Organization secret, speaks for; else Unauthorized."""
    if credentials.bearer is not None:
        caller = await store.caller_by_token(database, credentials.bearer, now)
    elif credentials.user and credentials.organization:
        caller = await store.caller_by_secrets(database, credentials.user, credentials.organization)
    else:
        caller = None
    if caller is None:
        raise Unauthorized()
    return caller


def administrator(caller: Caller) -> Caller:
    """The caller, where it may decide for its partner; else Forbidden."""
    if caller.user.role != "administrator":
        raise Forbidden("Only an administrator may do this.")
    return caller
