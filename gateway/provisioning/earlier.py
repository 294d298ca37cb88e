"""What a secret was before somebody changed it: deliveries that are signed with it may still be under way."""

from collections.abc import Mapping

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify
from gateway.instances import store
from gateway.instances.model import Secret
from gateway.instances.view import EARLIER
from gateway.provisioning.details import Details
from gateway.runtime import Runtime
from gateway.storage.database import Transaction

#: How long a former value counts beside the new one.
OVERLAP_MS = 24 * 3_600_000
#: How many earlier ones may count beside the newest; each costs a comparison or a signature.
MOST_EARLIER = 5


async def keep(
    runtime: Runtime, transaction: Transaction, current: Details, values: Mapping[str, str | None], now: int
) -> None:
    """Let the former values of secrets that prove deliveries count for a day; asked before the new ones are stored.

    An empty value and a list say themselves what counts, so that nothing else does from then on.
    """
    stored = current.stored
    changed = [key for key in proving(current.connector) & values.keys() if values[key] != stored.get(key)]
    if not changed:
        return
    instance_id = current.instance.id
    known = await store.secrets(transaction, runtime.seal, instance_id, now)
    for key in changed:
        kind, former = EARLIER + key, stored.get(key)
        if _says_all(values[key]) or sum(one.kind == kind for one in known) >= MOST_EARLIER:
            await store.end_secrets(transaction, instance_id, kind, now)
        if former and _counts_on(former, values[key]):
            secret = Secret(kind=kind, value=former, created_at=now, expires_at=now + OVERLAP_MS)
            await store.add_secret(transaction, runtime.seal, instance_id, secret)
    await store.forget_ended_secrets(transaction, instance_id, now)


def proving(connector: Connector) -> frozenset[str]:
    """The entries by which deliveries of this vendor are proved."""
    rules = connector.webhook.verify if connector.webhook else ()
    return frozenset(key for rule in rules for key in _entries(rule))


def _entries(rule: Verify) -> tuple[str, ...]:
    published = [key for locator in rule.key.locators for key in locator.config_keys] if rule.key else []
    return (*rule.secret, *published, *([rule.password] if rule.password else []))


def _says_all(value: str | None) -> bool:
    return not value or _each(value) != (value,)


def _counts_on(former: str, value: str | None) -> bool:
    """Whether the former value was replaced; one of a list that stays alone is the end of a rotation."""
    return not _says_all(value) and value not in _each(former)


def _each(value: str) -> tuple[str, ...]:
    return ConfigView({"": value}).secrets("")
