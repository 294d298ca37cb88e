"""What can be chosen in the editor: instances, connectors, types that were seen lately, events to try it with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.accounts.model import Caller
from gateway.console.forms import number
from gateway.console.thirdparty.entered import Entered
from gateway.errors import NotFound
from gateway.history.filter import EventFilter
from gateway.history.listing.store import events_before
from gateway.history.model import Listed
from gateway.instances import store as instances
from gateway.instances.model import Instance
from gateway.runtime import Runtime

#: Instances that are offered without a search, besides those that are ticked.
MOST_INSTANCES = 25
#: Recent events that types are taken from, and those that a preview may be made of.
RECENT = 100
MOST_EVENTS = 20
_MOST_TICKED = 200
_MOST_TYPES = 30
_LONGEST_SEARCH = 100
ACTIONS = ("CREATED", "UPDATED", "DELETED")


@dataclass(frozen=True, slots=True)
class Choice:
    """A box that can be ticked; `note` tells what else is known of it."""

    value: str
    label: str
    ticked: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """All that an account can choose from."""

    instances: tuple[Choice, ...]
    #: Whether there are more than are offered, so that a search is needed.
    more_instances: bool
    connectors: tuple[Choice, ...]
    event_types: tuple[Choice, ...]
    object_types: tuple[Choice, ...]
    events: tuple[Listed, ...]
    #: The names of the instances that the events are of.
    names: dict[int, str]


async def choices(runtime: Runtime, caller: Caller, entered: Entered, search: str) -> Choices:
    """What the caller's account can choose from, beside what is chosen already."""
    offered, more = await _instances(runtime, caller, entered.instance_ids, search)
    used = {one.note for one in offered}
    recent = (await events_before(runtime.database, caller, EventFilter(), None, RECENT)).items
    kinds = [one.type for one in recent if one.type not in ACTIONS]
    return Choices(
        instances=offered,
        more_instances=more,
        connectors=_connectors(runtime, caller, entered.connectors, used | {one.connector for one in recent}),
        event_types=_texts((*ACTIONS, *kinds), entered.event_types),
        object_types=_texts([one.object_type for one in recent if one.object_type], entered.object_types),
        events=tuple(recent[:MOST_EVENTS]),
        names=await _names(runtime, caller, {one.instance_id for one in recent[:MOST_EVENTS]}),
    )


async def _instances(
    runtime: Runtime, caller: Caller, ticked: Sequence[str], search: str
) -> tuple[tuple[Choice, ...], bool]:
    chosen = instances.Filter(search="".join(one for one in search if one.isprintable())[:_LONGEST_SEARCH])
    found = await instances.page(runtime.database, caller, chosen, after=0, size=MOST_INSTANCES + 1)
    known = {str(one.id): one for one in found[:MOST_INSTANCES]}
    for wanted in ticked[:_MOST_TICKED]:
        if wanted not in known and (one := await _instance(runtime, caller, wanted)) is not None:
            known[wanted] = one
    listed = [Choice(value, one.name, value in ticked, one.connector) for value, one in known.items()]
    # One that was deleted stays ticked until somebody unticks it.
    gone = [Choice(one, one, True) for one in ticked if one not in known]
    return tuple(sorted([*listed, *gone], key=lambda one: not one.ticked)), len(found) > MOST_INSTANCES


async def _instance(runtime: Runtime, caller: Caller, wanted: str) -> Instance | None:
    instance_id = number(wanted)
    if instance_id is None:
        return None
    try:
        return await instances.get(runtime.database, caller, instance_id)
    except NotFound:
        return None


async def _names(runtime: Runtime, caller: Caller, ids: Iterable[int]) -> dict[int, str]:
    found = [await _instance(runtime, caller, str(one)) for one in ids]
    return {one.id: one.name for one in found if one is not None}


def _connectors(runtime: Runtime, caller: Caller, ticked: Sequence[str], used: set[str]) -> tuple[Choice, ...]:
    """Those that are seen to be used first, for they are most often meant."""
    names = {one.key: one.name for one in runtime.catalogue.visible_to(caller.partner_id)}
    keys = sorted({*names, *ticked}, key=lambda key: (key not in ticked, key not in used, key))
    return tuple(Choice(key, names.get(key, key), key in ticked, key) for key in keys)


def _texts(seen: Iterable[str], ticked: Sequence[str]) -> tuple[Choice, ...]:
    every = list(dict.fromkeys(seen))[:_MOST_TYPES]
    return tuple(Choice(one, one, one in ticked) for one in dict.fromkeys((*every, *ticked)))
