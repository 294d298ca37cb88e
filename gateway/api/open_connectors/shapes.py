"""Between the domain and the Open Connectors wire (field names as SAP Open Connectors has them)."""

from base64 import b64encode
from typing import Any

from gateway.accounts.usage.model import Use
from gateway.catalogue.core import entries_of
from gateway.catalogue.model import Connector, Entry
from gateway.clock import iso
from gateway.delivery.notification import render
from gateway.events.model import Event
from gateway.history.model import Arrival, AttemptRecord, DeliveryRecord
from gateway.instances.configuration import MASK, scheme_of
from gateway.instances.model import Setting
from gateway.provisioning.details import Details
from gateway.provisioning.instances import Made

_FIELD_TYPES = {"boolean": "BOOLEAN", "json": "TEXTAREA", "url": "TEXTFIELD_1000"}


def instance(details: Details, element_id: int, *, full: bool = True) -> dict[str, Any]:
    """An instance; a list that is not hydrated leaves the configuration out."""
    record = details.instance
    enabled = details.values.get("event.notification.enabled") == "true"
    shape: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "createdDate": iso(record.created_at),
        "token": details.element_token,
        "element": element(details.connector, element_id),
        "elementId": element_id,
        "tags": list(record.tags),
        "valid": details.valid,
        "disabled": not record.enabled,
        "maxCacheSize": 0,
        "cacheTimeToLive": 0,
        "eventsEnabled": enabled,
        "traceLoggingEnabled": False,
        "cachingEnabled": False,
        "externalAuthentication": record.external_authentication,
        "user": user(details),
    }
    if full:
        shape |= {"provisionInteractions": [], "configuration": configuration(details)}
    if enabled and details.callback is not None and details.callback.state != "removed":
        shape |= {"eventsNotificationCallbackUrl": details.callback.url, "subscriptionId": details.callback.id}
    return shape


def made(secrets: Made) -> dict[str, str]:
    """What the answer to a create call shows this once."""
    shown = {
        "webhookUrl": secrets.webhook_url,
        "signingSecret": secrets.signing_secret,
        "webhookSecret": secrets.webhook_secret,
    }
    return {name: value for name, value in shown.items() if value is not None}


def recommended(details: Details) -> dict[str, list[str]]:
    """What the answer to a create call adds where something had better be set."""
    return {"recommendations": list(details.recommendations)} if details.recommendations else {}


def configuration(details: Details) -> dict[str, str | None]:
    """All entries with their values in effect as texts, secrets masked, null where unset."""
    values = details.values
    return {key: masked(entry, values.get(key)) for key, entry in entries_of(details.connector).items()}


def masked(entry: Entry, value: str | None) -> str | None:
    """A value as it may be shown."""
    return MASK if entry.secret and value else value


def configuration_record(setting: Setting, entry: Entry, details: Details) -> dict[str, Any]:
    """One entry of an instance."""
    return {
        "id": setting.id,
        "key": setting.key,
        "name": entry.name,
        "propertyValue": masked(entry, details.values.get(setting.key)),
        "description": entry.description,
        "type": field_type(entry),
        "required": entry.required,
        "hideFromConsole": entry.hidden,
        "elementInstanceId": details.instance.id,
    }


def user(details: Details) -> dict[str, Any]:
    """The user who made an instance; without a name where that user was removed."""
    return {"id": details.instance.user_id, "emailAddress": details.maker.username if details.maker else None}


def element(connector: Connector, element_id: int) -> dict[str, Any]:
    """A connector in short."""
    scheme = next(iter(connector.auth.values()), None)
    return {
        "id": element_id,
        "key": connector.key,
        "name": connector.name,
        "description": connector.description,
        "hub": connector.hub,
        "active": True,
        "deleted": False,
        "typeOauth": scheme is not None and scheme.type == "oauth2",
        "trialAccount": False,
        "signupURL": connector.docs,
        "authentication": {"type": scheme.type if scheme else "none"},
        "transformationsEnabled": False,
        "bulkDownloadEnabled": False,
        "bulkUploadEnabled": False,
        "cloneable": False,
        "extendable": False,
        "extended": False,
        "beta": False,
        "private": False,
        "protocolType": "http",
        "parameters": [],
        "resources": [],
        "objectMetadata": [],
        "useModelsForMetadata": True,
    }


def element_key(connector: Connector, element_id: int) -> dict[str, Any]:
    """A connector in a line."""
    return {"id": element_id, "key": connector.key, "name": connector.name, "hub": connector.hub}


def authentication_types(connector: Connector) -> list[dict[str, Any]]:
    """The ways to authenticate, the usual one first."""
    return [
        {"id": way.id, "type": way.type, "default": number == 0, "typeOauth": way.type == "oauth2"}
        for number, way in enumerate(connector.auth.values())
    ]


def element_configuration(connector: Connector, way: str | None = None) -> list[dict[str, Any]]:
    """What a form for a new instance asks; with a way to authenticate, only what that one needs."""
    entries = [entry for entry in entries_of(connector).values() if not entry.internal]
    if way is not None:
        entries = [entry for entry in entries if entry.auth is None or way in entry.auth]
    return [_form_field(entry, order) for order, entry in enumerate(entries, 1)]


def _form_field(entry: Entry, order: int) -> dict[str, Any]:
    return {
        "id": order,
        "key": entry.key,
        "name": entry.name,
        "description": entry.description,
        "defaultValue": entry.default,
        "type": field_type(entry),
        "required": entry.required and entry.default is None,
        "choices": list(entry.choices),
        "authenticationTypes": sorted(entry.auth) if entry.auth is not None else [],
        "displayOrder": order,
        "hideFromConsole": entry.hidden,
        "active": True,
        "internal": entry.internal,
        "groupControl": False,
        "companyConfig": False,
        "resellerConfig": False,
        "isPrivate": False,
    }


def field_type(entry: Entry) -> str:
    """The wire's word for the field that a form shows."""
    return "PASSWORD" if entry.secret else _FIELD_TYPES.get(entry.type, "TEXTFIELD_128")


def metadata(connector: Connector, element_id: int) -> dict[str, Any]:
    """What a user interface wants to know of a connector."""
    methods = list(connector.event_methods)
    return {
        "id": element_id,
        "key": connector.key,
        "name": connector.name,
        "description": connector.description,
        "hub": connector.hub,
        "authenticationType": scheme_of(connector, {}),
        "authenticationTypes": list(connector.auth),
        "events": {"supported": bool(methods), "methods": methods},
        "resources": [
            {
                "canonicalName": name,
                "operations": list(found.methods),
                "events": {"supported": bool(methods), "methods": methods},
            }
            for name, found in connector.resources.items()
        ],
        "bulk": {"upload": False, "download": False},
        "discovery": {"supported": False},
    }


def status(deliveries: list[DeliveryRecord]) -> str:
    """An event's place on the wire's scale: RECEIVED, DISPATCHED, CONSUMED, NOTIFIED."""
    states = {delivery.state for delivery in deliveries}
    if "delivered" in states:
        return "NOTIFIED"
    if not states - {"cancelled"}:
        return "CONSUMED"
    return "DISPATCHED" if any(delivery.attempts or delivery.state == "dead" for delivery in deliveries) else "RECEIVED"


def event(found: Event, deliveries: list[DeliveryRecord], hub: str | None) -> dict[str, Any]:
    """An event; with a hub, also what its consumer is sent."""
    shape: dict[str, Any] = {
        "id": found.id,
        "eventDate": iso(found.received_at),
        "status": status(deliveries),
        "providerData": found.payload.decode("utf-8", "replace"),
        "instanceId": found.instance_id,
        "encodedId": b64encode(str(found.instance_id).encode()).decode(),
        "elementKey": found.connector,
        "eventType": found.action,
        "objectType": found.object_type,
        "objectId": found.object_id,
    }
    if hub is not None and found.emptied_at is None and any(delivery.attempts for delivery in deliveries):
        shape["notifiedData"] = [render(found, hub).decode("utf-8", "replace")]
    return shape


def disposition(
    found: Arrival, deliveries: list[DeliveryRecord], attempts: dict[str, list[AttemptRecord]]
) -> dict[str, Any]:
    """What happened to an event, in sentences."""
    messages = [
        {"message": _attempted(made), "date": iso(made.at)}
        for delivery in deliveries
        for made in attempts.get(delivery.id, [])
    ]
    messages += [{"message": _standing(delivery), "date": iso(delivery.due_at)} for delivery in deliveries]
    if not deliveries:
        messages = [{"message": "Stored; no destination", "date": iso(found.received_at)}]
    return {"eventId": found.id, "elementInstanceId": found.instance_id, "notificationData": messages}


def _attempted(made: AttemptRecord) -> str:
    if made.reason is None:
        return f"Delivered event at attempt {made.number} with status {made.status} in {made.duration_ms} ms"
    return f"Error delivering event at attempt {made.number}: {made.reason}"


def _standing(delivery: DeliveryRecord) -> str:
    match delivery.state:
        case "pending":
            return f"Next attempt at {iso(delivery.due_at)}"
        case "delivered":
            return "Delivery completed"
        case "dead":
            return f"Gave up: {delivery.reason}"
        case _:
            return f"Cancelled: {delivery.reason}"


def use(one: Use) -> dict[str, Any]:
    """A call through an instance, as it was answered."""
    return {
        "id": one.request_id,
        "requestId": one.request_id,
        "date": iso(one.at),
        "elementKey": one.connector,
        "elementInstanceId": one.instance_id,
        "userId": one.user_id,
        "operationId": one.method,
        "method": one.verb,
        "path": one.path,
        "status": one.status,
        "vendorStatus": one.vendor_status,
        "bytes": one.bytes,
        "duration": one.duration_ms,
    }
