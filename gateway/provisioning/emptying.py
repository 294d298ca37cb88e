"""An account removed with everything in it."""

from contextlib import suppress
from dataclasses import replace

from gateway.accounts import store as accounts
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account, Caller
from gateway.clock import now_ms
from gateway.errors import Conflict, NotFound
from gateway.instances import store as instances_store
from gateway.instances.store import Filter
from gateway.provisioning import instances, third_party
from gateway.provisioning.services import Services
from gateway.thirdparty import connectors

_AT_ONCE = 100


async def remove_account(services: Services, caller: Caller, account: Account) -> None:
    """Remove the account, its instances first; Conflict where nobody would be left to rule its partner."""
    database = services.runtime.database
    await _keeps_ruler(services, account)
    inside = replace(caller, account_id=account.id)
    await _emptied(services, inside)
    async with database.transaction() as transaction:
        await directory.remove(transaction, account, now_ms())
    services.reception.forget()
    # Somebody may have installed one meanwhile.
    await _emptied(services, inside)


async def _emptied(services: Services, inside: Caller) -> None:
    while found := await instances_store.page(services.runtime.database, inside, Filter(), after=0, size=_AT_ONCE):
        for one in found:
            try:
                await instances.remove(services, inside, one.id)
            except NotFound:
                continue  # Somebody else was faster.
    while others := (await connectors.page(services.runtime, inside, size=_AT_ONCE)).items:
        for other in others:
            with suppress(NotFound):
                await third_party.remove(services, inside, other.id)


async def _keeps_ruler(services: Services, account: Account) -> None:
    after = 0
    while found := await accounts.users_page(services.runtime.database, account.partner_id, None, after=after):
        if any(one.role == "administrator" and one.account_id != account.id for one in found):
            return
        after = found[-1].id
    raise Conflict("This account has the partner's last administrator; make another one elsewhere first.")
