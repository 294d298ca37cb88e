"""How moments, spans, sizes and numbers read."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.shown import Shown, number, percent, size, span

AT = 1_795_331_910_123


def test_a_moment_reads_in_the_zone_and_says_the_exact_utc() -> None:
    shown = Shown(ZoneInfo("Europe/Berlin")).moment(AT)
    assert shown == (
        '<time datetime="2026-11-22T07:18:30.123Z" title="2026-11-22 07:18:30.123 UTC">22 Nov 2026, 08:18:30</time>'
    )
    assert Shown(UTC).moment(None) == "–"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (9_940, "9.9 s"),
        (12_000, "12 s"),
        (90_000, "2 min"),
        (7_200_000, "2 h"),
    ],
)
def test_a_span_has_the_unit_that_fits(ms: int, text: str) -> None:
    assert span(ms) == text


@pytest.mark.parametrize(("octets", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (5_242_880, "5.2 MB")])
def test_a_size_has_the_unit_that_fits(octets: int, text: str) -> None:
    assert size(octets) == text


def test_numbers_are_parted_by_thousands() -> None:
    assert number(1_234_567) == "1\u2009234\u2009567"
    assert number(0.5) == "0.50"


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_loss_is_never_rounded_away(lost: int, more: int) -> None:
    whole = lost + more
    shown = percent((whole - lost) / whole)
    assert (shown == "100\u2009%") == (lost == 0)


def test_the_last_moment_that_can_be_asked_for_is_shown_in_every_zone() -> None:
    for zone in (UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))):
        assert "9999" in Shown(zone).moment(253_402_300_799_999)
