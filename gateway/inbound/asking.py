"""Asks a vendor by its own methods for what a proof needs: the key of a signature, or the object that was changed."""

import orjson

from gateway.access.act import Called, Manner, Unsent, Vendors
from gateway.calls.model import Arguments
from gateway.catalogue.call_model import Method
from gateway.catalogue.template import Word
from gateway.errors import Invalid
from gateway.instances.view import InstanceView
from gateway.proofs.keys import MAX_ANSWER, Outage
from gateway.proofs.proof import KeySource, Rejected

_MANNER = Manner(patience_s=1.0, timeout_s=5.0)
_UNKNOWN = frozenset({400, 404, 410, 422})


class Asking:
    """Asks in the name of the instance that a delivery is for."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors

    async def ask(self, view: InstanceView, source: KeySource) -> bytes | Rejected | Outage:
        """What the vendor answers; an outage where it cannot be asked now."""
        name, _, named = source.where.partition(":")
        method = view.connector.methods.get(name)
        if method is None:
            return Rejected("key_unavailable", f"{name} is no method of this connector")
        try:
            async with self._vendors.act(view, method, arguments(method, named), _MANNER) as outcome:
                return _answered(outcome)
        except Invalid:
            return Rejected("key_unavailable", "what has to be fetched is named in a way that cannot be asked for")


def arguments(method: Method, named: str) -> Arguments:
    """The call for one thing: its name goes where the method takes its first parameter."""
    in_path = [part.name for part in method.request.path.parts if isinstance(part, Word)]
    if in_path:
        return Arguments(params={in_path[0]: named})
    needed = [name for name, field in method.fields.items() if field.required] or list(method.fields)
    if needed:
        return Arguments(body=orjson.dumps({needed[0]: named}), content_type="application/json")
    return Arguments(query=[(name, named) for name in [*method.query][:1]])


def _answered(outcome: Called | Unsent) -> bytes | Rejected | Outage:
    if isinstance(outcome, Unsent):
        return Outage(f"the vendor could not be asked: {outcome.why}")
    if outcome.status in _UNKNOWN:
        return Rejected("key_unavailable", f"the vendor does not know it: it answered {outcome.status}")
    if outcome.verdict.kind != "ok":
        return Outage(f"the vendor answered {outcome.status}")
    if outcome.body is None or len(outcome.body) > MAX_ANSWER:
        return Rejected("key_unavailable", "the vendor's answer is too large")
    return outcome.body
