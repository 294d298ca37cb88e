"""The body that a consumer gets."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.notification import render
from tests.delivery.parts import event
from tests.delivery.test_nulls import DOCUMENTS, without_nulls

ODD = [
    b'{"big":123456789012345678901234567890,"neg":-18446744073709551617}',
    b'{"f":1.10,"e":1E5,"z":-0.0,"tiny":1e-400}',
    b'{"a":1,"a":2,"b":{"a":1,"a":1}}',
    b'{"s":"\\ud800","t":"\\udc00\\ud800"}',
    b'{"nul":"a\\u0000b"}',
    b'{"slash":"\\/","unicode":"\\u00e9","raw":"\xc3\xa9"}',
    b'  {"space" :  [ 1 ,2 ]\n}\t',
    b"[1,2.0]",
    b'"text"',
    b"7",
    b"true",
    b'{"a":' * 512 + b"1" + b"}" * 512,
]


def test_it_has_the_shape_of_the_open_connectors_wire() -> None:
    one = event(occurred_at=1_533_065_986_000, action="UPDATED", object_type="accounts", object_id="lead_1")
    assert orjson.loads(render(one, "crm")) == {
        "message": {
            "instance_id": one.instance_id,
            "eventId": one.id,
            "elementKey": "github",
            "events": [
                {
                    "objectType": "accounts",
                    "objectId": "lead_1",
                    "date": "2018-07-31T19:39:46Z",
                    "eventType": "UPDATED",
                    "elementKey": "github",
                    "hubKey": "crm",
                }
            ],
            "raw": {"a": 1},
        }
    }


def test_what_was_there_before_the_first_poll_says_so_and_nothing_else_does() -> None:
    earlier = orjson.loads(render(event(source="polling", backfill=True), "crm"))["message"]
    assert earlier["events"][0]["backfill"] is True
    assert earlier["raw"]["events"][0]["backfill"] is True
    assert "backfill" not in orjson.loads(render(event(source="polling"), "crm"))["message"]["events"][0]


def test_the_date_is_the_vendors_and_else_that_of_arrival() -> None:
    dates = [
        orjson.loads(render(event(occurred_at=at), "crm"))["message"]["events"][0]["date"]
        for at in (0, 1_533_065_986_000, None)
    ]
    assert dates == ["1970-01-01T00:00:00Z", "2018-07-31T19:39:46Z", "2026-01-02T03:04:05Z"]


@pytest.mark.parametrize("payload", ODD)
@pytest.mark.parametrize("filter_nulls", [True, False])
def test_the_vendors_text_is_passed_on_to_the_byte(payload: bytes, filter_nulls: bool) -> None:
    body = render(event(payload=payload, filter_nulls=filter_nulls), "crm")
    assert body.endswith(b',"raw":' + payload + b"}}")
    assert json.loads(body)["message"]["raw"] == json.loads(payload)


def test_nulls_go_only_where_the_event_says_so() -> None:
    payload = b'{"a":null,"b":1.10}'
    assert render(event(payload=payload, filter_nulls=True), "crm").endswith(b'"raw":{"b":1.10}}}')
    assert render(event(payload=payload, filter_nulls=False), "crm").endswith(b'"raw":{"a":null,"b":1.10}}}')


@given(DOCUMENTS, st.booleans())
def test_whatever_the_document_the_body_is_json_that_holds_it(document: Any, filter_nulls: bool) -> None:
    one = event(payload=json.dumps(document).encode(), filter_nulls=filter_nulls)
    raw = json.loads(render(one, "crm"))["message"]["raw"]
    assert raw == (without_nulls(document) if filter_nulls else document)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_of_the_vendor_breaks_out_of_its_place(object_id: str, object_type: str) -> None:
    message = json.loads(render(event(object_id=object_id, object_type=object_type), "crm"))["message"]
    assert (message["events"][0]["objectId"], message["events"][0]["objectType"]) == (object_id, object_type)
    assert message["raw"] == {"a": 1}


def test_the_same_event_gives_the_same_bytes_each_time() -> None:
    one = event(payload=b'{"a":null,"b":[1.10,null]}')
    assert len({render(one, "crm") for _ in range(3)}) == 1


@pytest.mark.parametrize("source", ["polling", "reconcile"])
def test_a_polled_record_stands_in_a_list_of_one_under_its_objects_name(source: str) -> None:
    one = event(
        source=source, object_type="accounts", object_id="lead_1", occurred_at=1_533_065_986_000, payload=b'{"id":1.0}'
    )
    change = {
        "objectType": "accounts",
        "objectId": "lead_1",
        "date": "2018-07-31T19:39:46Z",
        "eventType": "CREATED",
        "elementKey": "github",
        "hubKey": "crm",
        "pollDate": "2026-01-02T03:04:05Z",
    }
    about = {"instance_id": one.instance_id, "eventId": one.id, "events": [change]}
    body = render(one, "crm")
    assert body.endswith(b',"accounts":[{"id":1.0}]}}}')
    assert orjson.loads(body) == {
        "message": {
            **about,
            "elementKey": "github",
            "raw": {**about, "objectType": "accounts", "accounts": [{"id": 1.0}]},
        }
    }


@pytest.mark.parametrize("name", ["events", "objectType", "eventId", "instance_id", 'a"b', "ä", None])
def test_an_object_may_be_called_as_it_likes(name: str | None) -> None:
    pairs = json.loads(render(event(source="polling", object_type=name), "crm"), object_pairs_hook=lambda pairs: pairs)
    raw = dict(dict(pairs)["message"])["raw"]
    names = [key for key, _ in raw]
    assert names.count(name or "objects") == 1
    assert names[-1] == (name or "objects")
    assert raw[-1][1] == [[("a", 1)]]


def test_the_nulls_of_a_polled_record_go_where_the_event_says_so() -> None:
    body = render(event(source="polling", payload=b'{"a":null,"b":1}', object_id=None), "crm")
    assert body.endswith(b'"issues":[{"b":1}]}}}')
    assert orjson.loads(body)["message"]["events"][0]["objectId"] is None
