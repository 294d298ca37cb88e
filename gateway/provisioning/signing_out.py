"""An instance without its credentials: the vendor's webhook is taken away while they still count, then they go."""

from gateway.access import logins
from gateway.accounts.model import Caller
from gateway.calls import grants
from gateway.calls.authenticate import way_of
from gateway.calls.model import Access
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import entries_of
from gateway.catalogue.credential_entries import entries_of_way
from gateway.provisioning import instances
from gateway.provisioning.details import Details, details
from gateway.provisioning.draft import Draft
from gateway.provisioning.registration import PATIENCE_S
from gateway.provisioning.services import Services

_EVENTS = "event.notification.enabled"


async def sign_out(services: Services, caller: Caller, instance_id: int) -> Details:
    """Forget what the caller's instance signs in with; where the gateway registered a webhook, events end too."""
    current = await details(services.runtime, caller, instance_id)
    if current.registration is not None and current.values.get(_EVENTS) == "true":
        await instances.change(services, caller, instance_id, _draft({_EVENTS: "false"}))
        await services.registrations.look_after(instance_id, PATIENCE_S)
    return await instances.change(services, caller, instance_id, _draft(dict.fromkeys(_proof(current))))


def _draft(configuration: dict[str, str | None]) -> Draft:
    return Draft(configuration=configuration, unfinished=True)


def _proof(current: Details) -> list[str]:
    """The entries that are set and count as credentials, of every way that the connector has."""
    connector = current.connector
    keys = {*logins.EVERY, *(key for way in connector.auth.values() for key in entries_of_way(connector, way))}
    way = way_of(Access(connector=connector, config=ConfigView(current.values)))
    if way is not None and way.oauth is not None and way.oauth.grant != "authorization_code":
        # With these another token could be had at any time.
        keys.add(grants.CLIENT_SECRET)
    return [key for key in entries_of(connector) if key in keys and key in current.stored]
