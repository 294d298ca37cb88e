"""A registration made: asked for, its answer kept, and whatever is left at the vendor of a former one removed."""

from dataclasses import replace
from uuid import uuid4

import structlog
from msgspec import structs

from gateway.access.logins import sealed_of
from gateway.calls.grants import kept
from gateway.catalogue.document import Document
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import templates_in
from gateway.catalogue.webhook_model import Subscribe
from gateway.clock import iso, now_ms
from gateway.registrations import requests, times
from gateway.registrations.desk import Case, Desk
from gateway.registrations.model import Registration
from gateway.registrations.vendor import Answer, Vendor
from gateway.registrations.wanted import SUBSCRIPTION_ID, handed_over

_MOST_LISTED = 500

log = structlog.get_logger()


class Making:
    """Makes them for this node."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def make(self, case: Case, *, lost: str = "") -> None:
        """A new one, and then the former one goes; `lost` says what became of that, where it is not ours any more."""
        before, request = case.row, case.request()
        row = before
        if lost:
            row = replace(row, vendor_id=None, callback_hash=None, expires_at=None, renew_at=None)
            row = replace(row, kept=structs.replace(row.kept, lost=lost))
        if row.asked_id is not None:
            await remove_strays(case.vendor, case.subscribe, row, case.callback)
        row = replace(row, asked_id=str(uuid4()), kept=structs.replace(row.kept, request=request))
        if not await self._begun(case, row):
            return
        now_there = await self._desk.again(row)
        if now_there is not None:
            await self._asked(case, now_there)

    async def _begun(self, case: Case, row: Registration) -> bool:
        """Written down before the vendor is asked; what it hands over by a handshake finds an empty place."""
        emptied = [key for key in handed_over(case.view.connector) if case.view.config.get(key)]
        return await self._desk.settle(case.row, row, dict.fromkeys(emptied), view=case.view, goes_on=True)

    async def _asked(self, former: Case, case: Case) -> None:
        row, vendor = case.row, case.vendor
        wanted = requests.Wanted(case.callback, row.asked_id or "", now_ms())
        call = requests.creating(vendor.access, case.subscribe, wanted)
        answer = await vendor.ask(call)
        if answer.kind == "rejected" and row.stands and await self._former_removed(former):
            # Some vendors take only one for an address.
            row = replace(row, vendor_id=None, callback_hash=None)
            answer = await vendor.ask(call)
        if answer.kind != "ok":
            await self._not_made(former, replace(case, row=row), answer)
            return
        values = kept(case.subscribe.save, answer.sources)
        problem = _incomplete(case, values) or await self._followed(case, values)
        if problem is not None:
            await undo(vendor, case.subscribe, values)
            await self._not_made(former, replace(case, row=row), problem)
            return
        await self._stored(former, replace(case, row=row), values, answer)

    async def _former_removed(self, former: Case) -> bool:
        call = requests.deleting(former.vendor.access, former.subscribe)
        return call is not None and (await former.vendor.ask(call)).kind in ("ok", "gone")

    async def _followed(self, case: Case, values: dict[str, str]) -> Answer | None:
        """What the vendor tells only when it is asked again is put to the values; else why it did not."""
        follow = case.subscribe.after
        if follow is None:
            return None
        access = requests.with_values(case.vendor.access, values)
        answer = await case.vendor.ask(requests.asking(access, follow.request, case.callback))
        found = kept(follow.save, answer.sources) if answer.kind == "ok" else {}
        missing = [key for key, _ in follow.save if key not in found]
        values |= found
        if answer.kind == "ok" and missing:
            return _lacking(missing, answer.sources)
        return None if answer.kind == "ok" else replace(answer, kind="failed" if answer.kind == "gone" else answer.kind)

    async def _not_made(self, former: Case, case: Case, answer: Answer) -> None:
        """The handshake's entries get their former values back; nobody knows whose a doubtful one's would be."""
        keys = handed_over(case.view.connector)
        values = {key: former.view.config.get(key) if case.row.stands else None for key in keys}
        kind = "failed" if answer.kind in ("gone", "rejected") else answer.kind
        row = case.row if kind == "doubtful" else replace(case.row, asked_id=None)
        if not case.row.stands or kind != "doubtful":
            await self._desk.failed(former.row, row, replace(answer, kind=kind), values, view=case.view)
        else:
            await self._desk.failed(former.row, row, answer)

    async def _stored(self, former: Case, case: Case, values: dict[str, str], answer: Answer) -> None:
        now, before = now_ms(), former.row
        expires_at = times.expiry(case.subscribe, answer.sources, now)
        key, left = requests.id_entry(case.subscribe), _left(former, case, values)
        lost = case.row.kept.lost
        until = now + times.REMOVAL_MS if left else 0
        after = replace(
            case.row,
            state="active",
            reason=f"made anew at {iso(now)}: {lost}" if lost else None,
            vendor_id=values.get(key) if key else None,
            callback_hash=case.callback_hash,
            public_url=self._desk.runtime.config.public_url,
            expires_at=expires_at,
            renew_at=times.renewal(case.subscribe, expires_at, now),
            checked_at=now,
            attempts=0,
            asked_id=None,
            kept=structs.replace(case.row.kept, lost="", left=left, left_until=until),
        )
        after = replace(after, next_at=now if left else times.next_look(case.subscribe, after))
        shown = {**values, SUBSCRIPTION_ID: after.vendor_id}
        if not await self._desk.settle(before, after, shown, view=case.view):
            # Somebody else works on it, or the instance was deleted: two would be one too many.
            await undo(case.vendor, case.subscribe, values)
        elif lost:
            self._desk.runtime.metrics.registrations_restored.inc()
            log.warning(
                "registration.restored",
                instance_id=after.instance_id,
                connector=case.view.connector.key,
                reason=lost,
                vendor_id=after.vendor_id,
            )


async def undo(vendor: Vendor, subscribe: Subscribe, values: dict[str, str]) -> None:
    """Take back what was just made; where that fails, it is found again only if the vendor lists it."""
    call = requests.deleting(requests.with_values(vendor.access, values), subscribe)
    if call is not None and values:
        answer = await vendor.ask(call)
        log.info("registration.undone", outcome=answer.kind)


async def remove_strays(vendor: Vendor, subscribe: Subscribe, row: Registration, callback: str) -> None:
    """Remove what an attempt that nobody came back from may have left: what the vendor lists, or has our id."""
    key = requests.id_entry(subscribe)
    if key is None:
        return
    for found in await _strays(vendor, subscribe, row, callback):
        call = requests.deleting(requests.with_values(vendor.access, {key: found}), subscribe)
        if call is not None:
            answer = await vendor.ask(call)
            log.info("registration.stray", instance_id=row.instance_id, outcome=answer.kind)


async def _strays(vendor: Vendor, subscribe: Subscribe, row: Registration, callback: str) -> list[str]:
    if subscribe.list is None:
        ours = any("uuid" in template.words for template in templates_in(subscribe.body))
        return [row.asked_id] if ours and row.asked_id is not None else []
    answer = await vendor.ask(requests.asking(vendor.access, subscribe.list, callback))
    places = subscribe.list_items
    items = places.find(answer.sources) if places is not None else answer.sources.body
    found = []
    for item in items[:_MOST_LISTED] if isinstance(items, list) and answer.kind == "ok" else []:
        sources = Sources(item=Document(b"", item))
        id_ = subscribe.list_id.text(sources) if subscribe.list_id else None
        url = subscribe.list_url.text(sources) if subscribe.list_url else None
        # The token is nobody else's; server.public_url may have been another one.
        if id_ and id_ != row.vendor_id and url and url.rpartition("/")[2] == callback.rpartition("/")[2]:
            found.append(id_)
    return found


def _incomplete(case: Case, values: dict[str, str]) -> Answer | None:
    """Without its id it could never be removed, and without a secret no delivery proved."""
    key, secret = requests.id_entry(case.subscribe), sealed_of(case.view.connector)
    needed = [one for one, _ in case.subscribe.save if one == key or (one in secret and not _is_known(case, one))]
    missing = [one for one in needed if one not in values]
    return _lacking(missing, Sources()) if missing else None


def _is_known(case: Case, entry: str) -> bool:
    """Whether the instance has this secret, or another that the same proof takes, such as its app's."""
    hook, config = case.view.connector.webhook, case.view.config
    proofs = [rule.secret for rule in hook.verify if entry in rule.secret] if hook is not None else []
    return any(config.get(key) for keys in [(entry,), *proofs] for key in keys)


def _lacking(keys: list[str], sources: Sources) -> Answer:
    reason = f"the vendor's answer holds nothing for {', '.join(keys)}"
    return Answer(kind="failed", reason=reason, sources=sources)


def _left(former: Case, case: Case, values: dict[str, str]) -> dict[str, str] | None:
    """The values of the former one, where it is another than the new one and can be removed."""
    if not case.row.stands:
        return None
    old = {key: value for key in case.subscribe.saved if (value := former.view.config.get(key))}
    gone = requests.deleting(requests.with_values(case.vendor.access, old), case.subscribe)
    new = requests.deleting(requests.with_values(case.vendor.access, values), case.subscribe)
    return old if gone is not None and new is not None and gone != new else None
