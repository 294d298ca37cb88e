"""Dates as vendors write them."""

import pytest

from gateway.catalogue.dates import date_reader

AT = 1774000000000


@pytest.mark.parametrize(
    "text",
    ["2026-03-20T09:46:40Z", "2026-03-20 09:46:40 UTC", "2026-03-20T09:46:40+00:00", " 2026-03-20T09:46:40 UTC "],
)
def test_a_date_that_names_its_zone_needs_no_other(text: str) -> None:
    assert date_reader("iso8601", "Europe/Berlin")(text) == AT


def test_a_date_without_a_zone_is_in_the_declared_one() -> None:
    assert date_reader("iso8601", "Europe/Berlin")("2026-03-20 10:46:40") == AT
