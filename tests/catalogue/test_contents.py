"""The named contents, against what vendors publish and what must never pass for something else."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue import contexts
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import compile_template


def _rendered(text: str, raw: bytes) -> bytes:
    return compile_template(text, contexts.PROOF).render(Sources(raw=raw))


def test_every_word_that_may_stand_in_a_signature_is_filled_in() -> None:
    body = dict.fromkeys(("Message", "MessageId", "Timestamp", "TopicArn"), "x") | {"Type": "Notification"}
    sources = Sources(raw=json.dumps(body).encode(), method="POST", url="https://g.example/?x", words={"secret": "s"})
    for word in contexts.PROOF.words:
        assert compile_template(f"{{{word}}}", contexts.PROOF).render(sources), word


def test_form_fields_are_sorted_and_none_counts_twice() -> None:
    raw = b"To=%2B18005551212&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&CallSid=CA1234567890ABCDE"
    expected = b"CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212"
    assert _rendered("{form_sorted}", raw) == expected
    assert _rendered("{form_sorted}", b"b=2&a=2&a=1&a=2&c=") == b"a1a2b2c"
    assert _rendered("{form_sorted}", b"a=%ff") == b"a\xff"
    assert _rendered("{form_sorted}", b"") == b""


@pytest.mark.parametrize("raw", [b"&", b"=", b"&&=&", b"a&" * 10_001])
def test_a_body_without_readable_fields_never_passes_for_an_empty_one(raw: bytes) -> None:
    assert _rendered("{form_sorted}", raw) == raw


def test_a_checksum_is_decimal() -> None:
    assert _rendered("{crc32}", b"123456789") == b"3421780262"
    assert _rendered("a|{crc32}|b", b"") == b"a|0|b"


NOTICE = {
    "Type": "Notification",
    "MessageId": "m-1",
    "TopicArn": "arn:x",
    "Subject": "S",
    "Message": "two\nlines",
    "Timestamp": "2024-01-01T00:00:00.000Z",
    "Signature": "…",
}
CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "m-1",
    "Token": "t",
    "TopicArn": "arn:x",
    "Message": "M",
    "SubscribeURL": "https://x",
    "Timestamp": "2024-01-01T00:00:00.000Z",
}


def _listed(told: object) -> bytes:
    return _rendered("{sns_fields}", json.dumps(told).encode())


def test_the_members_of_a_notification_are_listed_in_their_order() -> None:
    time = "Timestamp\n2024-01-01T00:00:00.000Z\n"
    subject = "Subject\nS\n"
    text = f"Message\ntwo\nlines\nMessageId\nm-1\n{subject}{time}TopicArn\narn:x\nType\nNotification\n"
    assert _listed(NOTICE).decode() == text
    without = {name: value for name, value in NOTICE.items() if name != "Subject"}
    assert _listed(without).decode() == text.replace(subject, "")
    assert _listed(CONFIRMATION).decode() == (
        f"Message\nM\nMessageId\nm-1\nSubscribeURL\nhttps://x\n{time}Token\nt\nTopicArn\narn:x\n"
        "Type\nSubscriptionConfirmation\n"
    )


@pytest.mark.parametrize("name", ["MessageId", "TopicArn", "Message", "Timestamp", "Type"])
@pytest.mark.parametrize("value", [None, 1, [], "a\nb"])
def test_a_member_that_is_missing_or_odd_makes_it_nothing(name: str, value: object) -> None:
    if (name, value) != ("Message", "a\nb"):
        assert _listed({**NOTICE, name: value}) == b""


@pytest.mark.parametrize("told", [None, [], "x", {}, {"Type": "Other"}, {"Type": []}, {"Type": {}}])
def test_what_is_no_notification_is_nothing(told: object) -> None:
    assert _listed(told) == b""


@given(st.binary(max_size=200))
def test_any_body_has_contents(raw: bytes) -> None:
    assert _rendered("{crc32}", raw) == str(zlib.crc32(raw)).encode()
    assert bool(_rendered("{form_sorted}", raw)) == bool(raw)
    assert isinstance(_rendered("{sns_fields}", raw), bytes)
