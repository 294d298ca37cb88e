"""Counts an account's active event flows: its enabled instances whose events are on."""

from gateway.accounts.metering import store as metering
from gateway.accounts.model import AccountId
from gateway.catalogue.catalogue import Catalogue
from gateway.catalogue.core import completed
from gateway.provisioning.flows import store
from gateway.storage.database import Transaction

_ENABLED = "event.notification.enabled"


async def noted(catalogue: Catalogue, transaction: Transaction, account_id: AccountId, now: int) -> None:
    """Instances of the account are as they are stored in this transaction."""
    # First the row is locked, then counted: of two that change an account at once, the second sees both changes.
    await metering.lock_flows(transaction, account_id, now)
    found = await store.events_of(transaction, account_id)
    number = sum(count for connector, value, count in found if _is_on(catalogue, connector, value))
    await metering.put_flows(transaction, account_id, now, number)


def _is_on(catalogue: Catalogue, key: str, value: str | None) -> bool:
    if value is None:
        connector = catalogue.get(key)
        value = completed(connector, {}).get(_ENABLED) if connector is not None else None
    return value == "true"
