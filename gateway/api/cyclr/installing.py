"""What a body says of an account connector: its name, its properties, how it signs in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.api.cyclr import auth_value, shapes
from gateway.api.cyclr.wire import Given, whole, wrong
from gateway.calls import grants
from gateway.calls.authenticate import way_of
from gateway.calls.model import Access
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed, entries_of
from gateway.catalogue.member_ids.members import Members, way_guid
from gateway.errors import Invalid
from gateway.instances.model import Setting
from gateway.provisioning.draft import LONGEST_NAME, Draft, plain

LONGEST_AUTH_VALUE = 65_536
LONGEST_DESCRIPTION = 1_000
_MOST_PROPERTIES = 200
#: Names that clients send for any connector with OAuth.
_OTHER_NAMES = {"clientid": grants.CLIENT_ID, "clientsecret": grants.CLIENT_SECRET}
_TYPE = "authentication.type"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A body, read; what it does not mention is None."""

    name: str | None
    description: str | None
    native: bool | None
    configuration: Mapping[str, Any]

    def draft(self, connector: str | None = None) -> Draft:
        """The draft that provisioning takes; credentials may come later."""
        return Draft(
            connector=connector,
            name=self.name,
            description=self.description,
            native=self.native,
            configuration=dict(self.configuration),
            unfinished=True,
        )


def wanted(
    body: Given, members: Members, stored: Mapping[str, str], settings: Mapping[str, Setting] | None = None
) -> Wanted:
    """Read a body for a connector, on top of what is stored."""
    connector = members.connector
    configuration: dict[str, Any] = dict(_properties(body, members, settings or {}))
    way = _way(body, members, {**stored, **{key: text for key, text in configuration.items() if text is not None}})
    if body.has("AuthenticationId") and way is not None and len(connector.auth) > 1:
        configuration[_TYPE] = way.id
    given = body.text("AuthValue", longest=LONGEST_AUTH_VALUE, lines=True)
    if given and given != auth_value.MASK:
        configuration.update(auth_value.entries(connector, way, given))
    return Wanted(name_of(body), _description(body), body.flag("IsPartnerIntegrationConnector"), configuration)


def name_of(body: Given) -> str | None:
    """The name as plain text; None where there is none."""
    given = body.text("Name", longest=LONGEST_NAME)
    if given is None:
        return None
    name = plain(given)
    if not name:
        raise wrong("Name", "must not be empty")
    return name


def entry_named(members: Members, name: str) -> str:
    """The entry that a property's name means; Invalid, in this wire's words, where it is none of theirs."""
    connector = members.connector
    wanted_ = _OTHER_NAMES.get(name.lower(), name).casefold()
    own = shapes.properties(connector)
    for key, entry in own.items():
        if wanted_ in (key.casefold(), entry.name.casefold()):
            return key
    every = {key.casefold(): key for key in entries_of(connector)}
    if wanted_ in every:
        raise Invalid(f"Connector property name '{name}' is not an account connector property.")
    raise Invalid(f"There is not a connector property that matches name '{name}'.")


def value_of(body: Given) -> str | None:
    """The value of a property as text; an empty one clears it."""
    value = body.raw("Value")
    if isinstance(value, bool):
        return "true" if value else "false"
    return body.text("Value", longest=LONGEST_AUTH_VALUE, lines=True)


def _properties(body: Given, members: Members, settings: Mapping[str, Setting]) -> dict[str, str | None]:
    given = body.raw("Properties") if body.has("Properties") else []
    if not isinstance(given, list) or len(given) > _MOST_PROPERTIES:
        raise wrong("Properties", f"must be a list of at most {_MOST_PROPERTIES} objects with Name and Value")
    found: dict[str, str | None] = {}
    for one in given:
        if not isinstance(one, dict):
            raise wrong("Properties", "must hold objects with Name and Value")
        member = Given(one)
        value = value_of(member)
        if value != shapes.MASK:
            found[_entry(member, members, settings)] = value
    return found


def _entry(member: Given, members: Members, settings: Mapping[str, Setting]) -> str:
    name = member.text("Name")
    if name:
        return entry_named(members, name)
    number = whole(member.raw("Id"))
    ids = {one.id: key for key, one in settings.items()} | {id_: key for key, id_ in members.entries.items()}
    if number not in ids:
        raise wrong("Properties", "must name each property")
    return entry_named(members, ids[number])


def _way(body: Given, members: Members, values: Mapping[str, str]) -> Auth | None:
    """The way to authenticate that a body names, else the one in effect."""
    connector, given = members.connector, body.text("AuthenticationId")
    if not given:
        return way_of(Access(connector=connector, config=ConfigView(completed(connector, values))))
    digits = given.replace("-", "").lower()
    found = next((one for one in connector.auth.values() if way_guid(connector.key, one.id).hex == digits), None)
    if found is None:
        raise wrong("AuthenticationId", f"is none of {connector.name}")
    return found


def _description(body: Given) -> str | None:
    return body.text("Description", longest=LONGEST_DESCRIPTION, lines=True)
