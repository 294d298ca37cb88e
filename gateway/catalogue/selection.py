"""Which changes an instance wants: of which objects, and what happened to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalogue.call_model import Poll, Resource
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.sources import Sources


@dataclass(frozen=True, slots=True)
class Selection:
    """`objects` in lower case, None for all; `actions` of those objects that want only some."""

    objects: frozenset[str] | None = None
    actions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def takes(self, object_type: str | None, action: str) -> bool:
        """Whether a change is wanted; one whose object nobody knows is never left out for it."""
        if object_type is None:
            return True
        name = object_type.lower()
        if self.objects is not None and name not in self.objects:
            return False
        actions = self.actions.get(name)
        return actions is None or action in actions


EVERYTHING = Selection()


def called(names: frozenset[str], resources: Mapping[str, Resource]) -> frozenset[str]:
    """The names in lower case, with what the vendor calls the resources among them, and the other way round."""
    found = {name.lower() for name in names}
    for resource in resources.values():
        pair = {resource.name.lower(), resource.objects.lower()} - {""}
        if pair & {name.lower() for name in names}:
            found |= pair
    return frozenset(found)


def spread(found: Selection, resources: Mapping[str, Resource]) -> Selection:
    """The same with the other names of each object; a name that the connector does not know stands for itself."""
    objects = None if found.objects is None else called(found.objects, resources)
    actions = {name: some for key, some in found.actions.items() for name in called(frozenset({key}), resources)}
    return Selection(objects, actions)


def narrowed(own: Selection, wish: Selection, name: str, object_type: str | None) -> Selection | None:
    """What is left of a poller under a wish; None where nothing of it is wanted.

    Named itself it is wanted as a whole; a log of objects of every kind is wanted as far as its records are.
    """
    objects, actions = wish.objects, {**own.actions, **wish.actions}
    if objects is None or name.lower() in objects:
        return Selection(own.objects, actions)
    if object_type is not None and object_type.lower() not in objects:
        return None
    left = objects if own.objects is None else objects & own.objects
    return Selection(left, actions) if left else None


def object_type_of(poll: Poll, config: ConfigView, defaults: Mapping[str, str]) -> str | None:
    """The kind of object that all records of a poll are; None where each says it itself."""
    where = poll.changes.object_type
    if where is None or any(one.source not in ("const", "config") for one in where.alternatives):
        return None
    return where.text(Sources(config=config, defaults=defaults))
