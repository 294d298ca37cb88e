"""The entries that every connector has."""

import re
from pathlib import Path

import pytest

from gateway.catalogue.core import CORE_KEYS, completed, entries_of
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from tests.catalogue.connector_file import WEBHOOK, connector_of

SHIPPED = load_catalogue([])
POLL = '[[poll]]\nname = "p"\nrequest = "GET /p"\nrecords = ""\nid = "id"\nupdated = "u"\ntype = "p"\n'
TWO_WAYS = '[auth.a]\ntype = "none"\n[auth.b]\ntype = "basic"\nusername = "x"\n'


def _closeio() -> Connector:
    found = SHIPPED.get("closeio")
    assert found is not None
    return found


@pytest.mark.parametrize("connector", SHIPPED.all(), ids=lambda connector: connector.key)
def test_every_entry_is_whole(connector: Connector) -> None:
    for key, entry in entries_of(connector).items():
        assert entry.key == key
        assert entry.name
        assert entry.sealed or not entry.secret
        assert not entry.choices or entry.default is None or entry.default in entry.choices


def test_core_entries_are_known_by_their_keys() -> None:
    given = set(entries_of(_closeio()))
    assert given >= CORE_KEYS
    assert given - CORE_KEYS == {"username", "password", "webhook.signature.key", "webhook.events", "webhook.id"}


def test_close_is_the_element_that_clients_know() -> None:
    closeio = _closeio()
    entries = entries_of(closeio)
    assert (closeio.id, closeio.hub) == (146, "crm")
    assert (entries["username"].sealed, entries["username"].secret, entries["username"].required) == (True, False, True)
    assert (entries["password"].secret, entries["password"].required) == (True, False)
    assert entries["authentication.type"].default == "api_key"
    assert entries["base.url"].default == "https://api.close.com/api/v1"
    assert {"accounts", "contacts", "opportunities", "tasks", "users"} <= set(closeio.resources)
    assert closeio.resources["accounts"].objects == "lead"


def test_what_signs_or_opens_the_callback_is_sealed_and_masked() -> None:
    entries = entries_of(_closeio())
    for key in ("signature.key", "callback.headers", "basic.password"):
        entry = entries[f"event.notification.{key}"]
        assert (entry.sealed, entry.secret) == (True, True)


def test_the_way_events_come_is_the_webhook_where_there_are_both(tmp_path: Path) -> None:
    both = entries_of(connector_of(tmp_path, WEBHOOK + POLL))["event.vendor.type"]
    polled = entries_of(connector_of(tmp_path, POLL))["event.vendor.type"]
    neither = entries_of(connector_of(tmp_path, ""))["event.vendor.type"]
    assert (both.choices, both.default, both.hidden) == (("webhook", "polling"), "webhook", False)
    assert (polled.choices, polled.default, polled.hidden) == (("polling",), "polling", True)
    assert (neither.choices, neither.default) == ((), None)


def test_the_way_to_authenticate_is_asked_only_where_there_are_several(tmp_path: Path) -> None:
    assert "authentication.type" not in entries_of(connector_of(tmp_path, '[auth.a]\ntype = "none"'))
    asked = entries_of(connector_of(tmp_path, TWO_WAYS))["authentication.type"]
    assert (asked.choices, asked.default) == (("a", "b"), "a")


def test_oauth_entries_belong_to_oauth_alone(tmp_path: Path) -> None:
    assert not [key for key in entries_of(connector_of(tmp_path, TWO_WAYS)) if key.startswith("oauth.")]
    key = entries_of(_closeio())["oauth.api.key"]
    assert (key.auth, key.required) == (frozenset({"oauth2"}), True)


def test_a_file_sets_other_defaults(tmp_path: Path) -> None:
    connector = connector_of(tmp_path, '[defaults]\n"filter.response.nulls" = false\n"event.objects" = "contacts"')
    values = completed(connector, {"event.objects": "leads"})
    assert values["filter.response.nulls"] == "false"
    assert values["event.objects"] == "leads"
    assert values["event.notification.enabled"] == "false"


def test_keys_are_flat_and_lower_case() -> None:
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", key) for key in CORE_KEYS)
