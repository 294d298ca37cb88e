"""When a registration is looked at again; pure."""

from gateway.catalogue.dates import date_reader
from gateway.catalogue.locator import Locator
from gateway.catalogue.sources import Sources
from gateway.catalogue.webhook_model import Subscribe
from gateway.registrations.model import Registration

VERIFY_EVERY_MS = 6 * 3_600_000
FIRST_WAIT_MS = 30_000
LONGEST_WAIT_MS = 3_600_000
REMOVAL_MS = 24 * 3_600_000
_SPREAD = 0.1


def wait_ms(attempts: int, instance_id: int, wait_s: float | None = None) -> int:
    """How long after so many failures in a row; what the vendor asks for counts where it is longer."""
    usual = min(FIRST_WAIT_MS << min(max(attempts - 1, 0), 20), LONGEST_WAIT_MS)
    asked = 0 if wait_s is None else round(1000 * wait_s)
    return min(max(_spread(usual, instance_id), asked), 2 * LONGEST_WAIT_MS)


def expiry(subscribe: Subscribe, sources: Sources, now: int) -> int | None:
    """When the registration ends by the vendor's answer, else by what was asked for; None where it does not."""
    found = subscribe.expires
    if isinstance(found, Locator):
        text = found.text(sources)
        at = date_reader(subscribe.expires_format, "UTC")(text) if text else None
        if at is not None:
            return at
    lasts = found if isinstance(found, int) else subscribe.lifetime
    return None if lasts is None else now + lasts


def renewal(subscribe: Subscribe, expires_at: int | None, now: int) -> int | None:
    """When it is renewed: so long before its end as the file says, else after three quarters of what is left."""
    if expires_at is None:
        return None
    before = subscribe.renew_before
    left = max(0, expires_at - now)
    if before is None or before >= left:
        before = left // 4
    return expires_at - before


def verification(subscribe: Subscribe, row: Registration) -> int | None:
    """When it is asked whether it still exists; None where the file knows no way to ask."""
    if subscribe.check is None:
        return None
    return (row.checked_at or 0) + _spread(VERIFY_EVERY_MS, row.instance_id)


def next_look(subscribe: Subscribe, row: Registration) -> int | None:
    """The next time for an active one; None where there is nothing to look after."""
    times = (row.renew_at, verification(subscribe, row))
    return min((at for at in times if at is not None), default=None)


def _spread(milliseconds: int, instance_id: int) -> int:
    """Up to a tenth more or less, always the same for an instance: not everybody at once."""
    # A step of the golden ratio spreads neighbouring numbers evenly.
    place = (instance_id * 0.6180339887498949) % 1.0
    return round(milliseconds * (1 - _SPREAD + 2 * _SPREAD * place))
