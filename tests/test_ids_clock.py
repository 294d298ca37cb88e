"""Identifiers, times, durations and sizes."""

import re
import uuid
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import clock, ids
from gateway.units import Duration, Size, size_bytes


def test_an_id_is_a_uuid_of_version_7_that_knows_its_time() -> None:
    before = clock.now_ms()
    found = uuid.UUID(ids.time_ordered())
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert before <= found.int >> 80 <= clock.now_ms()


def test_ids_are_many_and_sort_by_their_moment() -> None:
    made = [ids.time_ordered() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert [one[:12] for one in made] == sorted(one[:12] for one in made)


@given(st.integers(0, 2**47), st.integers(1, 10**6))
def test_a_moment_s_first_id_parts_what_is_older_from_what_is_not(at: int, later: int) -> None:
    assert ids.first_at(at) < ids.first_at(at + later)
    assert ids.first_at(at)[:12] == f"{at:012x}"


def test_tokens_cannot_be_guessed_and_keep_to_their_letters() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", ids.token())
    assert re.fullmatch(r"[0-9a-f]{32}", ids.hex_token())
    assert len(b64decode(ids.base64_token(), validate=True)) == 32
    assert len(b64decode(ids.signing_secret().removeprefix("whsec_"), validate=True)) == 32
    assert len({ids.token() for _ in range(100)}) == 100


def test_a_digest_takes_any_text() -> None:
    assert ids.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert re.fullmatch(r"[0-9a-f]{64}", ids.digest("\ud800"))


@pytest.mark.parametrize(
    ("at", "text"), [(0, "1970-01-01T00:00:00.000Z"), (1_767_323_045_678, "2026-01-02T03:04:05.678Z")]
)
def test_times_are_written_in_utc(at: int, text: str) -> None:
    assert clock.iso_ms(at) == text
    assert clock.iso(at) == text[:19] + "Z"


@pytest.mark.parametrize(
    ("text", "ms"), [("500ms", 500), ("15s", 15_000), ("1.5h", 5_400_000), ("30d", 2_592_000_000), (" 0s ", 0)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert Duration(text).ms == ms
    assert Duration(text).seconds == ms / 1000


@pytest.mark.parametrize("text", ["", "15", "15 s", "s", "-1s", "1e3s", "15S", "1w", "٣s", "9999999999s"])
def test_what_is_no_duration_is_told_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write a number and a unit"):
        clock.duration_ms(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("512", 512), ("64KiB", 65_536), ("2 GiB", 2 << 30), ("1B", 1)])
def test_a_size_is_a_number_and_a_unit(text: str, number: int) -> None:
    assert Size(text).bytes == number


@pytest.mark.parametrize("text", ["", "MiB", "1MB", "1.5MiB", "-1", "1 mib", "٣KiB"])
def test_what_is_no_size_is_told_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no size; write a number and a unit"):
        size_bytes(text)
