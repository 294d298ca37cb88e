"""From a delivery to its changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.catalogue.change import identity, short
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.dates import date_reader
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.inbound.normalise import Change, Malformed, normalise
from gateway.proofs.received import Received
from tests.catalogue.connector_file import PROOF, SECRET, connector_of

REQUEST = Received(
    method="POST",
    url="https://g.example/in/t",
    query="",
    headers={"content-type": "application/json"},
    body=b"{}",
    remote="192.0.2.1",
)
CONFIG = ConfigView({})
SHIPPED = load_catalogue([])
FULL = """
type = "{body:type}"
action = "body:type"
action_split = "."
actions = { created = "CREATED", removed = "DELETED", "*" = "UPDATED" }
object_type = "body:type"
object_type_split = { sep = ".", take = "first" }
object_id = "body:id"
version = "body:v"
date = "body:at"
dedupe = "{header:x-delivery}"
"""


def _connector(folder: Path, mapping: str) -> Connector:
    return connector_of(folder, SECRET + "[webhook]\n" + mapping + PROOF)


def _changes(connector: Connector, body: bytes, headers: dict[str, str] | None = None) -> tuple[Change, ...]:
    received = replace(REQUEST, body=body, headers={**REQUEST.headers, **(headers or {})})
    found = normalise(connector, CONFIG, received, 1 << 20)
    assert isinstance(found, tuple), found
    return found


def _one(connector: Connector, body: bytes, headers: dict[str, str] | None = None) -> Change:
    (change,) = _changes(connector, body, headers)
    return change


def test_a_change_is_read_as_declared(tmp_path: Path) -> None:
    body = b'{"type":"order.created", "id":17, "v":3, "at":"2026-01-01T00:00:00Z"}'
    assert _one(_connector(tmp_path, FULL), body, {"x-delivery": "d1"}) == Change(
        type="order.created",
        action="CREATED",
        object_type="order",
        object_id="17",
        occurred_at=1767225600000,
        vendor_event_id="d1",
        version="3",
        identity="v:order:17:3",
        payload=body,
        payload_exact=True,
    )


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("order.created", "CREATED"),
        ("order.removed", "DELETED"),
        ("order.moved", "UPDATED"),
        ("moved", "UPDATED"),
        ("", "UNKNOWN"),
    ],
)
def test_an_action_is_mapped(word: str, action: str, tmp_path: Path) -> None:
    assert _one(_connector(tmp_path, FULL), json.dumps({"type": word}).encode()).action == action


def test_without_an_asterisk_another_action_is_unknown(tmp_path: Path) -> None:
    connector = _connector(tmp_path, 'type = "x"\naction = "body:a"\nactions = { new = "CREATED" }\n')
    assert [_one(connector, body).action for body in (b'{"a":"new"}', b'{"a":"old"}', b"{}")] == [
        "CREATED",
        "UNKNOWN",
        "UNKNOWN",
    ]


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b'{"type":"a.b","id":"i","v":"1"}', {"x-delivery": "d"}, "v:a:i:1"),
        (b'{"type":"a.b","id":"i"}', {"x-delivery": "d"}, "d:d"),
        (b'{"type":"a.b","id":"","v":"1"}', {"x-delivery": "d"}, "d:d"),
        (b'{"type":"a.b","id":{},"v":"1"}', {"x-delivery": "d"}, "d:d"),
        (b'{"type":"a.b","id":"i"}', {"x-delivery": ""}, None),
        (b'{"type":"a.b","id":"i"}', {}, None),
        (b'{"type":"a:b.c","id":"i:j%","v":"1:2"}', {}, "v:a%3Ab:i%3Aj%25:1:2"),
        (b'{"type":"a.b","id":18446744073709551617,"v":1}', {}, "v:a:18446744073709551617:1"),
        (b'{"type":"a.b","id":18446744073709551616,"v":1.10}', {}, "v:a:18446744073709551616:1.10"),
    ],
)
def test_the_identity_of_a_change(body: bytes, headers: dict[str, str], expected: str | None, tmp_path: Path) -> None:
    assert _one(_connector(tmp_path, FULL), body, headers).identity == expected


def test_identities_stay_distinct() -> None:
    assert identity("a:b", "c", "1", None) != identity("a", "b:c", "1", None)
    long = "x" * 600
    assert identity("t", long + "1", "1", None) != identity("t", long + "2", "1", None)
    assert identity(None, "i", "1", long + "1") != identity(None, "i", "1", long + "2")


@given(st.text(), st.integers(0, 600))
def test_a_derived_text_can_be_stored_and_is_bounded(text: str, times: int) -> None:
    found = short(text + "x" * times)
    assert found is None or 0 < len(found) <= 512
    assert found is None or ("\x00" not in found and found.encode())


def test_what_no_store_can_hold_is_replaced(tmp_path: Path) -> None:
    change = _one(_connector(tmp_path, FULL), b'{"type":"a.\\u0000b","id":"\\ud800x","v":"1"}')
    assert change.type.startswith("a.\ufffdb~")
    assert (change.object_id or "").startswith("\ufffdx~")
    assert change.payload == b'{"type":"a.\\u0000b","id":"\\ud800x","v":"1"}'


@pytest.mark.parametrize("form", ["epoch_s", "epoch_ms", "iso8601", "%d/%m/%Y %H:%M"])
@pytest.mark.parametrize(
    "at", ["1e999", "9" * 400, "-5", "NaN", "0000-00-00", "99/99/9999 99:99", "x" * 1000, "", "[]", "٣"]
)
def test_a_date_that_is_none_is_left_out(form: str, at: str, tmp_path: Path) -> None:
    connector = _connector(tmp_path, f'type = "x"\ndate = "body:at"\ndate_format = "{form}"\n')
    found = _one(connector, json.dumps({"at": at}).encode()).occurred_at
    assert found is None or (at == "-5" and form.startswith("epoch"))


@pytest.mark.parametrize(
    ("form", "zone", "at", "expected"),
    [
        ("iso8601", "UTC", "2026-01-01T00:00:00.123456", 1767225600123),
        ("iso8601", "Europe/Berlin", "2026-01-01T01:00:00", 1767225600000),
        ("iso8601", "UTC", "2026-01-01T01:00:00+01:00", 1767225600000),
        ("date", "UTC", "2026-01-01", 1767225600000),
        ("epoch_s", "UTC", "1767225600.5", 1767225600500),
        ("epoch_ms", "UTC", "1767225600123", 1767225600123),
        ("%d/%m/%Y %H:%M", "Europe/Berlin", "01/01/2026 01:00", 1767225600000),
    ],
)
def test_a_date_is_read_in_its_form_and_zone(form: str, zone: str, at: str, expected: int, tmp_path: Path) -> None:
    connector = _connector(
        tmp_path, f'type = "x"\ndate = "body:at"\ndate_format = "{form}"\ndate_timezone = "{zone}"\n'
    )
    assert _one(connector, json.dumps({"at": at}).encode()).occurred_at == expected


@pytest.mark.parametrize(
    ("form", "zone", "at"),
    [
        ("iso8601", "UTC", "9999-12-31T23:59:59-23:59"),
        ("iso8601", "UTC", "0001-01-01T00:00:00+23:59"),
        ("iso8601", "Asia/Tokyo", "0001-01-01T00:00:00"),
        ("%d/%m/%Y %H:%M %z", "UTC", "31/12/9999 23:59 -0100"),
        ("epoch_s", "UTC", "253402300799.9999"),
        ("epoch_ms", "UTC", "-62135596800001"),
    ],
)
def test_an_instant_beyond_the_calendar_is_none(form: str, zone: str, at: str) -> None:
    assert date_reader(form, zone)(at) is None


def test_the_calendar_is_read_to_its_ends() -> None:
    assert date_reader("iso8601", "UTC")("9999-12-31T23:59:59.999Z") == 253402300799999
    assert date_reader("iso8601", "UTC")("0001-01-01T00:00:00Z") == -62135596800000
    assert date_reader("epoch_ms", "UTC")("-62135596800000") == -62135596800000


BATCH = """
items = "body:events"
type = "{item:t}"
object_type = "const:thing"
object_id = "item:id"
version = "item:v"
dedupe = "{item:d}:{header:x-delivery}"
payload = "item:data"
"""


def test_each_item_of_a_batch_is_a_change_of_its_own_to_the_byte(tmp_path: Path) -> None:
    body = (
        b'{"events":[ {"t":"a","id":18446744073709551617,"v":1,"d":"1","data":{"n": 1.10, "n": 2.0}},'
        b' {"t":"b","d":"2","data":null} , {"t":"c","data":"\\ud800"}, 7]}'
    )
    changes = _changes(_connector(tmp_path, BATCH), body, {"x-delivery": "x"})
    assert [change.type for change in changes] == ["a", "b", "c", "unknown"]
    assert [change.identity for change in changes] == ["v:thing:18446744073709551617:1", "d:2:x", None, None]
    assert [change.payload for change in changes] == [
        b'{"n": 1.10, "n": 2.0}',
        b'{"t":"b","d":"2","data":null}',
        b'"\\ud800"',
        b"7",
    ]
    assert all(change.payload_exact for change in changes)


@pytest.mark.parametrize(
    ("dedupe", "expected"),
    [
        ("{header:x-delivery}", ["i:0:x", "i:1:x", "i:2:x"]),
        ("{item:d ?? header:x-delivery}", ["d:1", "d:1", "i:2:x"]),
        ("{header:x-delivery}:{item:d}", ["d:x:1", "d:x:1", None]),
        ("{header:x-missing}", [None, None, None]),
    ],
)
def test_items_that_share_the_id_of_their_delivery_stay_apart(
    dedupe: str, expected: list[str | None], tmp_path: Path
) -> None:
    connector = _connector(tmp_path, f'items = "body:events"\ntype = "x"\ndedupe = "{dedupe}"\n')
    changes = _changes(connector, b'{"events":[{"d":1},{"d":1},{}]}', {"x-delivery": "x"})
    assert [change.identity for change in changes] == expected


def test_a_batch_of_one_is_known_by_the_id_of_its_delivery(tmp_path: Path) -> None:
    connector = _connector(tmp_path, 'items = "body:events"\ntype = "x"\ndedupe = "{header:x-delivery}"\n')
    (change,) = _changes(connector, b'{"events":[{}]}', {"x-delivery": "x"})
    assert (change.identity, change.vendor_event_id) == ("d:x", "x")


def test_items_with_a_version_are_known_by_it_alone(tmp_path: Path) -> None:
    connector = _connector(tmp_path, BATCH.replace("{item:d}:", ""))
    body = b'{"events":[{"id":1,"v":1},{"id":2,"v":1}]}'
    changes = _changes(connector, body, {"x-delivery": "x"})
    assert [change.identity for change in changes] == ["v:thing:1:1", "v:thing:2:1"]
    assert {change.vendor_event_id for change in changes} == {"x"}


def test_an_empty_batch_has_no_changes_and_no_batch_is_one(tmp_path: Path) -> None:
    connector = _connector(tmp_path, BATCH)
    assert _changes(connector, b'{"events":[]}') == ()
    assert [change.payload for change in _changes(connector, b'{"validation":"x"}')] == [b'{"validation":"x"}']
    assert [change.payload for change in _changes(connector, b'{"events":{"t":"a"}}')] == [b'{"events":{"t":"a"}}']


def test_a_body_that_is_a_list_may_be_the_batch(tmp_path: Path) -> None:
    connector = _connector(tmp_path, 'items = "body:"\ntype = "{item:t}"\n')
    assert [change.payload for change in _changes(connector, b'[{"t":"a"}, {"t":"b"}]')] == [b'{"t":"a"}', b'{"t":"b"}']


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_deep_part_is_cut_out_too(opening: bytes, closing: bytes, tmp_path: Path) -> None:
    deep = opening * 500 + b"1.0" + closing * 500
    change = _one(_connector(tmp_path, BATCH), b'{"events":[{"t":"a","id":1.50,"data":' + deep + b"}]}")
    assert (change.object_id, change.payload) == ("1.50", deep)


def test_a_batch_is_bounded(tmp_path: Path) -> None:
    connector = _connector(tmp_path, BATCH)
    body = b'{"events":[' + b",".join([b"1"] * 10_001) + b"]}"
    found = normalise(connector, CONFIG, replace(REQUEST, body=body), 1 << 20)
    assert isinstance(found, Malformed)
    assert found.check == "too_large"


def test_a_part_of_the_body_may_be_the_payload(tmp_path: Path) -> None:
    connector = _connector(tmp_path, 'type = "{body:type}"\npayload = "body:data.object ?? body:"\n')
    assert _one(connector, b'{"data":{"object": {"a" : 1.0} }}').payload == b'{"a" : 1.0}'
    assert _one(connector, b'{"data":7}').payload == b'{"data":7}'


def test_a_payload_from_elsewhere_is_made(tmp_path: Path) -> None:
    connector = _connector(tmp_path, 'type = "x"\npayload = "header:x-data"\n')
    change = _one(connector, b"{}", {"x-data": 'a"b'})
    assert (change.payload, change.payload_exact) == (b'"a\\"b"', False)
    odd = _one(connector, b"{}", {"x-data": "\udcff"})
    assert (odd.payload, odd.payload_exact) == ('"\ufffd"'.encode(), False)


def test_a_form_is_read_like_an_object(tmp_path: Path) -> None:
    received = replace(
        REQUEST, headers={"content-type": "application/x-www-form-urlencoded"}, body=b"type=a.created&id=1&v=2"
    )
    found = normalise(_connector(tmp_path, FULL), CONFIG, received, 1 << 20)
    assert isinstance(found, tuple)
    assert (found[0].identity, found[0].payload_exact) == ("v:a:1:2", False)
    assert found[0].payload == b'{"type":"a.created","id":"1","v":"2"}'


def test_generic_paths_come_from_the_configuration_and_an_empty_one_finds_nothing() -> None:
    generic = SHIPPED.get("generic")
    assert generic is not None
    config = ConfigView({"event.type.path": "kind", "object.id.path": "who.0", "event.id.path": ""})
    received = replace(REQUEST, body=b'{"kind":"order.deleted","who":[5]}')
    found = normalise(generic, config, received, 1 << 20)
    assert isinstance(found, tuple)
    assert (found[0].type, found[0].action, found[0].object_type, found[0].object_id) == (
        "order.deleted",
        "DELETED",
        "order",
        "5",
    )
    assert found[0].vendor_event_id is None


def test_a_connector_without_a_webhook_takes_nothing(tmp_path: Path) -> None:
    found = normalise(connector_of(tmp_path, ""), CONFIG, REQUEST, 1 << 20)
    assert isinstance(found, Malformed)
    assert found.check == "not_configured"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(value=JSON, ascii_only=st.booleans())
@pytest.mark.parametrize("key", ["closeio", "generic", "github"])
def test_every_json_text_is_taken_to_the_byte(key: str, value: Any, ascii_only: bool) -> None:
    connector = SHIPPED.get(key)
    assert connector is not None
    text = json.dumps({"event": value, "type": value, "action": value, "issue": {"id": value}}, ensure_ascii=ascii_only)
    (change,) = _changes(connector, text.encode())
    assert change.payload == text.encode()
    assert change.payload_exact


@given(
    body=st.binary(),
    headers=st.dictionaries(st.sampled_from(["content-type", "content-encoding", "x-github-event"]), st.text()),
)
@pytest.mark.parametrize("key", ["closeio", "generic", "github"])
def test_nothing_that_comes_makes_normalising_fail(key: str, body: bytes, headers: dict[str, str]) -> None:
    connector = SHIPPED.get(key)
    assert connector is not None
    found = normalise(connector, CONFIG, replace(REQUEST, body=body, headers=headers), 1000)
    assert isinstance(found, tuple | Malformed)
