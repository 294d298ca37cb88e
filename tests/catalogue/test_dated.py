"""The templates by which a poller's URL asks since a date."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.catalogue.dated import dated

AT = 1_533_065_986_123
TEMPLATES = [
    "${date}", "${gmtDate}", "${epoch}", "${epoch:s}", "${epoch:ms}", "${epoch:us}",
    "${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX}", "${date:yyyy-MM-dd'T'HH:mm:ss'Z'}",
    "${dateTimeZone:-6:00:yyyy-MM-dd'T'HH:mm:ssZ}", "${DateTimeZone:GMT:MM/dd/yyy HH:mmz}",
]  # fmt: skip


def written(text: str, at: int = AT) -> str:
    found = dated(text)
    return found.at(found.marked, at)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("${date}", "1533065986123"),
        ("${epoch}", "1533065986123"),
        ("${epoch:ms}", "1533065986123"),
        ("${epoch:s}", "1533065986"),
        ("${epoch:us}", "1533065986123000"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "2018-07-31T19:39:46Z"),
        ("${date:yyyy-MM-dd}", "2018-07-31"),
        ("${dateTimeZone:PST:yyyy-MM-dd'T'HH:mm:ss}", "2018-07-31T12:39:46"),
        ("${DateTimeZone:-6:00:yyyy-MM-dd HH:mm}", "2018-07-31 13:39"),
        ("${dateTimeZone:+6:00:yyyy-MM-dd HH:mm}", "2018-08-01 01:39"),
    ],
)
def test_each_template_of_the_wire_is_written(template: str, text: str) -> None:
    assert written(f"/x?a>'{template}'") == f"/x?a>'{text}'"


def test_quotes_inside_and_around_a_template_do_not_matter() -> None:
    url = "/hubs/crm/contacts?where=a>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}' and b<'${epoch:s}'"
    assert written(url) == "/hubs/crm/contacts?where=a>='2018-07-31T19:39:46Z' and b<'1533065986'"


@example(at=0, template="${epoch:us}")
@given(st.integers(min_value=0, max_value=4_000_000_000_000), st.sampled_from(TEMPLATES))
def test_what_a_template_writes_it_reads_again(at: int, template: str) -> None:
    [moment] = dated(template).moments
    read = moment.read(moment.write(at))
    assert read is not None
    assert at - moment.resolution < read <= at


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/x?a=${date:foo}", "${date:foo}: 'foo' is no date pattern"),
        ("/x?a=${now}", "${now} is no date template; known are"),
        ("/x?a=${epoch:days}", "is no date template"),
        ("/x?a=${dateTimeZone:yyyy}", "expected ${dateTimeZone:zone:pattern}"),
        ("/x?a=${dateTimeZone:Moon:yyyy-MM-dd}", "'Moon' is no time zone"),
        ("/x?a=${date:yyyy", "not closed"),
        ("/x?" + "${date}" * 5, "more than 4 dates"),
        ("/x?a=\ue0000\ue001${date}", "private use"),
    ],
)
def test_a_template_that_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        dated(text)
