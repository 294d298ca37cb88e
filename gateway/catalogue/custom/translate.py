"""From a definition, as Cyclr writes them, to the connector file that says the same; checked as any file is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.catalogue.custom.end_points import EndPoints
from gateway.catalogue.custom.merging import NAME, MergeFields
from gateway.catalogue.custom.methods import MOST_INPUTS, Fixed, check_target, methods, targets
from gateway.catalogue.custom.part import Part
from gateway.catalogue.custom.values import default, entry, is_property
from gateway.catalogue.custom.ways import Ways
from gateway.catalogue.model import Connector
from gateway.catalogue.read_connector import connector
from gateway.catalogue.table import Findings

LONGEST_NAME = 100
_OF_LOGINS = frozenset({"clientid", "clientsecret"})
_SCOPES = frozenset({"scope", "scopes"})
File = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """What the gateway says of a connector, not its definition."""

    key: str
    number: int
    version: str


def translated(definition: Mapping[str, object], head: Head) -> File | tuple[str, ...]:
    """The file as a tree, or everything that is wrong with the definition."""
    problems: list[str] = []
    file = _Translation(Part(definition, "", problems)).file(head)
    return file if not problems else _told(problems)


def compiled(file: File, head: Head) -> Connector | tuple[str, ...]:
    """The connector, or everything that is wrong with its file."""
    findings = Findings()
    found = connector(file, Path("custom") / head.key, findings)
    return found if not findings.problems else _told(findings.problems)


def _told(problems: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problems))


class _Translation:
    """One definition."""

    def __init__(self, top: Part) -> None:
        self._top = top
        self._merged = MergeFields()
        self._entries: list[dict[str, Any]] = []
        self._fixed = Fixed()
        self._secrets: list[tuple[str, str, str]] = []
        self._shared: list[Part] = []
        self._scopes: list[str] = top.text("Scopes", "Scope").replace(",", " ").split()
        for one in top.parts("Parameters", most=MOST_INPUTS):
            self._take(one)

    def file(self, head: Head) -> File:
        """The tree."""
        top = self._top
        places = EndPoints(self._merged)
        ways = Ways(top, self._merged, self._scopes)
        for place, name, key in self._secrets[:1]:
            ways.add_key(place, name, key)
        calls = methods(top, self._shared, self._fixed, self._merged, places)
        self._check_script()
        said = {
            "description": top.text("Description"),
            "api_version": top.text("Version", longest=50),
            "categories": self._categories(),
        }
        return {
            "format": 1,
            "key": head.key,
            "id": head.number,
            "version": head.version,
            "name": self._name(),
            "config": [*self._urls(places), *ways.entries],
            "auth": ways.tables,
            "http": {**places.http, "headers": self._fixed.headers},
            "methods": calls,
            **{key: value for key, value in said.items() if value},
        }

    def _name(self) -> str:
        name = self._top.text("Name", longest=LONGEST_NAME)
        if not name:
            self._top.problems.insert(0, "Column 'Name' cannot be null")
        elif not name.isprintable():
            self._top.problem("Name", "must be one line")
        return name

    def _categories(self) -> list[str]:
        given = self._top.raw("Categories")
        listed = given if isinstance(given, list) else [self._top.text("Category", longest=100)]
        return [one for one in listed[:20] if isinstance(one, str) and 0 < len(one) <= 100]

    def _check_script(self) -> None:
        if self._top.text("Script", longest=1 << 20):
            self._top.problem("Script", "is not taken over: the gateway runs no scripts")

    def _urls(self, places: EndPoints) -> list[dict[str, Any]]:
        """The properties; one that is the whole beginning of an address is an address itself."""
        whole = {one.strip("{} ").lower() for one in [places.usual] if one.startswith("{{")}
        return [{**one, "type": "url"} if one["key"] in whole else one for one in self._entries]

    def _take(self, one: Part) -> None:
        """A parameter of the connector."""
        if not targets(one):
            check_target(one)
            return
        name, target = one.text("TargetName", longest=200), one.word("TargetType")
        low = name.lower()
        if target == "mergefield" and low in _OF_LOGINS and self._has_login:
            return  # Every account connector with a login has them.
        if target == "mergefield" and low in _SCOPES and self._has_login and default(one):
            self._scopes = default(one).replace(",", " ").split()
            return
        if not (is_property(one) or one.flag("IsSensitive")):
            self._shared.append(one)
            return
        if not NAME.fullmatch(low.replace("-", "_")):
            one.problem("TargetName", "must be letters, digits, - and _ for a property")
            return
        self._property(one, name, target)

    def _property(self, one: Part, name: str, target: str) -> None:
        key = name.lower().replace("-", "_")
        if any(known["key"] == key for known in self._entries):
            one.problem("TargetName", f"{name} is declared twice")
            return
        self._entries.append(entry(one, key))
        if target == "mergefield":
            self._merged.properties[name.lower()] = key
        elif one.flag("IsSensitive"):
            self._secrets.append(("header" if target == "httpheader" else "query", name, key))
            if len(self._secrets) > 1:
                one.problem("IsSensitive", "only one header or query parameter may be")
        elif target == "httpheader":
            self._fixed.headers[name] = f"{{config:{key}}}"
        else:
            self._fixed.query[name.strip("[]") or name] = f"{{config:{key}}}"

    @property
    def _has_login(self) -> bool:
        listed = self._top.parts("Authentication", most=100)
        return any(part.word("AuthType") == "oauth2" for part in [self._top, *listed])
