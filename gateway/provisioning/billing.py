"""Accounts whose period is over begin the next one, with the event flows that are active then."""

from collections.abc import Sequence

from gateway.accounts.directory import store as directory
from gateway.accounts.metering import periods
from gateway.accounts.metering import store as metering
from gateway.accounts.model import Account
from gateway.clock import now_ms
from gateway.provisioning.flows import active as flows
from gateway.runtime import Runtime

AT_ONCE = 100
_MOST_ROUNDS = 1_000


async def roll(runtime: Runtime) -> int:
    """Move the billing dates of all accounts whose next one has come, and give dates to those without; how many."""
    rolled = 0
    for _ in range(_MOST_ROUNDS):
        due = await directory.due_for_billing_any_account(runtime.database, now_ms(), AT_ONCE)
        due = due or await directory.without_billing_any_account(runtime.database, AT_ONCE)
        if not due:
            break
        rolled += await _rolled(runtime, due)
    return rolled


async def _rolled(runtime: Runtime, accounts: Sequence[Account]) -> int:
    number = 0
    async with runtime.database.transaction() as transaction:
        now = now_ms()
        # Of two nodes that do this at once, both lock the accounts in the same order.
        for account in sorted(accounts, key=lambda one: one.id):
            bills = periods.rolled(periods.of_account(account, now), now)
            if await metering.put_bills(transaction, account.id, account.next_bill_at, bills):
                await flows.noted(runtime.catalogue, transaction, account.id, now)
                number += 1
    return number
