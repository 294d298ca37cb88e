"""An instance as its owner sees it: the record with everything that stands on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.access import store as access
from gateway.access.model import Standing
from gateway.accounts import store as accounts
from gateway.accounts.model import Caller, User
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.clock import now_ms
from gateway.errors import NotFound
from gateway.instances import store
from gateway.instances.model import Destination, Instance, Setting
from gateway.polling.plans import advice
from gateway.polling.status import Status as PollerStatus
from gateway.polling.status import statuses
from gateway.registrations import store as registrations
from gateway.registrations.model import Status
from gateway.registrations.wanted import status_of
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Values are opened here; the surfaces mask them."""

    instance: Instance
    connector: Connector
    settings: Mapping[str, Setting]
    element_token: str
    callback: Destination | None
    #: Who made the instance; None where that user was removed.
    maker: User | None
    #: How it stands with its vendor; None where that was never a question.
    standing: Standing | None
    #: The registration of its URL at the vendor; None where nothing is registered.
    registration: Status | None
    #: What is polled for it, by name.
    pollers: Sequence[PollerStatus]

    @property
    def valid(self) -> bool:
        """Whether nothing is known against its credentials."""
        return self.standing is None or self.standing.valid

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What its owner had better set."""
        found = advice(self.connector, ConfigView(self.values)) if self.instance.enabled else None
        return () if found is None else (found,)

    @property
    def registered(self) -> Status | None:
        """How the registration stands; None where no vendor is to send anything."""
        told = self.values.get("event.vendor.type") != "polling"
        events = told and self.instance.enabled and self.values.get("event.notification.enabled") == "true"
        return status_of(self.connector, self.registration, events=events)

    @property
    def stored(self) -> dict[str, str]:
        """The values that are set."""
        return {key: setting.value for key, setting in self.settings.items() if setting.value is not None}

    @property
    def values(self) -> dict[str, str]:
        """The values in effect, defaults included."""
        return completed(self.connector, self.stored)


async def details(runtime: Runtime, caller: Caller, instance_id: int) -> Details:
    """The caller's instance with everything that stands on it."""
    instance = await store.get(runtime.database, caller, instance_id)
    if runtime.catalogue.get(instance.connector) is None:
        raise NotFound(
            f"The connector {instance.connector} of instance {instance.id} is not in the catalogue any more; "
            "put its file back (catalogue.paths), or delete the instance."
        )
    found = await details_of(runtime, [instance])
    if not found:
        raise NotFound(f"No instance found with ID {instance_id}")
    return found[0]


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list; `after` is where the next one begins, None on the last."""

    items: Sequence[Details]
    after: int | None


async def page(runtime: Runtime, caller: Caller, chosen: store.Filter, *, after: int, size: int) -> Page:
    """A stretch of the caller's instances, by id; those whose connector left the catalogue are not shown."""
    found = await store.page(runtime.database, caller, chosen, after=after, size=size + 1)
    shown = [instance for instance in found[:size] if runtime.catalogue.get(instance.connector)]
    return Page(await details_of(runtime, shown), found[size - 1].id if len(found) > size else None)


async def details_of(runtime: Runtime, instances: Sequence[Instance]) -> list[Details]:
    """The same of several instances of one partner; those that were deleted meanwhile are left out."""
    if not instances:
        return []
    database, ids = runtime.database, [instance.id for instance in instances]
    settings = await store.settings_of(database, runtime.seal, ids)
    callbacks = await store.callbacks_of(database, ids)
    registered = await registrations.statuses(database, ids)
    standings = await access.standings(database, ids)
    pollers = await statuses(database, ids, now_ms())
    makers = await accounts.users(database, instances[0].partner_id, sorted({one.user_id for one in instances}))
    # Read last: an instance that is deleted meanwhile has no token any more, and is left out.
    tokens = await store.element_tokens(database, runtime.seal, ids)
    return [
        Details(
            instance=instance,
            connector=connector,
            settings=settings[instance.id],
            element_token=tokens[instance.id],
            callback=callbacks.get(instance.id),
            maker=makers.get(instance.user_id),
            standing=standings.get(instance.id),
            registration=registered.get(instance.id),
            pollers=pollers.get(instance.id, ()),
        )
        for instance in instances
        if instance.id in tokens and (connector := runtime.catalogue.get(instance.connector))
    ]
