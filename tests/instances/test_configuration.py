"""Configuration values as a caller may send them, checked and kept as texts."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.core import CORE_KEYS, entries_of
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.egress.guard import Guard
from gateway.errors import Invalid
from gateway.instances.configuration import MASK, check

CATALOGUE = load_catalogue([])
GUARD = Guard(allow_http=False, allow_networks=())
CALLBACK = "event.notification.callback.url"
GITHUB = {"token": "t", "owner": "octo", "repo": "hello"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted(CORE_KEYS | {"username", "password", "token", "owner", "repo", "webhook.secret"}))


def connector(key: str) -> Connector:
    found = CATALOGUE.get(key)
    assert found is not None
    return found


def checked(sent: object, stored: Mapping[str, str] = GITHUB, key: str = "github") -> Mapping[str, str | None]:
    return check(connector(key), stored, sent, GUARD.refuses_url).values


def refused(sent: object, stored: Mapping[str, str] = GITHUB, key: str = "github") -> str:
    with pytest.raises(Invalid) as caught:
        checked(sent, stored, key)
    assert caught.value.problems
    return str(caught.value)


@given(st.sampled_from(["github", "closeio", "generic"]), st.dictionaries(KEYS | st.text(max_size=9), VALUES) | VALUES)
def test_whatever_is_sent_is_kept_as_text_or_refused(key: str, sent: Any) -> None:
    try:
        values = checked(sent, {}, key)
    except Invalid:
        return
    assert set(values) <= set(entries_of(connector(key)))
    for value in values.values():
        assert value is None or (value and value.encode())


@given(st.dictionaries(KEYS, VALUES))
def test_what_was_accepted_is_accepted_again_and_means_the_same(sent: dict[str, Any]) -> None:
    try:
        values = checked(sent)
    except Invalid:
        return
    again = checked(dict(values))
    assert again == values


@pytest.mark.parametrize(
    ("sent", "text"),
    [(True, "true"), ("TRUE", "true"), (" false ", "false"), (False, "false"), ("", None), (None, None)],
)
def test_a_truth_value_is_kept_as_a_word(sent: object, text: str | None) -> None:
    assert checked({"filter.response.nulls": sent}) == {"filter.response.nulls": text}


@pytest.mark.parametrize("sent", ["yes", 1, 0, "1", [], {}, 1.5, "tru"])
def test_what_is_no_truth_value_is_refused(sent: object) -> None:
    assert "filter.response.nulls: expected true or false" in refused({"filter.response.nulls": sent})


def test_webhook_and_webhooks_are_one_and_there_is_polling() -> None:
    for word in ("webhook", "webhooks"):
        assert checked({"event.vendor.type": word}) == {"event.vendor.type": "webhook"}
    assert checked({"event.vendor.type": "polling"}) == {"event.vendor.type": "polling"}
    assert "expected one of" in refused({"event.vendor.type": "carrier pigeon"})


def test_the_only_notification_type_is_webhook() -> None:
    assert checked({"event.notification.type": "webhook"}) == {"event.notification.type": "webhook"}
    assert "expected one of webhook" in refused({"event.notification.type": "email"})


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x", "https://user:pw@example.com/", "https://user@example.com/", "ftp://example.com",
        "example.com", "https://", "https:///x", "https://example.com:0/", "https://example.com:99999/", "//x", "x",
        "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://localhost/",
        "https://LOCALHOST./", "https://a.localhost/", "https://0/", "https://0.0.0.0/", "https://10.0.0.1/",
        "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest", "https://100.64.0.1/",
        "https://224.0.0.1/", "https://255.255.255.255/", "https://192.0.0.8/", "https://198.18.0.1/",
        "https://[fe80::1]/", "https://[fc00::1]/", "https://[ff02::1]/", "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://example.com/\r\nX: y",
        "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_a_callback_that_may_not_be_called_is_refused_without_being_repeated_with_its_password(url: str) -> None:
    message = refused({CALLBACK: url})
    assert message.startswith(f"Invalid configuration: {CALLBACK}: ")
    assert "pw@" not in message


def test_http_is_taken_where_the_operator_allows_it() -> None:
    open_guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8"])
    for url in ("http://example.com/x", "http://127.0.0.1:9/x"):
        found = check(connector("github"), GITHUB, {CALLBACK: url}, open_guard.refuses_url)
        assert found.values == {CALLBACK: url}


def test_an_unknown_entry_is_refused_with_the_nearest_known_word() -> None:
    assert f"did you mean {CALLBACK}?" in refused({"event.notification.callback.uri": "https://example.com"})
    assert "did you mean repo?" in refused({"rep": "x"})
    assert "zzzzzzzz: is no entry of this connector." in refused({"zzzzzzzz": 1})


def test_ten_thousand_entries_are_refused_as_one_problem() -> None:
    message = refused({f"key{number}": "x" for number in range(10_000)})
    assert "has 10000 entries, at most 200 are taken" in message
    assert len(message) < 300


def test_every_problem_is_named_at_once_and_no_secret_is_repeated() -> None:
    message = refused(
        {CALLBACK: "x", "filter.response.nulls": 7, "nope": 1, "token": ["hunter2"], "owner": "hunter2 !"}
    )
    for key in (CALLBACK, "filter.response.nulls", "nope", "token", "owner"):
        assert f"{key}: " in message
    assert "hunter2" not in message


def test_all_missing_entries_are_named_with_their_labels() -> None:
    message = refused({}, {})
    assert message == (
        "Missing required configuration for github: token (Personal access token), owner (Owner of the repository), "
        "repo (Repository)."
    )
    assert "username (API key)" in refused({"password": "x"}, {}, "closeio")
    assert "token" in refused({"token": None})
    assert "token" in refused({"token": MASK}, {})


def test_a_mask_leaves_a_secret_as_it_is() -> None:
    assert checked({"token": MASK, "repo": "other"}) == {"repo": "other"}


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", "x" * 8193, "a b", "ü"])
def test_a_text_that_cannot_be_what_the_entry_asks_for_is_refused(value: str) -> None:
    assert refused({"repo": value}).startswith("Invalid configuration: repo: ")


def test_json_is_taken_as_a_value_or_as_text_and_no_deeper_than_it_can_be_written() -> None:
    assert checked({"event.metadata": {"a": [1]}}) == {"event.metadata": '{"a":[1]}'}
    assert checked({"event.metadata": '{"a": [1]}'}) == {"event.metadata": '{"a": [1]}'}
    assert "expected JSON" in refused({"event.metadata": "{"})
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    assert "event.metadata: is nested too deep" in refused({"event.metadata": deep})


def test_headers_that_smuggle_are_refused_by_name() -> None:
    key = "event.notification.callback.headers"
    assert checked({key: {"X-Key": "v"}}) == {key: '{"X-Key":"v"}'}
    assert "the value of X" in refused({key: {"X": "a\r\nEvil: b"}})
    assert "Host is set by the gateway" in refused({key: "Host: x"})
    assert "colon" in refused({"event.notification.basic.username": "a:b"})


POLLED = {"username": "key", "event.vendor.type": "polling", "event.notification.enabled": True}
POLLER = {"url": "/hubs/crm/contacts?where=date_updated>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'", "idField": "id"}


def with_poller(**changes: Any) -> dict[str, Any]:
    return {**POLLED, "event.poller.configuration": {"contacts": {**POLLER, **changes}}}


def test_a_poller_configuration_is_kept_as_text() -> None:
    values = checked(with_poller(), {}, "closeio")
    assert json.loads(values["event.poller.configuration"] or "") == {"contacts": POLLER}
    text = json.dumps({"contacts": POLLER})
    assert checked({**POLLED, "event.poller.configuration": text}, {}, "closeio")["event.poller.configuration"] == text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": None}, "event.poller.configuration: contacts.url: is required"),
        ({"idField": None}, "contacts.idField: is required"),
        ({"url": "/hubs/crm/contacts?where=a>'${date:soon}'"}, "contacts.url: ${date:soon}: 'soon' is no date pattern"),
        ({"datesConfiguration": {"updatedDateField": "a", "updatedDateTimezone": "Moon"}}, "is no time zone"),
        ({"url": "https://evil.example/contacts"}, "contacts.url: https://evil.example/contacts leads away"),
        ({"url": "/hubs/crm/contactz"}, "did you mean 'contact'?"),
    ],
)
def test_a_poller_that_cannot_be_asked_is_refused_at_once(changes: dict[str, Any], said: str) -> None:
    assert said in refused(with_poller(**changes), {}, "closeio")


@pytest.mark.parametrize("minutes", [0, -1, "0", "-5", 0.5])
@pytest.mark.parametrize("road", ["webhook", "polling"])
def test_an_interval_below_a_minute_is_refused(minutes: object, road: str) -> None:
    sent = {"username": "key", "event.vendor.type": road, "event.poller.refresh_interval": minutes}
    assert "event.poller.refresh_interval: expected 1 minute or more" in refused(sent, {}, "closeio")


@pytest.mark.parametrize("minutes", [1, "15", 999999999, 10**9])
def test_an_interval_from_a_minute_to_never_is_taken(minutes: object) -> None:
    assert checked({"event.poller.refresh_interval": minutes})["event.poller.refresh_interval"] == str(minutes)


def test_where_nothing_is_polled_a_poller_configuration_is_only_kept() -> None:
    sent = {"username": "key", "event.poller.configuration": {"x": {"url": "/nowhere"}}}
    assert "event.poller.configuration" in checked(sent, {}, "closeio")


def test_a_connector_without_polls_can_be_polled_where_the_instance_says_what() -> None:
    road = {"token": "t", "event.vendor.type": "polling", "event.notification.enabled": True}
    assert "event.poller.configuration: is needed for polling" in refused(road, {}, "wise")


def test_the_entries_of_a_declared_poll_are_needed_only_where_it_is_made() -> None:
    road = {"authentication.type": "none", "base.url": "https://x.example", "event.notification.enabled": True}
    polled = {**road, "event.vendor.type": "polling"}
    assert "poll.path" in refused(polled, {}, "generic")
    assert "poll.path" in refused({**road, "event.reconcile.enabled": True}, {}, "generic")
    configured = {**polled, "event.poller.configuration": {"things": {"url": "/things", "idField": "id"}}}
    assert checked(configured, {}, "generic")["event.vendor.type"] == "polling"


def test_a_poll_needs_an_address_to_begin_with() -> None:
    road = {"authentication.type": "none", "poll.path": "things", "event.notification.enabled": True}
    assert "base.url: is needed for polling" in refused({**road, "event.vendor.type": "polling"}, {}, "generic")


@pytest.mark.parametrize("key", ["event.objects", "event.poller.urls"])
def test_a_choice_that_leaves_nothing_to_poll_says_what_there_is(key: str) -> None:
    sent = {**with_poller(), key: "orders"}
    assert f"{key}: names nothing that is polled here; that is contacts" in refused(sent, {}, "closeio")
    assert checked({**sent, key: "Contact"}, {}, "closeio")[key] == "Contact"
    assert checked({**POLLED, key: "orders"}, {}, "closeio")[key] == "orders"  # a log of everything
    github = {"event.vendor.type": "polling", "event.notification.enabled": True}
    assert "that is issues" in refused({**github, key: "orders"})
    assert checked({**github, key: "issue"})[key] == "issue"
