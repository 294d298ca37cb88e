"""Along which index events are looked for: where the first answer that fits is the one that finds the fewest."""

from collections.abc import Container
from typing import Literal, get_args

from gateway.history.filter import EventFilter, Status

#: The index of the vendor's ids, of objects, of bodies; of what did not arrive, or went nowhere; or the order of ids.
Driver = Literal["vendor_event", "object", "body", "unsettled", "unrouted", "instance", "account", "time"]
#: These name few events, as a rule; where one names many, a driver that walks in the order of ids takes its place.
POINTED: tuple[Driver, ...] = ("vendor_event", "object", "body")
DRIVERS: tuple[Driver, ...] = get_args(Driver)

_UNSETTLED: tuple[Status, ...] = ("pending", "dead", "cancelled")


def driver(
    chosen: EventFilter, account_id: str | None, body_hash: str | None = None, crowded: Container[Driver] = ()
) -> Driver:
    """The index to walk along for a filter; `crowded` are those that would give too many at once."""
    fits: dict[Driver, bool] = {
        "vendor_event": chosen.vendor_event_id is not None,
        "object": chosen.object_id is not None,
        "body": body_hash is not None,
        "unsettled": chosen.status in _UNSETTLED,
        "unrouted": chosen.status == "unrouted",
        "instance": chosen.instance_id is not None,
        "account": account_id is not None,
    }
    return next((one for one in DRIVERS if fits.get(one) and one not in crowded), "time")
