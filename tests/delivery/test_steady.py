"""The clock of due times."""

import time
from types import SimpleNamespace

import pytest

from gateway.delivery.steady import Steady

HOUR_MS = 3_600_000


def shift(monkeypatch: pytest.MonkeyPatch, by_ms: int) -> None:
    """Set the system's clock, as far as the gateway can see."""
    moved = SimpleNamespace(time_ns=lambda: time.time_ns() + by_ms * 1_000_000)
    monkeypatch.setattr("gateway.clock.time", moved)


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
