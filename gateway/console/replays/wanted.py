"""What a form wants of a job: its filter, its pace, and whether that was looked at before."""

import hashlib
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

import msgspec

from gateway.console.forms import Form
from gateway.console.moments import exact, moment
from gateway.console.wording import text
from gateway.replays.letters.model import number_of
from gateway.replays.model import DEFAULT_RATE, LARGEST_RATE, Wanted

#: Fields of filters that are moments; browsers give them without a zone.
_MOMENTS = ("since", "until")


def filter_of(form: Form, fields: Iterable[str], zone: tzinfo) -> dict[str, Any]:
    """The conditions that were filled in, as rooms below read them."""
    given = {name: form.get(name) for name in fields}
    return {name: exact(value, zone) if name in _MOMENTS else value for name, value in given.items() if value}


def field_of(value: str, zone: tzinfo) -> str:
    """A moment as a field for one shows it; empty for what is none."""
    at = moment(value, zone)
    return "" if at is None else at.strftime("%Y-%m-%dT%H:%M")


def rate_of(form: Form) -> int:
    """How many a second; what is none is refused at its field."""
    given = form.get("rate", str(DEFAULT_RATE))
    found = number_of(given)
    if found is None or not 1 <= found <= LARGEST_RATE:
        form.refuse("rate", text("replays.rate_expected", most=LARGEST_RATE))
        return DEFAULT_RATE
    return found


def destination_of(form: Form) -> int | None:
    """The one destination that is meant; None where each goes to its own."""
    given = form.get("destination")
    found = number_of(given)
    if given and found is None:
        form.refuse("destination", text("replays.destination_expected"))
    return found


def mark_of(wanted: Wanted) -> str:
    """The same for two jobs that would find the same; what was looked at before is told by it."""
    plain = msgspec.to_builtins(wanted)
    same = {name: value for name, value in plain.items() if name not in ("rate", "reason")}
    return hashlib.sha256(msgspec.json.encode(same, order="sorted")).hexdigest()[:32]
