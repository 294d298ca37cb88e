"""A registration removed: of an instance that takes no webhooks any more, of a deleted one, of a former address."""

from dataclasses import replace

import structlog
from msgspec import structs

from gateway.calls.grants import Denied
from gateway.catalogue.sources import Sources
from gateway.catalogue.webhook_model import Subscribe
from gateway.clock import now_ms
from gateway.errors import Invalid
from gateway.instances import store as instances
from gateway.instances.view import InstanceView
from gateway.registrations import requests, store, times
from gateway.registrations.desk import Case, Desk
from gateway.registrations.making import remove_strays
from gateway.registrations.model import Registration
from gateway.registrations.vendor import Answer, Vendor, of_departed
from gateway.registrations.wanted import filled, subscribe_of

log = structlog.get_logger()
_NO_CONNECTOR = "its connector is not in the catalogue any more"


class Leaving:
    """Removes for this node."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def switched_off(self, row: Registration, view: InstanceView) -> None:
        """The instance is there, and wants nothing from the vendor any more."""
        case = await self._desk.case(row, view)
        if case is None or not (row.stands or row.asked_id is not None):
            await self._desk.remove(row, view)
            return
        answer = await _removed(case.vendor, case.subscribe, row, case.callback)
        if answer is None or answer.kind in ("ok", "gone") or self._too_long(row, answer):
            await self._over(case)
        else:
            await self._again(row, answer, view)

    async def _over(self, case: Case) -> None:
        if await self._desk.remove(case.row, case.view, filled(case.view.connector, case.subscribe)):
            log.info("registration.removed", instance_id=case.row.instance_id, connector=case.view.connector.key)
            return
        # Somebody wants it again: what is gone is not believed to stand.
        bare = replace(case.row, vendor_id=None, callback_hash=None, asked_id=None, state="wanted", reason=None)
        await self._desk.settle(case.row, bare)

    async def deleted(self, row: Registration) -> None:
        """The instance is gone; what it left says how to ask."""
        kept = row.kept
        if kept.left is None:
            await self._without_trace(row)
            return
        connector = self._desk.runtime.catalogue.get(kept.connector)
        subscribe = None if connector is None else subscribe_of(connector)
        if connector is None or subscribe is None:
            await self._again_or_never(row, _failure(_NO_CONNECTOR))
            return
        found = await of_departed(self._desk.vendors, connector, kept.left)
        if isinstance(found, Denied):
            await self._again_or_never(row, _failure(found.message))
            return
        vendor, left = found
        row = replace(row, kept=structs.replace(kept, left=left))
        answer = await _removed(vendor, subscribe, row, kept.callback)
        if answer is None or answer.kind in ("ok", "gone"):
            await self._desk.remove(row, None)
            log.info("registration.removed", instance_id=row.instance_id, connector=connector.key)
        else:
            await self._again_or_never(row, answer)

    async def _without_trace(self, row: Registration) -> None:
        record = await instances.by_id_any_account(self._desk.runtime.database, row.instance_id)
        if record is None:
            await self._desk.remove(row, None)
        else:
            await self._desk.failed(row, row, _failure(_NO_CONNECTOR))

    async def former(self, case: Case) -> Case:
        """Remove what a change of address left at the vendor; the case as it is then."""
        row, left = case.row, case.row.kept.left
        if left is None:
            return case
        call = requests.deleting(requests.with_values(case.vendor.access, left), case.subscribe)
        answer = None if call is None else await case.vendor.ask(call)
        if answer is None or answer.kind in ("ok", "gone") or self._too_long(row, answer):
            nothing = structs.replace(row.kept, left=None, left_until=0)
            return replace(case, row=replace(row, kept=nothing, attempts=0))
        reason = f"the former one stays: {answer.reason}"
        return replace(case, row=replace(row, attempts=row.attempts + 1, reason=reason))

    async def _again_or_never(self, row: Registration, answer: Answer) -> None:
        if self._too_long(row, answer):
            await self._desk.remove(row, None)
        else:
            await self._again(row, answer, None)

    async def _again(self, row: Registration, answer: Answer, view: InstanceView | None) -> None:
        now, attempts = now_ms(), row.attempts + 1
        next_at = now + times.wait_ms(attempts, row.instance_id, answer.wait_s)
        kept = row.kept if row.kept.left_until else structs.replace(row.kept, left_until=now + times.REMOVAL_MS)
        after = replace(store.moved(row, "removing", answer.reason, next_at), attempts=attempts, kept=kept)
        await self._desk.settle(row, after, view=view)

    def _too_long(self, row: Registration, answer: Answer) -> bool:
        """Whether it was tried for long enough; what is left at the vendor then is told once."""
        if not row.kept.left_until or now_ms() < row.kept.left_until:
            return False
        log.warning("registration.left_behind", instance_id=row.instance_id, reason=answer.reason)
        return True


async def _removed(vendor: Vendor, subscribe: Subscribe, row: Registration, callback: str) -> Answer | None:
    """What the vendor said to its removal; None where there is nothing to ask."""
    try:
        if row.asked_id is not None:
            await remove_strays(vendor, subscribe, row, callback)
        call = requests.deleting(vendor.access, subscribe) if row.stands else None
    except Invalid as problem:
        return _failure(str(problem))
    return None if call is None else await vendor.ask(call)


def _failure(reason: str) -> Answer:
    return Answer(kind="failed", reason=reason, sources=Sources())
