"""What the list of events is asked for: the filter of the URL, in the words of people; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from urllib.parse import urlencode

from gateway.clock import iso_ms
from gateway.console.forms import Form
from gateway.console.moments import exact, moment
from gateway.console.wording import text
from gateway.history.filter import FIELDS, EventFilter, as_json, parse

PATH = "/console/events"
#: A page is about one account, so that nobody asks for another here.
NAMES = tuple(name for name in FIELDS if name != "account_id")
#: Stretches of time that end now.
RANGES = {"1h": 3_600_000, "24h": 86_400_000, "7d": 7 * 86_400_000}
#: Places in the list: what is older than one, and what is newer.
PLACES = ("before", "after")
#: What an event comes to be only after it has arrived.
_LATER = ("delivered", "dead", "cancelled")
_DATES = ("since", "until")


@dataclass(frozen=True, slots=True)
class Asked:
    """The conditions as they were given, without empty ones, and the filter that they make; None where one is wrong."""

    given: Mapping[str, str]
    chosen: EventFilter | None
    place: Mapping[str, str]

    @property
    def is_live(self) -> bool:
        """Whether fresh events belong at the top: it is the first page, up to now."""
        at_end = self.chosen is not None and self.chosen.until is None and not self.place
        return at_end and self.chosen is not None and self.chosen.status not in _LATER

    @property
    def following(self) -> EventFilter:
        """The filter for what comes from now on."""
        return replace(self.chosen or EventFilter(), since=None, until=None)

    @property
    def name(self) -> str:
        """The same for the same conditions, though the hour that they mean goes on."""
        return urlencode(sorted(self.given.items()))

    def link(self, path: str = PATH, **place: str) -> str:
        """The address of these conditions, at a place of the list."""
        query = urlencode({**self.given, **place})
        return f"{path}?{query}" if query else path

    @property
    def replay(self) -> str:
        """Where all that fits can be sent again; nowhere where everything would."""
        if self.chosen is None or not self.given:
            return ""
        found = as_json(self.chosen)
        return "/console/replays/new?" + urlencode({name: _written(value) for name, value in found.items()})


def asked(form: Form, zone: tzinfo, now: int) -> Asked:
    """What the fields of a query ask for; what is wrong is said to the form."""
    fields = {name: form.get(name) for name, _ in form.items()}
    given = {name: value for name, value in fields.items() if value and name not in PLACES}
    place = {name: value for name, value in fields.items() if value and name in PLACES}
    wanted: dict[str, object] = {name: exact(value, zone) if name in _DATES else value for name, value in given.items()}
    within = str(wanted.pop("within", ""))
    if wanted.pop("account_id", None) is not None:
        form.refuse("", text("events.filters.unknown", name="account_id"))
    if within:
        _within(form, within, wanted, now)
    found = parse(wanted)
    if not isinstance(found, EventFilter):
        for problem in found:
            _refuse(form, problem.field, problem.message)
    good = isinstance(found, EventFilter) and form.ok
    return Asked(given, found if good and isinstance(found, EventFilter) else None, place)


def fields(form: Form, zone: tzinfo) -> dict[str, tuple[str, str]]:
    """How the dates are shown again: the type of the field, and its value; what is no date as it was typed."""
    found = {}
    for name in _DATES:
        at = moment(form.get(name), zone)
        shown = "" if at is None else at.replace(tzinfo=None).isoformat(timespec="seconds")
        found[name] = ("text", form.typed(name)) if form.get(name) and at is None else ("datetime-local", shown)
    return found


def _within(form: Form, within: str, wanted: dict[str, object], now: int) -> None:
    if within not in RANGES:
        form.refuse("within", text("events.filters.no_range", known=", ".join(RANGES)))
    elif "since" in wanted or "until" in wanted:
        form.refuse("within", text("events.filters.two_ranges"))
    else:
        wanted["since"] = iso_ms(now - RANGES[within])


def _refuse(form: Form, field: str, message: str) -> None:
    if field in NAMES:
        form.refuse(field, message[:1].upper() + message[1:] + ".")
    else:
        form.refuse("", text("events.filters.unknown", name=field))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
