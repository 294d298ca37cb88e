"""Whose events are swept when."""

import pytest

from gateway.accounts.model import AccountId, Retention
from gateway.events.spans import ANEW_MS, Kept, Place, Places, Span, spans, worth

DAY = 86_400_000
USUAL = Kept(events_ms=30 * DAY, payloads_ms=7 * DAY)
ACME = AccountId("acme")


def told(kept: Kept, **own: Retention) -> list[tuple[str, str | None, int]]:
    found = spans(kept, {AccountId(name): one for name, one in own.items()})
    return [(span.what, span.account_id, span.kept_ms // DAY) for span in found]


def test_contents_that_stay_as_long_as_their_events_have_no_sweep_of_their_own() -> None:
    assert told(Kept(events_ms=30 * DAY, payloads_ms=30 * DAY)) == [("events", None, 30)]
    assert told(Kept(events_ms=30 * DAY, payloads_ms=90 * DAY)) == [("events", None, 30)]
    assert told(USUAL) == [("events", None, 30), ("payloads", None, 7)]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Retention(), [("events", "acme", 30), ("payloads", "acme", 7)]),
        (Retention(events_ms=90 * DAY), [("events", "acme", 90), ("payloads", "acme", 7)]),
        (Retention(events_ms=3 * DAY), [("events", "acme", 3)]),
        (Retention(payloads_ms=DAY), [("events", "acme", 30), ("payloads", "acme", 1)]),
        (Retention(payloads_ms=99 * DAY), [("events", "acme", 30)]),
    ],
)
def test_an_account_says_what_it_says_and_the_rest_is_the_configurations(
    own: Retention, expected: list[tuple[str, str, int]]
) -> None:
    assert told(USUAL, acme=own)[2:] == expected


def test_who_has_a_say_is_excepted_from_the_general_sweep() -> None:
    general = spans(USUAL, {ACME: Retention(events_ms=DAY)})[0]
    assert not worth(general, {"pending": False, "account_id": "acme", "emptied_at": None})
    assert worth(general, {"pending": False, "account_id": "other", "emptied_at": None})


def test_what_is_on_its_way_stays_and_what_is_empty_is_not_emptied_again() -> None:
    events, payloads = spans(USUAL, {})
    row = {"pending": False, "account_id": "a", "emptied_at": None}
    assert [worth(span, row) for span in (events, payloads)] == [True, True]
    assert [worth(span, row | {"pending": True}) for span in (events, payloads)] == [False, False]
    assert [worth(span, row | {"emptied_at": 5}) for span in (events, payloads)] == [True, False]


def test_a_round_goes_on_until_a_day_is_over_the_clock_is_set_back_or_the_settings_change() -> None:
    span = Span(what="events", account_id=None, kept_ms=DAY)
    places: Places = {("events", None): Place("abc", span, 1_000)}
    assert span.place(places, 1_000 + ANEW_MS - 1).after == "abc"
    assert span.place(places, 1_000 + ANEW_MS) == Place("", span, 1_000 + ANEW_MS)
    assert span.place(places, 999).after == ""
    for other in (
        Span(what="events", account_id=None, kept_ms=2 * DAY),
        Span(what="events", account_id=None, kept_ms=DAY, excepted=frozenset({"acme"})),
        Span(what="events", account_id=ACME, kept_ms=DAY),
    ):
        assert other.place(places, 1_001).after == ""
