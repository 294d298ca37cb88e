"""Entries as fields and fields as a configuration."""

from pathlib import Path

import pytest
from multidict import MultiDict

from gateway.catalogue.folders import Folders
from gateway.catalogue.model import Connector
from gateway.console.connectors import catalogue, entries
from gateway.console.forms import Form
from tests.kit import logins

CATALOGUE = Folders([]).load()


def connector(key: str) -> Connector:
    found = CATALOGUE.get(key)
    assert found is not None
    return found


def fields(key: str, way: str, stored: dict[str, str] | None = None) -> dict[str, entries.Field]:
    one = connector(key)
    return {field.key: field for field in entries.fields(one, one.auth[way], stored)}


@pytest.mark.parametrize("one", CATALOGUE.all(), ids=lambda one: one.key)
def test_nothing_that_a_vendor_needs_is_left_out(one: Connector) -> None:
    for way in one.auth.values():
        shown = {field.key for field in entries.fields(one, way)}
        own = {key for key, entry in one.entries.items() if not entry.hidden and not entry.internal}
        needed = {key for key in own if one.entries[key].auth is None or way.id in (one.entries[key].auth or ())}
        filled = {key for key in needed if one.entries[key].filled_by == f"auth.{way.id}"}
        assert needed - filled <= shown
        assert not {key for key in shown if key.startswith("oauth.")} or way.type == "oauth2"


def test_a_field_is_of_its_entrys_type() -> None:
    close, generic = fields("closeio", "oauth2"), fields("generic", "none")
    assert close["oauth.api.secret"].kind == "secret"
    assert close["webhook.events"].kind == "long"
    assert close["event.notification.enabled"].kind == "box"
    assert close["event.notification.callback.url"].kind == "url"
    assert generic["webhook.verify"].kind == "choice"
    assert generic["event.notification.callback.headers"].kind == "sealed-long"
    assert generic["event.poller.refresh_interval"].kind == "number"


def test_what_is_rare_is_folded() -> None:
    found = entries.grouped(tuple(fields("closeio", "api_key").values()))
    assert found["access"][0].key == "username"
    assert [one.key for one in found["events"]][:3] == [
        "event.notification.enabled",
        "event.vendor.type",
        "event.notification.callback.url",
    ]
    assert "base.url" in [one.key for one in found["more"]]
    assert {"webhook.signature.key", "webhook.events"} <= {one.key for one in found["proof"]}


def test_what_is_usual_is_not_written_down() -> None:
    generic = connector("generic")
    found = entries.fields(generic, generic.auth["none"])
    shown = {one.key: one.value for one in found if one.kind != "box"}
    form = Form(MultiDict({**shown, "event.notification.enabled": "true", "filter.response.nulls": "true"}))
    assert entries.configuration(form, found) == {"event.notification.enabled": "true"}
    form = Form(MultiDict({**shown, "object.id.path": " item.id ", "webhook.secret": " a b "}))
    assert entries.configuration(form, found) == {
        "filter.response.nulls": "false",
        "object.id.path": "item.id",
        "webhook.secret": " a b ",
    }


def test_a_stored_secret_stays_where_nothing_is_typed_and_a_text_can_be_emptied() -> None:
    stored = {"webhook.secret": "old", "base.url": "https://a.example", "event.notification.enabled": "true"}
    generic = connector("generic")
    found = entries.fields(generic, generic.auth["none"], stored)
    by_key = {one.key: one for one in found}
    assert by_key["webhook.secret"].kept
    assert by_key["webhook.secret"].value == ""
    assert by_key["base.url"].value == "https://a.example"
    usual = {one.key: one.value for one in found if one.kind != "box"}
    boxes = {"event.notification.enabled": "true", "filter.response.nulls": "true"}
    assert entries.configuration(Form(MultiDict({**usual, **boxes})), found, stored) == {}
    changed = Form(MultiDict({**usual, **boxes, "base.url": "", "webhook.secret": "new"}))
    assert entries.configuration(changed, found, stored) == {"base.url": None, "webhook.secret": "new"}


def test_a_private_key_keeps_its_lines(tmp_path: Path) -> None:
    one = Folders([logins.connectors(tmp_path)]).load().get("vend-jwt")
    assert one is not None
    found = entries.fields(one, one.auth["jwt"])
    assert [field.kind for field in found if field.key == "private.key"] == ["sealed-long"]
    form = Form(MultiDict({"private.key": "-----A\r\nB\r\n"}))
    assert entries.configuration(form, found)["private.key"] == "-----A\nB"


def test_ways_of_one_kind_are_told_apart_and_a_lone_key_is_no_password() -> None:
    assert [name for _, name in catalogue.ways(connector("generic"))][3:5] == [
        "API key (header key)",
        "API key (query key)",
    ]
    assert [name for _, name in catalogue.ways(connector("closeio"))] == ["API key", "OAuth: sign in at the vendor"]


@pytest.mark.parametrize(
    ("name", "shown"), [("Close", "Cl"), ("Amazon SNS", "As"), ("X (Twitter)", "X"), ("(?)", "(?"), ("é", "É")]
)
def test_a_tile_shows_initials(name: str, shown: str) -> None:
    assert catalogue.letters(name) == shown


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x", "", "HTTPS://x"])
def test_only_web_addresses_become_links(url: str) -> None:
    assert catalogue.web_address(url) == ""
