"""The clock of due times."""

import time

import pytest

from gateway.delivery.steady import Steady
from tests.delivery.nodes import shift

HOUR_MS = 3_600_000


def test_it_goes_on_where_the_systems_clock_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Steady()
    before = clock.now()
    shift(monkeypatch, -HOUR_MS)
    assert 0 <= clock.now() - before < 5_000
    time.sleep(0.02)
    assert clock.now() - before >= 20


def test_it_follows_where_the_systems_clock_leaps_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Steady()
    before = clock.now()
    shift(monkeypatch, HOUR_MS)
    assert HOUR_MS <= clock.now() - before < HOUR_MS + 5_000
