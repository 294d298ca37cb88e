"""Proofs of single items, and what a delivery may use only once."""

import base64
import gzip
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.proofs.proof import Verdict, Verified
from gateway.proofs.verify import verify
from tests.proofs.signers import NOW, REQUEST, check, connector, view

KEY = "00ff10"
SIGNED = """
per_item = true
scheme = "hmac"
hash = "sha256"
secret = "config:secret"
secret_encoding = "hex"
signature = "item:note.sig"
encoding = "base64"
signed = "{item:note.id}:{item:note.amount.value}:{item:note.missing}"
"""
STATED = 'per_item = true\nscheme = "token"\ntoken = "item:state"\nsecret = "config:secret"\n'
ITEMS = 'items = "body:items"\n'


def _verdict(folder: Path, rule: str, body: bytes, *secrets: str, webhook: str = ITEMS, **headers: str) -> Verdict:
    request = replace(REQUEST, body=body, headers=headers)
    return verify(connector(folder, rule, webhook=webhook), view(*(secrets or (KEY,))), request, NOW)


def _item(number: int, key: str = KEY, **more: object) -> dict[str, object]:
    content = f"{number}:{number * 10}:".encode()
    signature = base64.b64encode(hmac.digest(bytes.fromhex(key), content, "sha256")).decode()
    return {"note": {"id": number, "amount": {"value": number * 10}, "sig": signature, **more}}


def _body(*items: object) -> bytes:
    return json.dumps({"items": items}).encode()


def test_every_item_must_carry_its_signature(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1), _item(2), _item(3)))) == "verified"
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1), _item(2, sig=""), _item(3)))) == "signature_mismatch"
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1), _item(2, id=3)))) == "signature_mismatch"
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1), {"note": {"id": 1}}))) == "missing_header"
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1), _item(2, "aa")))) == "signature_mismatch"
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1), 7, None))) == "missing_header"


def test_the_oldest_secret_among_the_items_is_told(tmp_path: Path) -> None:
    assert _verdict(tmp_path, SIGNED, _body(_item(1), _item(2, "aa")), KEY, "aa") == Verified(1)
    assert _verdict(tmp_path, SIGNED, _body(_item(1)), KEY, "aa") == Verified(0)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"{}", b"[]", b'{"items":[]}', b'{"items":{}}', b'{"items":"x"}', b'{"items":null}', b"\xff"]
)
def test_without_an_item_nothing_is_proved(body: bytes, tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, SIGNED, body)) == "no_items"
    assert check(_verdict(tmp_path, STATED, body)) == "no_items"


def test_a_file_without_items_proves_none(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, SIGNED, _body(_item(1)), webhook="")) == "no_items"


def test_a_thousand_items_are_proved_and_no_more(tmp_path: Path) -> None:
    items = [_item(number) for number in range(1000)]
    assert check(_verdict(tmp_path, SIGNED, _body(*items))) == "verified"
    assert check(_verdict(tmp_path, SIGNED, _body(*items), "aa", KEY)) == "verified"
    assert check(_verdict(tmp_path, SIGNED, _body(*items, _item(1)))) == "no_items"


def test_of_the_signatures_of_an_item_only_so_many_are_compared(tmp_path: Path) -> None:
    rule = SIGNED + 'split = ","\n'
    good = _item(1)["note"]
    assert isinstance(good, dict)
    many = ",".join(["AAAA"] * 200 + [str(good["sig"])])
    assert check(_verdict(tmp_path, rule, _body(_item(1, sig=many)))) == "verified"
    assert check(_verdict(tmp_path, rule, _body(_item(1, sig=many), _item(2)))) == "signature_mismatch"


def test_a_token_of_every_item_is_compared(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, STATED, _body({"state": KEY}, {"state": KEY}))) == "verified"
    assert check(_verdict(tmp_path, STATED, _body({"state": KEY}, {"state": "x"}))) == "credentials_mismatch"
    assert check(_verdict(tmp_path, STATED, _body({"state": KEY}, {}))) == "missing_header"
    assert check(_verdict(tmp_path, STATED, _body({"state": KEY}, "x"))) == "missing_header"


def test_the_list_that_counts_is_the_one_that_is_read(tmp_path: Path) -> None:
    good, bad = json.dumps([_item(1)]), json.dumps([_item(1, id=9)])
    first = f'{{"items":{good},"items":{bad}}}'.encode()
    assert check(_verdict(tmp_path, SIGNED, first)) == "signature_mismatch"
    last = f'{{"items":{bad},"items":{good}}}'.encode()
    assert check(_verdict(tmp_path, SIGNED, last)) == "verified"


def test_a_packed_body_is_opened_within_bounds(tmp_path: Path) -> None:
    coding = {"content-encoding": "gzip"}
    assert check(_verdict(tmp_path, SIGNED, gzip.compress(_body(_item(1))), **coding)) == "verified"
    bomb = gzip.compress(_body(_item(1)) + b" " * (8 << 20))
    assert check(_verdict(tmp_path, SIGNED, bomb, **coding)) == "no_items"


def test_addresses_are_pinned_for_items_too(tmp_path: Path) -> None:
    rule = SIGNED + 'networks = ["198.51.100.0/24"]\n'
    assert check(_verdict(tmp_path, rule, _body(_item(1)))) == "network_mismatch"


ONCE = """
scheme = "hmac"
hash = "sha256"
secret = "config:secret"
signature = "body:sig"
signed = "{body:time}{body:token}"
replay = "body:token"
"""


def _once(token: object, signed: bytes) -> bytes:
    return json.dumps({"time": "5", "token": token, "sig": hmac.digest(b"s", signed, "sha256").hex()}).encode()


def test_what_may_be_used_once_is_told(tmp_path: Path) -> None:
    assert _verdict(tmp_path, ONCE, _once("abc", b"5abc"), "s") == Verified(0, "abc")
    assert _verdict(tmp_path, ONCE, _once(7, b"57"), "s") == Verified(0, "7")
    nothings: tuple[object, ...] = ("", None, {})
    for nothing in nothings:
        assert check(_verdict(tmp_path, ONCE, _once(nothing, b"5"), "s")) == "missing_header"
    assert check(_verdict(tmp_path, ONCE, _once("abd", b"5abc"), "s")) == "signature_mismatch"


def test_a_long_nonce_is_told_by_its_hash(tmp_path: Path) -> None:
    short, long = "n" * 512, "n" * 513
    assert _verdict(tmp_path, ONCE, _once(short, b"5" + short.encode()), "s") == Verified(0, short)
    verdict = _verdict(tmp_path, ONCE, _once(long, b"5" + long.encode()), "s")
    assert isinstance(verdict, Verified)
    assert verdict.nonce is not None
    assert verdict.nonce.startswith("sha256:")
    assert len(verdict.nonce) == 71


@given(
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["items", "note", "sig"]), inner),
    ).map(lambda value: json.dumps({"items": value}).encode())
)
def test_nothing_that_comes_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    for rule in (SIGNED, STATED, ONCE):
        assert check(_verdict(tmp_path_factory.getbasetemp(), rule, body)) != "verified"
