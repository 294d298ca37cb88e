"""The menu: where the pages are, and who finds them there; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.console.roles import Act
from gateway.console.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu; `text` names its words, `icon` its picture."""

    text: str
    path: str
    icon: str
    act: Act = "read"
    #: Paths below this belong to it; its own path where empty.
    below: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as somebody sees it."""

    entry: Entry
    current: bool


MENU = (
    Entry("frame.menu.overview", "/console", "overview"),
    Entry("frame.menu.instances", "/console/instances", "instances"),
    Entry("frame.menu.connectors", "/console/connectors", "connectors"),
    Entry("frame.menu.events", "/console/events", "events"),
    Entry("frame.menu.dead_letters", "/console/dead-letters", "dead"),
    Entry("frame.menu.replays", "/console/replays", "replay"),
    Entry("frame.menu.where", "/console/where", "where"),
    Entry("frame.menu.settings", "/console/settings/third-party-connectors", "settings", below="/console/settings"),
)
SETTINGS = (
    Entry("frame.settings.third_party", "/console/settings/third-party-connectors", ""),
    Entry("frame.settings.account", "/console/settings/account", ""),
    Entry("frame.settings.users", "/console/settings/users", "", "people"),
    Entry("frame.settings.accounts", "/console/settings/accounts", "", "partner"),
    Entry("frame.settings.audit", "/console/settings/audit", "", "people"),
)


def menu(path: str, who: Visitor | None) -> tuple[Line, ...]:
    """The main menu of somebody who is signed in."""
    return tuple(_lines(MENU, path, who))


def settings(path: str, who: Visitor | None) -> tuple[Line, ...]:
    """The tabs of the settings."""
    return tuple(_lines(SETTINGS, path, who))


def _lines(entries: tuple[Entry, ...], path: str, who: Visitor | None) -> Iterator[Line]:
    for entry in entries:
        if who is not None and who.may(entry.act):
            yield Line(entry, _is_in(entry, path))


def _is_in(entry: Entry, path: str) -> bool:
    if path == entry.path:
        return True
    below = entry.below or entry.path
    return below != "/console" and path.startswith(below + "/")
