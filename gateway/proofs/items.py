"""The parts of a batch: cut out once and in one way, for what each of them proves and for what each of them says."""

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.catalogue.webhook_model import Verify, Webhook
from gateway.proofs.bodies import Malformed, read_body
from gateway.proofs.proof import Rejected, Verified
from gateway.proofs.received import Received, sources_of
from gateway.proofs.schemes import OF_ITEMS
from gateway.proofs.signed import MAX_COMPARISONS, UNKNOWN

_MAX_PROVED = 1000
_UNPACKED = 1 << 20  # at most, where the file says nothing and the body is packed: nothing is proved yet
_NO_ITEMS = Rejected("no_items", "there is no item that could be proved")


def items_in(webhook: Webhook, sources: Sources, body: Document) -> list[Document] | None:
    """The items of a batch; None where the file declares no list, or the body has none there."""
    if webhook.items is None:
        return None
    place = webhook.items.chosen(sources)
    if place is None or not isinstance(place.find(sources), list):
        return None
    return body.elements(place.path_in(sources))


def each_proved(
    rule: Verify, connector: Connector, config: ConfigView, received: Received, now_s: float
) -> Verified | Rejected:
    """Applies a rule to every item: all must pass, and there must be one."""
    webhook, scheme = connector.webhook, OF_ITEMS.get(rule.scheme)
    if webhook is None or scheme is None:
        return UNKNOWN
    most = max(len(received.body), connector.max_body or _UNPACKED)
    body = read_body(received, webhook.form_field, most)
    if isinstance(body, Malformed):
        return Rejected("no_items", f"the items cannot be read: {body.detail}")
    sources = sources_of(connector, config, received)
    sources.read_as(body)
    items = items_in(webhook, sources, body)
    if not items:
        return _NO_ITEMS
    if len(items) > _MAX_PROVED:
        return Rejected("no_items", f"more than {_MAX_PROVED} items in one delivery")
    oldest = 0
    for item in items:
        sources.item = item
        outcome = scheme(rule, sources, now_s, MAX_COMPARISONS // len(items))
        if isinstance(outcome, Rejected):
            return outcome
        oldest = max(oldest, outcome.secret_index)
    return Verified(oldest)
