"""A signed body is not lost for being odd, and what cannot be used is refused on record."""

import gzip
from typing import Any

import pytest

from tests.journeys.test_receiving import OBJECT, in_chunks, refusals, send, settled
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

ODD = {
    "integers beyond 64 bits": b'{"n":123456789012345678901234567890,"m":-99999999999999999999}',
    "floats": b'{"a":1.10,"b":1e400,"c":-0.0,"d":1E+2,"e":0.1000000000000000055511151231257827}',
    "duplicate keys": b'{"a":1,"a":2,"a":{"b":1,"b":2}}',
    "lone surrogates": b'{"s":"\\ud800 \\udfff","\\udc00":1}',
    "NUL": b'{"s":"a\\u0000b","\\u0000":1}',
    "white space and escapes": b' {\t"a" : "\\u00e9\\/" ,\n"b":[ 1 , 2 ]}\r\n',
    "255 levels": b"[" * 255 + b"]" * 255,
    "256 levels": b'{"a":' * 256 + b"1" + b"}" * 256,
    "512 levels": b"[" * 512 + b"]" * 512,
    "a scalar": b"42",
}


@pytest.mark.parametrize("way", ["plain", "chunked"])
@pytest.mark.parametrize("name", ODD)
async def test_an_odd_signed_body_arrives_to_the_byte(
    sqlite_gateway: Gateway, receiver: Consumer, name: str, way: str
) -> None:
    made = await sqlite_gateway.create("github", receiver.url())
    body = ODD[name]
    headers = signed.github(made["webhookSecret"], body)
    sent: Any = body if way == "plain" else in_chunks(body)
    answered = await sqlite_gateway.call("POST", made["webhookUrl"], data=sent, headers=headers)
    assert answered.status == 200, answered.body
    [arrived] = await receiver.wait(1)
    assert arrived.body.endswith(b'"raw":' + body + b"}}")


async def test_odd_bodies_are_stored_on_each_engine(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    for body in ODD.values():
        assert (await send(gateway, made, body)).status == 200
    arrived = await receiver.wait(len(ODD))
    assert {one.body.split(b'"raw":', 1)[1][:-2] for one in arrived} == set(ODD.values())


async def test_a_byte_order_mark_and_an_empty_body_are_taken(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    assert (await send(gateway, made, b"\xef\xbb\xbf" + OBJECT)).status == 200
    [arrived] = await receiver.wait(1)
    assert arrived.body.endswith(b'"raw":' + OBJECT + b"}}")
    for _ in range(2):
        assert (await send(gateway, made, b"")).status == 200
    arrived_all = await receiver.wait(3)
    assert arrived_all[-1].body.endswith(b'"raw":{}}}')


@pytest.mark.parametrize(
    ("body", "check"),
    [
        (b"[" * 513 + b"]" * 513, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b"{", "not_json"),
        (b"{'a':1}", "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"a":"\xff"}', "not_json"),
    ],
)
async def test_what_is_too_deep_or_no_json_is_400_and_on_record(
    sqlite_gateway: Gateway, body: bytes, check: str
) -> None:
    made = await sqlite_gateway.create("github")
    assert (await send(sqlite_gateway, made, body)).status == 400
    assert await refusals(sqlite_gateway) == [check]
    ledger = await settled(sqlite_gateway)
    assert (ledger["received"], ledger["refused"]) == (1, 1)


async def test_a_gzip_body_is_verified_as_it_came_and_then_unpacked(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    packed = gzip.compress(OBJECT)
    assert (await send(gateway, made, packed, **{"Content-Encoding": "gzip"})).status == 200
    [arrived] = await receiver.wait(1)
    assert arrived.body.endswith(b'"raw":' + OBJECT + b"}}")
    headers = {**signed.github(made["webhookSecret"], packed, delivery="other"), "Content-Encoding": "gzip"}
    chunked = await gateway.call("POST", made["webhookUrl"], data=in_chunks(packed), headers=headers)
    assert chunked.status == 200
    over_the_content = {**signed.github(made["webhookSecret"], OBJECT), "Content-Encoding": "gzip"}
    assert (await gateway.send(made["webhookUrl"], packed, over_the_content)).status == 401


async def test_a_bomb_and_a_broken_stream_are_refused(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    bomb = gzip.compress(b"[" + b" " * (40 << 20) + b"]")
    assert (await send(sqlite_gateway, made, bomb, **{"Content-Encoding": "gzip"})).status == 413
    for body, coding in ((gzip.compress(OBJECT)[:-3], "gzip"), (OBJECT, "gzip"), (OBJECT, "zstd")):
        assert (await send(sqlite_gateway, made, body, **{"Content-Encoding": coding})).status == 400
    assert sorted(await refusals(sqlite_gateway)) == ["bad_encoding"] * 3 + ["too_large"]
