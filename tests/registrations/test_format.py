"""How a registration is written down in a connector's file, and what is made of it."""

from itertools import pairwise
from pathlib import Path

import pytest

from gateway.calls.model import Access
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.load import SHIPPED, load_file
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.errors import CatalogueError
from gateway.registrations import requests, times
from gateway.registrations.wanted import subscribe_of
from tests.registrations.agency import ENDS

WANTED = requests.Wanted("https://gateway.example/in/t0ken", "0b9f", 1_767_225_600_000)


def loaded(folder: Path, *, old: str = "", new: str = "") -> Connector:
    file = folder / "ends.toml"
    assert old in ENDS
    file.write_text(ENDS.replace(old, new))
    return load_file(file)


def shipped(key: str, **values: str) -> Access:
    connector = load_file(SHIPPED / f"{key}.toml")
    named = {name.replace("_", "."): value for name, value in values.items()}
    return Access(connector=connector, config=ConfigView(completed(connector, named)))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('renew = "PATCH /hooks/{config:webhook.id}"\n', "", "renew_body: means nothing without renew"),
        ('lifetime = "1h"\n', "", "lifetime: is missing"),
        ('expires_format = "epoch_ms"', 'expires_format = "epoch"', "expires_format: expected one of"),
        ('delete = "', 'check_url = "body:url"\ndelete = "', "check_url: means nothing without check"),
        ('delete = "', 'list = "GET /hooks"\ndelete = "', "list: means nothing without list_id"),
        ('request = "POST /hooks"', 'request = "POST /hooks?{expires_at}"', "{expires_at} has no meaning here"),
    ],
)
def test_a_slip_in_a_registration_is_told_with_its_key(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        loaded(tmp_path, old=old, new=new)
    assert "webhook.subscribe." in str(raised.value)
    assert problem in str(raised.value)


def test_close_is_asked_for_a_list_of_events_and_not_for_a_text() -> None:
    access = shipped("closeio", username="k", webhook_events='[{"object_type":"lead","action":"created"}]')
    subscribe = subscribe_of(access.connector)
    assert subscribe is not None
    call = requests.creating(access, subscribe, WANTED)
    assert (call.verb, call.url) == ("POST", "https://api.close.com/api/v1/webhook/")
    assert call.body == (
        b'{"url":"https://gateway.example/in/t0ken","events":[{"object_type":"lead","action":"created"}],"verify_ssl":true}'
    )


def test_google_is_given_an_id_and_an_end_in_its_own_units() -> None:
    access = shipped("google", webhook_secret="s" * 20)
    subscribe = subscribe_of(access.connector)
    assert subscribe is not None
    call = requests.creating(access, subscribe, WANTED)
    assert b'"id":"0b9f"' in call.body
    assert b'"expiration":"1767312000000"' in call.body
    told = requests.with_values(access, {"webhook.id": "0b9f", "webhook.resource.id": "r"})
    gone = requests.deleting(told, subscribe)
    assert gone is not None
    assert (gone.url, gone.body) == (
        "https://www.googleapis.com/calendar/v3/channels/stop",
        b'{"id":"0b9f","resourceId":"r"}',
    )
    assert times.expiry(subscribe, Sources(raw=b'{"expiration":"1767312000000"}'), 0) == 1_767_312_000_000


def test_members_that_nothing_is_configured_for_are_left_out() -> None:
    access = shipped("gitlab", project="1", webhook_secret="s" * 20)
    subscribe = subscribe_of(access.connector)
    assert subscribe is not None
    body = requests.creating(access, subscribe, WANTED).body
    assert b'"push_events":true' in body
    assert b"signing_token" not in body


def test_of_several_secrets_the_newest_is_told() -> None:
    access = shipped("google", webhook_secret='["new","old"]')
    subscribe = subscribe_of(access.connector)
    assert subscribe is not None
    assert b'"token":"new"' in requests.creating(access, subscribe, WANTED).body


def test_the_same_request_has_the_same_fingerprint_whenever_it_is_made() -> None:
    access = shipped("google", webhook_secret="s" * 20)
    subscribe = subscribe_of(access.connector)
    assert subscribe is not None
    one = requests.fingerprint(access, subscribe, WANTED.callback)
    assert one == requests.fingerprint(access, subscribe, WANTED.callback)
    assert one != requests.fingerprint(access, subscribe, WANTED.callback + "x")
    other = requests.with_values(access, {"webhook.secret": "t" * 20})
    assert one != requests.fingerprint(other, subscribe, WANTED.callback)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.stem)
def test_a_shipped_registration_can_be_found_again(file: Path) -> None:
    subscribe = subscribe_of(load_file(file))
    if subscribe is None or subscribe.delete is None:
        return
    named = {key for one in subscribe.delete.path.locators for key in one.config_keys} & set(subscribe.saved)
    assert not named or requests.id_entry(subscribe) in named


def test_waits_double_and_neighbours_do_not_come_at_once() -> None:
    waits = [times.wait_ms(attempts, 7) for attempts in range(1, 12)]
    assert all(one <= after for one, after in pairwise(waits))
    assert 27_000 <= waits[0] <= 33_000
    assert waits[-1] <= 1.1 * times.LONGEST_WAIT_MS
    assert len({times.wait_ms(1, instance_id) for instance_id in range(100)}) > 90
    assert times.wait_ms(1, 7, wait_s=90) == 90_000
    assert times.wait_ms(1, 7, wait_s=1e9) == 2 * times.LONGEST_WAIT_MS
