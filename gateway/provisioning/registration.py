"""The registration at the vendor follows the instance: told of every change in its transaction, woken after it."""

from gateway.accounts.model import Caller
from gateway.catalogue.core import completed
from gateway.clock import now_ms
from gateway.errors import Conflict
from gateway.instances import store as instances
from gateway.instances.model import Instance
from gateway.provisioning.details import Details, details
from gateway.provisioning.services import Services
from gateway.registrations import store
from gateway.registrations.model import Kept
from gateway.registrations.wanted import subscribe_of, wants
from gateway.storage.database import Transaction

#: How long a caller waits for a try; it goes on without them.
PATIENCE_S = 20.0
REMOVAL_MS = 24 * 3_600_000


async def noted(services: Services, transaction: Transaction, instance: Instance) -> None:
    """The instance is as it is stored in this transaction: what it wants of its vendor is looked at soon."""
    runtime = services.runtime
    connector = runtime.catalogue.get(instance.connector)
    if connector is None or subscribe_of(connector) is None:
        return
    settings = await instances.settings(transaction, runtime.seal, instance.id)
    stored = {key: one.value for key, one in settings.items() if one.value is not None}
    wanted = wants(connector, completed(connector, stored), enabled=instance.enabled)
    await store.wish(transaction, instance.id, now_ms(), wanted=wanted)


async def departing(services: Services, transaction: Transaction, instance: Instance) -> None:
    """The instance is deleted in this transaction: what the vendor's registration needs to be removed is kept."""
    runtime, now = services.runtime, now_ms()
    row = await store.get(transaction, runtime.seal, instance.id)
    if row is None:
        return
    if not row.stands and row.asked_id is None:
        await store.forget(transaction, instance.id)
        return
    settings = await instances.settings(transaction, runtime.seal, instance.id)
    token = await store.inbound_token(transaction, runtime.seal, instance.id, now)
    kept = Kept(
        left={key: one.value for key, one in settings.items() if one.value is not None},
        left_until=now + REMOVAL_MS,
        connector=instance.connector,
        callback=f"{runtime.config.public_url}/in/{token}",
    )
    await store.depart(transaction, runtime.seal, row, kept, now)


async def tried(services: Services, caller: Caller, instance_id: int) -> Details:
    """Look after the registration now: make it, or ask whether it still stands."""
    current = await details(services.runtime, caller, instance_id)
    if subscribe_of(current.connector) is None:
        raise Conflict(f"{current.connector.name} is told by hand where to send: enter webhookUrl in its settings.")
    async with services.runtime.database.transaction() as transaction:
        instance = await instances.locked(transaction, caller, instance_id, now_ms())
        await noted(services, transaction, instance)
        await store.ask_for_check(transaction, instance_id)
    await services.registrations.look_after(instance_id, PATIENCE_S)
    return await details(services.runtime, caller, instance_id)
