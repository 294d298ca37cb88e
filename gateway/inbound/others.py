"""Reads the secrets that do not count for an instance, so that a refused delivery can be held against them."""

from gateway.catalogue.config_view import ConfigView
from gateway.inbound.store import siblings
from gateway.instances import store
from gateway.instances.view import EARLIER, InstanceView
from gateway.proofs.diagnosis import Others
from gateway.runtime import Runtime

MOST = 20
_EVER = 0


async def others_of(runtime: Runtime, view: InstanceView) -> Others:
    """The instance's former secrets, and the configurations of the newest others of its connector in its account."""
    database, seal = runtime.database, runtime.seal
    former: dict[str, tuple[str, ...]] = {}
    for secret in await store.secrets(database, seal, view.instance.id, _EVER):
        if secret.kind.startswith(EARLIER):
            key = secret.kind.removeprefix(EARLIER)
            former[key] = (*former.get(key, ()), secret.value)
    stored = await store.settings_of(database, seal, await siblings(database, view.instance, MOST))
    instances = {
        number: ConfigView({key: one.value for key, one in settings.items() if one.value is not None})
        for number, settings in stored.items()
    }
    return Others(former, instances)
