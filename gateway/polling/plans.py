"""What is polled for an instance: everything that it wants, or what only makes sure that its webhook misses nothing."""

from collections import OrderedDict
from dataclasses import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.offers import Offers
from gateway.instances.view import InstanceView
from gateway.polling.configured import planned
from gateway.polling.model import Plan, PollSource

_MOST = 10_000
#: A webhook that brought nothing for so many of the longest intervals is not relied on.
SILENT_INTERVALS = 3


class Plans:
    """The plans of this node's instances, made once for each of their views."""

    def __init__(self) -> None:
        self._offers: dict[str, tuple[Connector, Offers]] = {}
        self._plans: OrderedDict[int, tuple[InstanceView, tuple[Plan, ...]]] = OrderedDict()

    def of(self, view: InstanceView) -> tuple[Plan, ...]:
        """The plans of an instance; none where it takes no events, or the vendor only sends."""
        known = self._plans.get(view.instance.id)
        if known is not None and known[0] is view:
            return known[1]
        found = self.for_values(view.connector, view.config) if view.accepts_events else ()
        self._plans[view.instance.id] = view, found
        self._plans.move_to_end(view.instance.id)
        if len(self._plans) > _MOST:
            self._plans.popitem(last=False)
        return found

    def for_values(self, connector: Connector, config: ConfigView) -> tuple[Plan, ...]:
        """The plans of an instance with these values in effect, whose events are on."""
        source = source_of(connector, config)
        return () if source is None else tuple(planned(connector, config, self._known(connector), source))

    def _known(self, connector: Connector) -> Offers:
        known = self._offers.get(connector.key)
        if known is None or known[0] is not connector:
            known = self._offers[connector.key] = connector, Offers(connector)
        return known[1]


def source_of(connector: Connector, config: ConfigView) -> PollSource | None:
    """What the polls of an instance are for; None where nothing is polled."""
    if config.get("event.notification.enabled") != "true":
        return None
    if config.get("event.vendor.type") == "polling":
        return "polling"
    wants_both = config.get("event.reconcile.enabled") == "true" and connector.has_webhook
    return "reconcile" if wants_both and connector.has_polling else None


def advice(connector: Connector, config: ConfigView) -> str | None:
    """What to set so that nothing is lost, where the vendor does not promise to send again; None where all is set."""
    hears = config.get("event.notification.enabled") == "true" and source_of(connector, config) is None
    if connector.redelivers or not (hears and connector.has_webhook and connector.has_polling):
        return None
    return (
        f"{connector.name} does not promise to send again what did not arrive; set event.reconcile.enabled, and "
        "polling beside the webhook finds what was lost."
    )


def silence_ms(plan: Plan) -> int:
    """After how long a webhook without a word is not relied on."""
    return SILENT_INTERVALS * plan.poll.interval.max


def paced(plan: Plan, *, relies: bool) -> Plan:
    """A reconciling plan at the pace that it needs: seldom while the webhook can be relied on, else as usual.

    A webhook that is silent is not waited for: what changes all the time would never be old enough.
    """
    if plan.source != "reconcile":
        return plan
    if plan.patience is not None and not relies:
        plan = replace(plan, patience=0)
    if plan.fixed:
        return plan
    interval = plan.poll.interval
    return replace(plan, interval=interval.max if relies else interval.default, fixed=True)
