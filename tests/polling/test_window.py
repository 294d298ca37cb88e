"""From when a poll asks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.dates import date_reader
from gateway.polling.model import Cursor, Gap
from gateway.polling.window import gap, rendered, window
from tests.polling.parts import DAY, MINUTE, NOW, SECOND, plan

HOUR = 60 * MINUTE


def test_it_asks_from_the_watermark_less_the_overlap_whatever_the_clock_says() -> None:
    cursor = Cursor(started=True, watermark="x", watermark_ms=NOW - DAY)
    for now in (NOW, NOW + 40 * DAY, NOW - 40 * DAY):
        assert window(plan(), cursor, now).at == NOW - DAY - MINUTE


def test_nothing_older_than_the_first_poll_is_asked_for() -> None:
    cursor = Cursor(started=True, watermark="x", watermark_ms=NOW, floor_ms=NOW - SECOND)
    assert window(plan(), cursor, NOW).at == NOW - SECOND


def test_the_first_poll_asks_for_the_overlap_or_for_everything_or_from_a_date() -> None:
    assert window(plan(), Cursor(), NOW).at == NOW - MINUTE - 5 * SECOND
    assert window(plan(start="beginning"), Cursor(), NOW).text == "1970-01-01T00:00:00Z"
    assert window(plan(start_at=NOW - DAY), Cursor(), NOW).at == NOW - DAY


def test_an_ascending_read_that_was_cut_short_goes_on_from_its_last_record() -> None:
    cursor = Cursor(started=True, watermark="x", watermark_ms=NOW, resume="", pending_ms=NOW - 40 * SECOND)
    assert window(plan(order="asc"), cursor, NOW).at == NOW - 40 * SECOND
    assert window(plan(order="desc"), cursor, NOW).at == NOW - MINUTE


def test_nothing_is_asked_for_that_the_source_has_forgotten() -> None:
    cursor = Cursor(started=True, watermark="x", watermark_ms=NOW - 40 * DAY)
    assert window(plan(retention=30 * DAY), cursor, NOW).at == NOW - 30 * DAY


def test_a_gap_is_told_once_the_source_has_forgotten_what_was_not_read() -> None:
    kept = plan(retention=30 * DAY)
    long_ago = Cursor(started=True, watermark="x", watermark_ms=NOW - 40 * DAY, last_complete=NOW - 35 * DAY)
    found = gap(kept, long_ago, NOW)
    assert isinstance(found, Gap)
    assert (found.since, found.until) == (NOW - 35 * DAY, NOW - 30 * DAY)
    assert gap(plan(), long_ago, NOW) is None


def test_a_source_that_is_quiet_for_longer_than_it_keeps_changes_has_no_gap() -> None:
    quiet = Cursor(started=True, watermark="x", watermark_ms=NOW - 40 * DAY, last_complete=NOW - MINUTE)
    assert gap(plan(retention=30 * DAY), quiet, NOW) is None


def test_a_format_may_stand_in_the_configuration() -> None:
    cursor = Cursor(started=True, watermark="x", watermark_ms=NOW)
    asked = plan(from_format="@form", overlap=0)
    assert window(asked, cursor, NOW, {"form": "epoch_s"}.get).text == str(NOW // 1000)
    assert window(asked, cursor, NOW, {"form": "nonsense"}.get).text == "2026-05-28T12:00:00Z"
    assert window(asked, cursor, NOW).text == "2026-05-28T12:00:00Z"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso8601", "2026-05-28T12:00:00Z"),
        ("epoch_s", "1779969600"),
        ("epoch_ms", "1779969600987"),
        ("date", "2026-05-28"),
        ("%Y/%m/%d %H:%M:%S.%f %z", "2026/05/28 12:00:00.987000 +0000"),
    ],
)
def test_a_time_is_written_as_the_vendor_reads_it(form: str, text: str) -> None:
    assert rendered(form, NOW + 987) == text


@given(
    st.integers(0, 253_402_300_799_999), st.sampled_from(["iso8601", "epoch_s", "epoch_ms", "date", "%Y-%m-%d %H:%M"])
)
def test_what_is_written_is_never_later_than_what_is_meant(at: int, form: str) -> None:
    text = rendered(form, at)
    read = date_reader(form, "UTC")(text)
    if form.startswith("%") and datetime.fromtimestamp(at / 1000, UTC).year < 1000:
        return  # such years are written without their zeros
    assert read is not None
    assert at - DAY < read <= at
