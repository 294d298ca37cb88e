"""Between the domain and this wire: connectors, methods, account connectors."""

from collections.abc import Mapping
from typing import Any

from gateway.api.cyclr import auth_value
from gateway.catalogue.call_model import Auth, Field, Method
from gateway.catalogue.core import entries_of
from gateway.catalogue.inputs import Input
from gateway.catalogue.member_ids.members import Members, method_guid, way_guid
from gateway.catalogue.model import Connector, Entry
from gateway.catalogue.sources import Sources
from gateway.instances.model import Setting
from gateway.provisioning.details import Details

MASK = auth_value.MASK
_AUTH: Mapping[str, str] = {
    "none": "None", "api_key": "ApiKey", "bearer": "ApiKey", "basic": "Basic", "oauth2": "OAuth2",
    "session": "AuthFields", "jwt": "AuthFields",
}  # fmt: skip
_GRANTS: Mapping[str, str] = {
    "authorization_code": "AuthorisationCode",
    "client_credentials": "ClientCredentials",
    "password": "PasswordCredentials",
}
_ENTRY_TYPES: Mapping[str, str] = {"boolean": "Boolean", "integer": "Integer", "number": "Decimal"}
_TYPES: Mapping[str, str] = {**_ENTRY_TYPES, "date": "DateTime", "datetime": "DateTime", "file": "File"}
_TARGETS: Mapping[str, str] = {
    "path": "MergeField",
    "query": "QueryString",
    "page": "QueryString",
    "open": "QueryString",
}
_BODIES: Mapping[str | None, str] = {None: "Unknown", "json": "Json", "form": "Form", "any": "Unknown", "raw": "File"}


def connector(found: Connector, number: int, members: Members) -> dict[str, Any]:
    """A connector with its properties and its ways to authenticate."""
    ways = [*found.auth.values()]
    first = way(found, ways[0]) if ways else None
    return {
        "Id": number,
        "Name": found.name,
        "Description": found.description,
        "Status": "Approved",
        "Version": found.api_version,
        "Icon": None,
        "AuthDescription": first["AuthDescription"] if first else None,
        "AuthType": first["AuthType"] if first else "None",
        "OAuth2Type": first["OAuth2Type"] if first else "Unknown",
        "AuthScheme": first["AuthScheme"] if first else None,
        "Categories": list(found.categories),
        "IsSystemConnector": False,
        "Parameters": [_property(entry, members) for entry in properties(found).values()],
        "Triggers": [],
        "Authentication": [way(found, one) for one in ways],
    }


def way(found: Connector, one: Auth) -> dict[str, Any]:
    """One of a connector's ways to authenticate."""
    return {
        "Id": str(way_guid(found.key, one.id)),
        "AuthName": one.id,
        "AuthDescription": None,
        "AuthType": _AUTH[one.type],
        "OAuth2Type": _GRANTS.get(one.oauth.grant, "Unknown") if one.oauth else "Unknown",
        "AuthScheme": _scheme(one),
        "IsDefault": one is next(iter(found.auth.values())),
    }


def properties(found: Connector) -> dict[str, Entry]:
    """The entries that an account connector may set; what logins and registrations fill is not among them."""
    return {key: entry for key, entry in entries_of(found).items() if not entry.internal and not entry.hidden}


def method(found: Connector, one: Method, members: Members) -> dict[str, Any]:
    """A method with the ids of what it takes."""
    inputs = members.inputs[one.id].items()
    return {
        "Id": members.methods[one.id],
        "Name": one.name,
        "Description": one.description,
        "EndPoint": _end_point(found, one),
        "MethodUniqueIdentifier": str(method_guid(found.key, one.id)),
        "Category": one.category or None,
        "MethodType": "Action",
        "HttpMethod": one.request.verb.capitalize() if "{" not in one.request.verb else "Get",
        "DataType": _BODIES[one.body],
        "Parameters": [_parameter(number, given) for number, given in inputs if not given.is_field],
        "RequestFormat": {"Fields": [_field(number, given) for number, given in inputs if given.is_field]},
    }


def account_connector(found: Details, number: int, members: Members, *, in_clear: bool) -> dict[str, Any]:
    """An account connector; what it signs in with is masked unless the operator wants it in clear."""
    record = found.instance
    return {
        "Id": record.id,
        "Name": record.name,
        "Description": record.description,
        "AuthValue": auth_value.shown(found, in_clear=in_clear),
        "Authenticated": auth_value.is_authenticated(found),
        "Connector": connector(found.connector, number, members),
        "IsPartnerIntegrationConnector": record.native,
        "Properties": [property_(found, one) for one in shown_settings(found).values()],
        "CustomFields": [],
    }


def shown_settings(found: Details) -> dict[int, Setting]:
    """The properties that are set, by their ids."""
    own = properties(found.connector)
    return {one.id: one for key, one in found.settings.items() if one.value is not None and key in own}


def property_(found: Details, one: Setting) -> dict[str, Any]:
    """A property of an account connector; secrets are masked."""
    entry = entries_of(found.connector)[one.key]
    return {
        "Id": one.id,
        "Name": one.key,
        "Value": MASK if entry.secret or entry.sealed else one.value,
        "AccountConnectorId": found.instance.id,
    }


def _property(entry: Entry, members: Members) -> dict[str, Any]:
    return {
        "Id": members.entries[entry.key],
        "Name": entry.name,
        "TargetName": entry.key,
        "TargetType": "MergeField",
        "Description": entry.description or None,
        "IsOptional": not entry.required or entry.default is not None,
        "IsSensitive": entry.secret or entry.sealed,
        "IsAccountConnectorProperty": True,
        "DataType": _ENTRY_TYPES.get(entry.type, "Text"),
        "TriggerName": None,
        "Values": list(entry.choices),
    }


def _parameter(number: int, given: Input) -> dict[str, Any]:
    return {
        **_described(number, given.declared),
        "TargetName": given.name,
        "TargetType": _TARGETS[given.place],
        "IsSensitive": False,
    }


def _field(number: int, given: Input) -> dict[str, Any]:
    return {**_described(number, given.declared), "ConnectorField": given.name, "SystemField": given.name}


def _described(number: int, declared: Field) -> dict[str, Any]:
    return {
        "Id": number,
        "Name": declared.name,
        "Description": declared.description or None,
        "IsOptional": not declared.required or declared.default is not None,
        "DataType": _TYPES.get(declared.type, "Text"),
        "Default": declared.default,
        "TriggerName": None,
        "Values": list(declared.choices),
        "Triggers": [],
    }


def _end_point(found: Connector, one: Method) -> str:
    """The address as the file writes it."""
    path, base = one.request.path.source_text, found.http.base_url
    return path if "://" in path or base is None else base.source_text.rstrip("/") + path


def _scheme(one: Auth) -> str | None:
    """The header that the proof stands in; None where it stands elsewhere."""
    if one.type == "none":
        return None
    if one.type == "api_key":
        return one.name.text(Sources()) or None if one.place == "header" and one.name is not None else None
    login = one.oauth or one.session
    if login is not None and login.inject is not None:
        return login.inject.name if login.inject.place == "header" else None
    return "Authorization"
