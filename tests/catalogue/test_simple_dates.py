"""Dates by the patterns of Java's SimpleDateFormat, in both directions."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.simple_dates import simple_date
from gateway.catalogue.zones import zone_of

AT = 1_533_065_986_123  # 2018-07-31T19:39:46.123Z, a Tuesday
INSTANTS = st.integers(min_value=0, max_value=4_000_000_000_000)
PATTERNS = [
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "yyyy-MM-dd'T'HH:mm:ssZ",
    "yyyy-MM-dd'T'HH:mm:ssX",
    "yyyy-MM-dd HH:mm",
    "yyyy-MM-dd",
    "yyyyMMddHHmmssSSS",
    "MM/dd/yyy HH:mmz",
    "EEE, dd MMM yyyy HH:mm:ss z",
    "EEEE d MMMM yyyy h:mm:ss a Z",
    "d.M.yyyy kk:mm:ss",
    "yyyy DDD HH 'o''clock'",
    "yyyy-MM-dd K:mm a",
]
FIXED = ["", "GMT", "UTC", "+6:00", "-6:00", "GMT+5", "UTC-03:30", "+1800"]
NAMED = ["EST", "MST", "PST", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]


@given(INSTANTS, st.sampled_from(PATTERNS), st.sampled_from(FIXED))
def test_what_is_written_is_read_again_at_the_patterns_resolution(at: int, pattern: str, zone: str) -> None:
    form = simple_date(pattern, zone)
    offset = zone_of(zone).utcoffset(datetime(2000, 1, 1, tzinfo=UTC))
    assert offset is not None
    shift = round(offset.total_seconds() * 1000) if form.resolution > 1000 else 0
    read = form.read(form.write(at))
    assert read is not None
    assert read == (at + shift) // form.resolution * form.resolution - shift


@given(INSTANTS, st.sampled_from(PATTERNS), st.sampled_from(FIXED + NAMED))
def test_what_is_written_is_never_later_nor_earlier_than_the_form_admits(at: int, pattern: str, zone: str) -> None:
    form = simple_date(pattern, zone)
    read = form.read(form.write(at))
    assert read is not None
    assert at - form.resolution - form.slack < read <= at + form.slack


@given(INSTANTS, st.sampled_from(["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd HH:mm:ss.SSS Z"]), st.sampled_from(NAMED))
def test_an_offset_in_the_text_makes_every_zone_exact(at: int, pattern: str, zone: str) -> None:
    form = simple_date(pattern, zone)
    assert (form.slack, form.read(form.write(at))) == (0, at)


@pytest.mark.parametrize(
    ("pattern", "zone", "text"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "GMT", "2018-07-31T19:39:46.123000Z"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "+6:00", "2018-08-01T01:39:46+06:00"),
        ("yyyy-MM-dd'T'HH:mm:ssXX", "-3:30", "2018-07-31T16:09:46-0330"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "Europe/Berlin", "2018-07-31T21:39:46+02"),
        ("MM/dd/yyy HH:mmz", "GMT", "07/31/2018 19:39GMT"),
        ("MM/dd/yyy HH:mmz", "MST", "07/31/2018 12:39MST"),
        ("HH:mm z dd.MM.yy", "Asia/Kolkata", "01:09 GMT+05:30 01.08.18"),
        ("EEE, d MMM yyyy hh:mm:ss a Z", "PST", "Tue, 31 Jul 2018 12:39:46 PM -0700"),
        ("yyyy-MM-dd'T''Z'", "", "2018-07-31T'Z"),
        ("yyyy.D u", "", "2018.212 2"),
        ("yyyy-MM-dd HH:mm:ss.S", "", "2018-07-31 19:39:46.1"),
    ],
)
def test_it_is_written_as_java_writes_it(pattern: str, zone: str, text: str) -> None:
    assert simple_date(pattern, zone).write(AT) == text


def test_digits_behind_the_seconds_are_a_fraction_and_no_number_of_milliseconds() -> None:
    form = simple_date("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX")
    assert form.read("2018-07-31T19:39:46.000123+00:00") == 1_533_065_986_000
    assert form.read("2018-07-31T19:39:46.5+02:00") == 1_533_058_786_500


@pytest.mark.parametrize(
    "text",
    [
        "2018-07-31T19:39:46Z",
        "2018-07-31T19:39:46",
        "2018-07-31T21:39:46+02:00",
        "2018-07-31T19:39:46.000000+00:00",
        " 2018-07-31T19:39:46+0000 ",
    ],
)
def test_a_vendor_that_writes_a_little_more_or_less_than_its_pattern_is_understood(text: str) -> None:
    for pattern in ("yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssZ", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"):
        assert simple_date(pattern).read(text) == 1_533_065_986_000


def test_a_date_without_an_offset_is_read_in_its_zone() -> None:
    assert simple_date("yyyy-MM-dd HH:mm", "EST").read("2018-07-31 14:39") == 1_533_065_940_000
    assert simple_date("yyyy-MM-dd HH:mm", "+6:00").read("2018-08-01 01:39") == 1_533_065_940_000


@pytest.mark.parametrize(
    "text", ["", "soon", "2018-13-01 00:00", "2018-02-30 00:00", "2018-07-31 25:00", "9" * 65, "2018-07-31 10:00 XYZ",
             "0000-01-01 00:00", "１８-07-31 10:00"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert simple_date("yyyy-MM-dd HH:mm").read(text) is None


@given(st.text(max_size=80), st.sampled_from(PATTERNS))
def test_no_text_is_more_than_a_date_or_none(text: str, pattern: str) -> None:
    found = simple_date(pattern).read(text)
    assert found is None or isinstance(found, int)


@pytest.mark.parametrize(
    ("pattern", "zone", "said"),
    [
        ("YYYY-MM-dd", "", "'YYYY' cannot be read"),
        ("yyyy-MM-ddTHH:mm", "", "'T' cannot be read"),
        ("yyyy-MM-dd'T", "", "the quote at character 11 is not closed"),
        ("HH:mm", "", "it needs year (yyyy), month (MM) and day (dd)"),
        ("yyyy-MM-dd hh:mm", "", "write HH, or add a"),
        ("yyyy-MM-dd HH:ss", "", "s stands there without minutes"),
        ("yyyy-MM-ddXXXX", "", "'XXXX' cannot be read"),
        ("y" * 101, "", "longer than 100"),
        ("", "", "it needs year"),
        ("yyyy-MM-dd", "Mars/Olympus", "'Mars/Olympus' is no time zone"),
        ("yyyy-MM-dd", "../../etc/passwd", "is no time zone"),
        ("yyyy-MM-dd", "+99:00", "is no time zone"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(pattern: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        simple_date(pattern, zone)


@given(st.text(max_size=30), st.text(max_size=20))
def test_no_pattern_and_no_zone_are_worse_than_refused(pattern: str, zone: str) -> None:
    try:
        form = simple_date(pattern, zone)
    except ValueError:
        return
    form.read(form.write(AT))


@pytest.mark.parametrize("at", [-(10**15), 10**15, -62_135_596_800_000, 253_402_300_799_999])
def test_a_time_beyond_the_calendar_is_its_end(at: int) -> None:
    assert len(simple_date("yyyy-MM-dd", "+18:00").write(at)) == 10
