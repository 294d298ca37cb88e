"""How an instance stands, in words that pages have texts for; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.config_view import ConfigView
from gateway.polling.plans import source_of
from gateway.provisioning.details import Details

#: The colours of a badge, by the words that the stylesheet has.
Tone = Literal["ok", "failed", "pending", "plain"]
Road = Literal["off", "webhook", "polling", "both"]
#: The states of registrations and pollers that need somebody.
_REGISTRATION: dict[str, Tone] = {"failing": "failed", "refused": "failed", "wanted": "pending", "removing": "pending"}
_POLLS: dict[str, tuple[str, Tone]] = {
    "disabled": ("polls_stopped", "failed"),
    "reauth": ("polls_refused", "failed"),
    "failing": ("polls_failing", "pending"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to be said of an instance: a word, its colour, and why."""

    word: str
    tone: Tone
    reason: str = ""


def marks(found: Details) -> tuple[Mark, ...]:
    """What is to be said first; one that is switched off has only that."""
    if not found.instance.enabled:
        return (Mark("disabled", "plain"),)
    said = {mark.word: mark for mark in _troubles(found)}
    return tuple(said.values()) or (Mark("working", "ok"),)


def _troubles(found: Details) -> Iterator[Mark]:
    standing, registered = found.standing, found.registered
    if standing is not None and not standing.valid:
        refused = standing.state == "reauth"
        yield Mark("login" if refused else "unchecked", "failed" if refused else "pending", standing.reason or "")
    if registered is not None and registered.state in _REGISTRATION:
        yield Mark(f"registration_{registered.state}", _REGISTRATION[registered.state], registered.reason or "")
    for poller in found.pollers:
        if poller.state in _POLLS:
            yield Mark(*_POLLS[poller.state], poller.reason or "")
    if found.callback is not None and found.callback.state == "off":
        yield Mark("destination", "failed", found.callback.reason or "")


def road(found: Details) -> Road:
    """How its events come."""
    values = found.values
    if values.get("event.notification.enabled") != "true":
        return "off"
    match source_of(found.connector, ConfigView(values)):
        case "polling":
            return "polling"
        case "reconcile":
            return "both"
        case None:
            return "webhook"
