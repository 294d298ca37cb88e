"""Credentials at rest."""

from pathlib import Path

import pytest

from gateway.errors import StartRefused
from gateway.seal import Seal, new_key
from gateway.sealing_key import check_fingerprint, kept_fingerprint
from gateway.storage.database import Database
from gateway.storage.open import open_database


def test_what_was_sealed_opens_and_does_not_show() -> None:
    seal = Seal((new_key(),))
    sealed = seal.close("s3cret", "configuration:1:token")
    assert b"s3cret" not in sealed
    assert seal.open(sealed, "configuration:1:token") == "s3cret"


def test_the_same_value_never_looks_the_same() -> None:
    seal = Seal((new_key(),))
    assert seal.close("x", "place") != seal.close("x", "place")


def test_a_value_moved_to_another_place_does_not_open() -> None:
    seal = Seal((new_key(),))
    with pytest.raises(StartRefused, match="configuration:2:token"):
        seal.open(seal.close("x", "configuration:1:token"), "configuration:2:token")


@pytest.mark.parametrize("place", [0, 4, 16, -1])
def test_a_value_that_was_changed_does_not_open(place: int) -> None:
    seal = Seal((new_key(),))
    sealed = bytearray(seal.close("x", "place"))
    sealed[place] ^= 1
    with pytest.raises(StartRefused):
        seal.open(bytes(sealed), "place")


def test_the_first_key_seals_and_all_of_them_open() -> None:
    old, new = new_key(), new_key()
    sealed = Seal((old,)).close("x", "place")
    both = Seal((new, old))
    assert both.open(sealed, "place") == "x"
    assert both.fingerprint == Seal((new,)).fingerprint
    with pytest.raises(StartRefused, match=r"not in security\.encryption_keys"):
        Seal((new,)).open(sealed, "place")


@pytest.mark.parametrize("key", ["", "short", "ä" * 43, "A" * 40, "A" * 43 + "=AAAA", " " + "A" * 43])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(StartRefused, match="32 bytes in base64url") as problem:
        Seal((key,))
    assert not key or key not in str(problem.value)


async def test_a_database_sealed_with_another_key_is_refused(database: Database) -> None:
    old, new = new_key(), new_key()
    await check_fingerprint(database, Seal((old,)))
    await check_fingerprint(database, Seal((old,)))
    with pytest.raises(StartRefused, match="lacks the key that this database was sealed with"):
        await check_fingerprint(database, Seal((new,)))
    await check_fingerprint(database, Seal((new, old)))
    assert await kept_fingerprint(database, Seal((new,))) == Seal((new,)).fingerprint


async def test_a_database_that_is_new_has_no_key_on_record(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path / 'new.db'}", min_free=0, auto_migrate=True) as database:
        assert await kept_fingerprint(database, Seal((new_key(),))) is None
