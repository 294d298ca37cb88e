"""An account's 3rd-party connectors: made, changed, switched, removed, listed."""

from collections.abc import Sequence
from dataclasses import fields, replace

from gateway import ids
from gateway.accounts import store as accounts
from gateway.accounts.model import AccountId, Caller
from gateway.clock import now_ms
from gateway.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from gateway.instances import store as instances
from gateway.instances.configuration import MASK
from gateway.runtime import Runtime
from gateway.storage import sequence
from gateway.storage.database import Reader
from gateway.thirdparty import store
from gateway.thirdparty.checks import origin_of, problems_in
from gateway.thirdparty.draft import refused
from gateway.thirdparty.masking import is_secret
from gateway.thirdparty.model import Definition, Draft, Fires, Header, Made, Page, SigningSecret, SortBy, ThirdParty

MOST_IN_ACCOUNT = 200
MOST_AT_ONCE = 200
MOST_SIGNING_SECRETS = 5
DEFAULT_OVERLAP_MS = 86_400_000
OFF_BY_HAND = "disabled"
_OVERTAKEN = "Somebody has changed this connector since you opened it; look at it again, then make your change anew."


async def one(runtime: Runtime, caller: Caller, connector_id: int) -> ThirdParty:
    """The caller's connector."""
    return await store.get(runtime.database, runtime.seal, caller, connector_id)


async def page(
    runtime: Runtime,
    caller: Caller,
    *,
    search: str = "",
    sort: SortBy = "name",
    ascending: bool = True,
    number: int = 1,
    size: int = 10,
) -> Page:
    """One page of the caller's connectors, the first being number 1."""
    skipped = (max(1, number) - 1) * size
    found = await store.page(runtime.database, runtime.seal, caller, search, sort, ascending, skipped, size)
    return Page(items=tuple(found), total=await store.total(runtime.database, caller, search))


def may_change(caller: Caller) -> None:
    """Forbidden where the caller's role may only look."""
    if caller.user.role == "end_user":
        raise Forbidden("The role end_user may look at 3rd-party connectors, and not change or try them.")


async def create(runtime: Runtime, caller: Caller, account_id: str | None, draft: Draft) -> Made:
    """Make a connector in an account of the caller; Invalid names everything that is wrong."""
    may_change(caller)
    account = account_id or caller.account_id or caller.user.account_id
    await _own(runtime.database, caller, account)
    wanted = definition_of(runtime, draft, None)
    secret, now = ids.signing_secret(), now_ms()
    enabled = draft.enabled is not False
    async with runtime.database.transaction() as transaction:
        await store.hold_account(transaction, account)
        await _own(transaction, caller, account)
        await _check(runtime, transaction, caller, account, wanted, None)
        if await store.number_in(transaction, account) >= MOST_IN_ACCOUNT:
            raise Conflict(f"This account has {MOST_IN_ACCOUNT} 3rd-party connectors already; that is the limit.")
        made = ThirdParty(
            id=await sequence.take(transaction, "destinations"),
            partner_id=caller.partner_id,
            account_id=AccountId(account),
            definition=wanted,
            state="active" if enabled else "off",
            reason=None if enabled else OFF_BY_HAND,
            signing_secrets=(SigningSecret(secret),),
            version=1,
            created_at=now,
            updated_at=now,
        )
        await store.add(transaction, runtime.seal, made)
    return Made(made, secret)


async def change(runtime: Runtime, caller: Caller, connector_id: int, draft: Draft, version: int) -> ThirdParty:
    """Change what the draft says; Conflict where somebody else has changed it since that version."""
    may_change(caller)
    async with runtime.database.transaction() as transaction:
        current = await store.locked(transaction, runtime.seal, caller, connector_id)
        if current.version != version:
            raise Conflict(_OVERTAKEN)
        wanted = definition_of(runtime, draft, current.definition)
        await store.hold_account(transaction, current.account_id)
        await _check(runtime, transaction, caller, current.account_id, wanted, current)
        made = replace(current, definition=wanted, version=version + 1, updated_at=now_ms())
        if draft.enabled is not None:
            made = _switched(made, enabled=draft.enabled)
        await store.put(transaction, runtime.seal, made)
    return made


async def switch(
    runtime: Runtime, caller: Caller, connector_ids: Sequence[int], *, enabled: bool
) -> tuple[ThirdParty, ...]:
    """Switch several on or off, all of them or none."""
    may_change(caller)
    wanted = sorted(set(connector_ids))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        problem = Problem("ids", f"expected 1 to {MOST_AT_ONCE} numbers of connectors")
        raise Invalid(f"ids: {problem.message}.", (problem,))
    made = []
    async with runtime.database.transaction() as transaction:
        for connector_id in wanted:
            current = await store.locked(transaction, runtime.seal, caller, connector_id)
            if current.enabled != enabled:
                now = now_ms()
                current = _switched(replace(current, version=current.version + 1, updated_at=now), enabled=enabled)
                await store.put(transaction, runtime.seal, current)
            made.append(current)
    return tuple(made)


async def remove(runtime: Runtime, caller: Caller, connector_id: int) -> ThirdParty:
    """Delete a connector with its secrets; its history stays."""
    may_change(caller)
    async with runtime.database.transaction() as transaction:
        found = await store.locked(transaction, runtime.seal, caller, connector_id)
        await store.remove(transaction, connector_id, now_ms())
    return found


async def rotate_signing_secret(
    runtime: Runtime, caller: Caller, connector_id: int, overlap_ms: int
) -> tuple[ThirdParty, str]:
    """A new signing secret, told this once; the earlier ones sign beside it until the overlap is over."""
    may_change(caller)
    secret, now = ids.signing_secret(), now_ms()
    async with runtime.database.transaction() as transaction:
        current = await store.locked(transaction, runtime.seal, caller, connector_id)
        earlier = _ending(current.signing_secrets, now, now + overlap_ms)
        if len(earlier) >= MOST_SIGNING_SECRETS:
            raise Conflict(f"{len(earlier)} earlier ones still count; rotate with a shorter overlap, such as 0s.")
        made = replace(
            current, signing_secrets=(SigningSecret(secret), *earlier), version=current.version + 1, updated_at=now
        )
        await store.put(transaction, runtime.seal, made)
    return made, secret


def definition_of(runtime: Runtime, draft: Draft, stored: Definition | None) -> Definition:
    """What a draft makes of what is stored; Invalid where it cannot be used, or a secret must be entered again."""
    wanted, problems = judged(runtime, draft, stored)
    if problems:
        raise refused(problems)
    return wanted


def judged(runtime: Runtime, draft: Draft, stored: Definition | None) -> tuple[Definition, list[Problem]]:
    """The same with everything that is wrong with it."""
    base = stored or Definition(name="", url="")
    said = {name: value for name in _SIMPLE if (value := getattr(draft, name)) is not None}
    for name in ("name", "url", "root"):
        if name in said:
            said[name] = said[name].strip()
    problems: list[Problem] = []
    moved = stored is not None and "url" in said and origin_of(said["url"]) != origin_of(stored.url)
    headers = _headers(draft, base, problems, moved=moved)
    username, password = _basic(draft, base, problems, moved=moved)
    wanted = replace(base, **said, headers=headers, username=username, password=password)
    return wanted, [*problems, *problems_in(wanted, runtime.guard.refuses_url)]


_SIMPLE = tuple(one.name for one in fields(Draft) if one.name not in ("headers", "username", "password", "enabled"))
_AGAIN = "enter it again: the address has another host, which must not get a stored secret unasked"


def _headers(draft: Draft, base: Definition, problems: list[Problem], *, moved: bool) -> tuple[Header, ...]:
    wanted = base.headers if draft.headers is None else draft.headers
    stored = {one.name.lower(): one.value for one in base.headers if is_secret(one.name)}
    made = []
    for number, one in enumerate(wanted):
        name = one.name.strip()
        kept = is_secret(name) and (draft.headers is None or one.value == MASK)
        if kept and (moved or name.lower() not in stored):
            message = _AGAIN if name.lower() in stored else "expected a value; there is no stored one to be kept"
            problems.append(Problem(f"headers.{number}.value", message))
        made.append(Header(name, stored.get(name.lower(), "") if kept else one.value))
    return tuple(made)


def _basic(draft: Draft, base: Definition, problems: list[Problem], *, moved: bool) -> tuple[str | None, str | None]:
    username = base.username if draft.username is None else draft.username or None
    if username is None:
        # A password by itself is wrong only where somebody has just entered it.
        return None, draft.password if draft.password not in (None, "", MASK) else None
    kept = draft.password is None or draft.password == MASK
    if kept and base.password and moved:
        problems.append(Problem("basic.password", _AGAIN))
    return username, base.password if kept else draft.password


async def _own(reader: Reader, caller: Caller, account_id: str) -> None:
    if not await accounts.has_account(reader, caller, account_id):
        raise NotFound(f"No account found with ID {account_id[:64]}")


async def _check(
    runtime: Runtime, reader: Reader, caller: Caller, account_id: str, wanted: Definition, current: ThirdParty | None
) -> None:
    """What only the account's other things can tell; a condition that stood there before is not asked again."""
    problems = []
    if await store.has_name(reader, account_id, wanted.name, current.id if current else 0):
        problems.append(Problem("name", "another 3rd-party connector of this account has this name"))
    before = current.definition.fires if current else Fires()
    inside = replace(caller, account_id=AccountId(account_id))
    for instance_id in wanted.fires.instance_ids:
        if instance_id not in before.instance_ids and not await instances.belongs(reader, inside, instance_id):
            problems.append(Problem("fires.instance_ids", f"{instance_id} is no instance of this account"))
    known = {one.key for one in runtime.catalogue.visible_to(caller.partner_id)} | {*before.connectors}
    unknown = next((one for one in wanted.fires.connectors if one not in known), None)
    if unknown is not None:
        problems.append(Problem("fires.connectors", f"{unknown[:80]!r} is no key of a connector"))
    if problems:
        raise refused(problems)


def _switched(made: ThirdParty, *, enabled: bool) -> ThirdParty:
    if enabled == made.enabled:
        return made
    return replace(made, state="active" if enabled else "off", reason=None if enabled else OFF_BY_HAND)


def _ending(secrets: Sequence[SigningSecret], now: int, at: int) -> list[SigningSecret]:
    ended = [replace(one, expires_at=at if one.expires_at is None else min(at, one.expires_at)) for one in secrets]
    return [one for one in ended if one.expires_at is not None and one.expires_at > now]
