"""Values that are large, odd or impossible: kept exactly, or refused alone."""

import asyncio

import pytest

from gateway.errors import Conflict
from gateway.storage.database import Database, Effect, Statement, Value, Write
from tests.storage.things import PUT, count, keys, put

_PUT_TEXT = "INSERT INTO things (id, text) VALUES ($1, $2)"
_PUT_BYTES = "INSERT INTO things (id, bytes) VALUES ($1, $2)"


def _write(sql: str, *args: Value) -> Write[None]:
    return Write([Statement(sql, args)], lambda _: Effect(None))


@pytest.mark.parametrize("size", [0, 1, 65_536, 32 << 20])
async def test_bytes_come_back_as_they_were(store: Database, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"\x00" * (size % 256)
    await store.write(_write(_PUT_BYTES, "k", content))
    row = await store.one("SELECT bytes FROM things")
    assert row is not None
    assert bytes(row["bytes"]) == content


@pytest.mark.parametrize("text", ["", "ä", "𝄞", "'; DROP TABLE things; --", "$1 ?1 %s", "x" * 1_000_000])
async def test_text_comes_back_as_it_was(store: Database, text: str) -> None:
    await store.write(_write(_PUT_TEXT, "k", text))
    row = await store.one("SELECT text FROM things WHERE text = $1", text)
    assert row is not None
    assert row["text"] == text


async def test_the_largest_integers_fit(store: Database) -> None:
    for number in (2**63 - 1, -(2**63)):
        await store.write(put(str(number), number))
        row = await store.one("SELECT number FROM things WHERE id = $1", str(number))
        assert row is not None
        assert row["number"] == number


@pytest.mark.parametrize(("sql", "value"), [(_PUT_TEXT, "\ud800"), (PUT, 2**63)])
async def test_a_value_that_cannot_be_stored_is_a_conflict_of_its_write_alone(
    store: Database, sql: str, value: Value
) -> None:
    writes = [_write(PUT, "a", 1), _write(sql, "bad", value), _write(PUT, "b", 1)]
    outcomes = await asyncio.gather(*(store.write(write) for write in writes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), Conflict, type(None)]
    assert await keys(store) == ["a", "b"]


async def test_text_with_a_nul_is_kept_whole_or_is_a_conflict_of_its_write_alone(store: Database) -> None:
    odd = store.write(_write(_PUT_TEXT, "nul", "a\x00b"))
    await asyncio.gather(store.write(put("a")), odd, store.write(put("b")), return_exceptions=True)
    row = await store.one("SELECT text FROM things WHERE id = 'nul'")
    assert (row["text"] if row else None) == ("a\x00b" if store.engine == "sqlite" else None)
    assert await count(store) == (3 if row else 2)


async def test_a_key_too_long_for_an_index_hurts_no_other_write(store: Database) -> None:
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(20_000))
    await asyncio.gather(store.write(put("a")), store.write(put(noise)), store.write(put("b")), return_exceptions=True)
    assert (await keys(store))[:2] == ["a", "b"]
    assert await count(store) == (3 if store.engine == "sqlite" else 2)
