"""The plans of an instance: what its configuration names, else what its connector declares, as far as it is wanted."""

from collections.abc import Iterator
from dataclasses import replace

from gateway.calls.model import Access
from gateway.calls.polled import polled
from gateway.calls.polled_record import poll_of
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.offers import Offers
from gateway.catalogue.poller_configuration import Wanted, interval_ms, wanted
from gateway.catalogue.selection import Selection, narrowed, object_type_of, spread
from gateway.polling.model import Plan, PollSource
from gateway.polling.reconcile import patience


def planned(connector: Connector, config: ConfigView, offers: Offers, source: PollSource = "polling") -> list[Plan]:
    """One plan for each poller; what cannot be asked is left out, since it was refused when it was configured.

    Reconciling asks as the connector declares, since only that speaks of changes in the webhook's words.
    """
    found = wanted(config.values)
    is_configured = source == "polling" and bool(found.entries)
    plans = _configured(found, connector, config, offers) if is_configured else _declared(connector, config)
    wishes = tuple(spread(wish, connector.resources) for wish in (found.selection, Selection(found.names)))
    plans = (replace(plan, source=source, patience=patience(connector, plan.poll, source)) for plan in plans)
    kept = [_chosen(plan, wishes, connector, config) for plan in plans]
    return [plan for plan in kept if plan is not None]


def _configured(found: Wanted, connector: Connector, config: ConfigView, offers: Offers) -> Iterator[Plan]:
    access = Access(connector=connector, config=config)
    for entry in found.entries:
        asked = polled(access, offers, entry)
        poll = asked if isinstance(asked, str) else poll_of(connector, asked)
        if isinstance(asked, str) or isinstance(poll, str):
            continue
        interval, fixed = interval_ms(config.values, poll.interval.default)
        yield Plan(name=entry.name, poll=poll, interval=interval, fixed=fixed, ask=asked.asked)


def _declared(connector: Connector, config: ConfigView) -> Iterator[Plan]:
    for poll in connector.polls:
        interval, fixed = interval_ms(config.values, poll.interval.default)
        yield Plan(name=poll.name, poll=poll, interval=interval, fixed=fixed)


def _chosen(plan: Plan, wishes: tuple[Selection, ...], connector: Connector, config: ConfigView) -> Plan | None:
    """The plan with what is wanted of it; None where nothing of it is."""
    object_type = object_type_of(plan.poll, config, connector.value_defaults)
    for wish in wishes:
        left = narrowed(plan.selection, wish, plan.name, object_type)
        if left is None:
            return None
        plan = replace(plan, selection=left)
    return plan
