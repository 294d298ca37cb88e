"""What every act on a registration needs: the rooms below, and the one way to write down what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from gateway.access.act import Vendors
from gateway.access.logins import sealed_of
from gateway.catalogue.webhook_model import Subscribe
from gateway.clock import now_ms
from gateway.ids import digest
from gateway.instances import store as instances
from gateway.instances.index import InstanceIndex
from gateway.instances.model import Secret
from gateway.instances.view import EARLIER, InstanceView
from gateway.registrations import store
from gateway.registrations.model import Registration
from gateway.registrations.requests import fingerprint
from gateway.registrations.times import next_look, wait_ms
from gateway.registrations.vendor import Answer, Vendor, of_instance
from gateway.registrations.wanted import subscribe_of
from gateway.runtime import Runtime
from gateway.storage.database import Transaction

#: How long deliveries of a former registration are still taken by its secret.
OVERLAP_MS = 24 * 3_600_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A claimed registration of an instance that is there."""

    row: Registration
    view: InstanceView
    subscribe: Subscribe
    vendor: Vendor
    callback: str

    @property
    def callback_hash(self) -> str:
        """By which the address is known again."""
        return digest(self.callback)

    def request(self) -> str:
        """By which it is known again what is asked for; Invalid where the instance cannot ask."""
        return fingerprint(self.vendor.access, self.subscribe, self.callback)


class Desk:
    """Writes for this node."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, vendors: Vendors) -> None:
        self.runtime = runtime
        self.vendors = vendors
        self._index = index

    async def view(self, instance_id: int) -> InstanceView | None:
        """The instance as it is now, whatever another node changed."""
        self._index.forget(instance_id)
        return await self._index.by_id(instance_id)

    async def case(self, row: Registration, view: InstanceView) -> Case | None:
        """Everything about one; None where the instance is being deleted."""
        subscribe = subscribe_of(view.connector)
        token = await store.inbound_token(self.runtime.database, self.runtime.seal, row.instance_id, now_ms())
        if subscribe is None or token is None:
            return None
        callback = f"{self.runtime.config.public_url}/in/{token}"
        return Case(row=row, view=view, subscribe=subscribe, vendor=of_instance(self.vendors, view), callback=callback)

    async def again(self, row: Registration) -> Case | None:
        """The case of a row after the instance's values changed; None where it was deleted meanwhile."""
        view = await self.view(row.instance_id)
        return None if view is None else await self.case(row, view)

    async def settle(
        self,
        before: Registration,
        after: Registration,
        values: Mapping[str, str | None] | None = None,
        *,
        view: InstanceView | None = None,
        goes_on: bool = False,
    ) -> bool:
        """Write down what came of it, with the instance's values; False where it is nobody's or another's by now."""
        now, runtime = now_ms(), self.runtime
        async with runtime.database.transaction() as transaction:
            if values and not await instances.lock_any_account(transaction, after.instance_id, now):
                return False
            if not await store.settle(transaction, runtime.seal, after, now, goes_on=goes_on):
                return False
            if values and view is not None:
                await self._put(transaction, view, values, now, overlap=before.stands)
        if values:
            self._index.forget(after.instance_id)
        self.tell(before, after, view)
        return True

    async def _put(
        self, transaction: Transaction, view: InstanceView, values: Mapping[str, str | None], now: int, *, overlap: bool
    ) -> None:
        """Store values; deliveries that were signed with a former secret may still be under way."""
        seal, instance_id, sealed = self.runtime.seal, view.instance.id, sealed_of(view.connector)
        stored = await instances.settings(transaction, seal, instance_id) if overlap else {}
        earlier = await instances.secrets(transaction, seal, instance_id, now) if overlap else []
        known = {(secret.kind, secret.value) for secret in earlier}
        for key in values.keys() & sealed & stored.keys():
            former = stored[key].value
            if former and former != values[key] and (EARLIER + key, former) not in known:
                kept = Secret(kind=EARLIER + key, value=former, created_at=now, expires_at=now + OVERLAP_MS)
                await instances.add_secret(transaction, seal, instance_id, kept)
        await instances.put_settings(transaction, seal, instance_id, values, sealed)

    async def remove(self, row: Registration, view: InstanceView | None, cleared: tuple[str, ...] = ()) -> bool:
        """There is none any more; False where somebody wished for one meanwhile, or took it over."""
        runtime = self.runtime
        async with runtime.database.transaction() as transaction:
            there = await instances.lock_any_account(transaction, row.instance_id, now_ms()) if view else False
            removed = await store.remove(transaction, row)
            if removed and there:
                values = dict.fromkeys(cleared)
                await instances.put_settings(transaction, runtime.seal, row.instance_id, values, frozenset())
        self._index.forget(row.instance_id)
        return removed

    async def active(self, case: Case, before: Registration, after: Registration) -> bool:
        """Nothing is to be done now; what a former one left behind is tried again sooner."""
        next_at = next_look(case.subscribe, after)
        if after.kept.left is not None:
            soon = now_ms() + wait_ms(after.attempts, after.instance_id)
            next_at = soon if next_at is None else min(soon, next_at)
        return await self.settle(before, replace(after, state="active", next_at=next_at))

    async def failed(
        self,
        before: Registration,
        after: Registration,
        answer: Answer,
        values: Mapping[str, str | None] | None = None,
        *,
        view: InstanceView | None = None,
    ) -> None:
        """It did not work: again later, or once somebody has changed the credentials."""
        if answer.kind == "refused":
            after = replace(store.moved(after, "refused", answer.reason, None), attempts=0)
        else:
            attempts = after.attempts + 1
            next_at = now_ms() + wait_ms(attempts, after.instance_id, answer.wait_s)
            after = replace(store.moved(after, "failing", answer.reason, next_at), attempts=attempts)
        await self.settle(before, after, values, view=view)

    def tell(self, before: Registration, after: Registration, view: InstanceView | None = None) -> None:
        """One line for every change of state."""
        if before.state == after.state:
            return
        say = log.info if after.state in ("active", "wanted") else log.warning
        connector = view.connector.key if view else after.kept.connector or None
        say(f"registration.{after.state}", instance_id=after.instance_id, connector=connector, reason=after.reason)
