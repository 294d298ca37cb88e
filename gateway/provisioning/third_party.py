"""3rd-party connectors with all that hangs on them: changed, and told to the worker; what every surface calls."""

from collections.abc import Iterable, Sequence

from gateway.accounts.model import Caller
from gateway.provisioning.services import Services
from gateway.provisioning.trying.attempts import preview, tested
from gateway.thirdparty import connectors
from gateway.thirdparty.model import Draft, Made, ThirdParty

__all__ = ["change", "create", "preview", "remove", "rotate_signing_secret", "switch", "tested"]


async def create(services: Services, caller: Caller, account_id: str | None, draft: Draft) -> Made:
    """Make a connector in an account of the caller, or in its own; Invalid names everything that is wrong."""
    made = await connectors.create(services.runtime, caller, account_id, draft)
    _noticed(services, [made.connector])
    return made


async def change(services: Services, caller: Caller, connector_id: int, draft: Draft, version: int) -> ThirdParty:
    """Change what the draft says; Conflict where somebody else has changed it since that version."""
    made = await connectors.change(services.runtime, caller, connector_id, draft, version)
    _noticed(services, [made])
    return made


async def switch(
    services: Services, caller: Caller, connector_ids: Sequence[int], *, enabled: bool
) -> tuple[ThirdParty, ...]:
    """Switch several on or off, all or none; what is pending for one that is off becomes a dead letter."""
    made = await connectors.switch(services.runtime, caller, connector_ids, enabled=enabled)
    _noticed(services, made)
    return made


async def remove(services: Services, caller: Caller, connector_id: int) -> None:
    """Delete a connector; what is pending for it is cancelled."""
    _noticed(services, [await connectors.remove(services.runtime, caller, connector_id)])


async def rotate_signing_secret(
    services: Services, caller: Caller, connector_id: int, overlap_ms: int = connectors.DEFAULT_OVERLAP_MS
) -> str:
    """A new signing secret, told this once; the earlier one signs beside it until the overlap is over."""
    made, secret = await connectors.rotate_signing_secret(services.runtime, caller, connector_id, overlap_ms)
    _noticed(services, [made])
    return secret


def _noticed(services: Services, changed: Iterable[ThirdParty]) -> None:
    for one in changed:
        services.worker.third_parties.forget(one.account_id)
        services.worker.destination_changed(one.id)
