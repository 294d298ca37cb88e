"""Whose the items of a delivery are: what it names as their accounts, and which instances stand for those."""

from collections.abc import Collection, Sequence

from gateway.catalogue.webhook_model import Tenant
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView

MOST_ACCOUNTS = 100
MOST_CANDIDATES = 200

#: The numbers of the items that belong to each account; None for those that name none.
Shares = dict[str | None, list[int]]


def shares_of(accounts: Sequence[str | None], items: int) -> Shares:
    """Which items belong to which account; a delivery without items may name one all the same."""
    shares: Shares = {}
    for number, account in enumerate(accounts):
        numbers = shares.setdefault(account, [])
        if number < items:
            numbers.append(number)
    return shares


def left(shares: Shares, served: Collection[str | None]) -> int:
    """How many items are of accounts that nobody was served for."""
    return sum(len(numbers) for account, numbers in shares.items() if account not in served)


async def instances_of(
    index: InstanceIndex, connector: str, tenant: Tenant, shares: Shares, *, partner_id: str | None = None
) -> list[tuple[str, InstanceView]]:
    """Instances that say of themselves that they stand for an account; nothing is proved by that.

    Of many accounts the first ones are looked for, and with `partner_id` only that partner's instances.
    """
    found: list[tuple[str, InstanceView]] = []
    for account in [account for account in shares if account is not None][:MOST_ACCOUNTS]:
        value = tenant.value(account)
        views = await index.by_value(connector, tenant.entry, value) if value else []
        found += [(account, view) for view in views if _stands_for(view, tenant, account, partner_id)]
        if len(found) >= MOST_CANDIDATES:
            break
    return found[:MOST_CANDIDATES]


def _stands_for(view: InstanceView, tenant: Tenant, account: str, partner_id: str | None) -> bool:
    # The list may be older than the view.
    return tenant.of(view.config) == account and partner_id in (None, view.instance.partner_id)
