"""From numbers to verdicts."""

from typing import Any

import pytest

from gateway.doctor import judging
from gateway.doctor.model import MOST_ITEMS, Finding, Verdict, worst

NOW = 1_767_323_045_678
GOOD = {
    **{"received": 10, "accepted": 6, "duplicate": 2, "refused": 1, "ignored": 1, "routed": 5, "unrouted": 1},
    **{"created": 7, "delivered": 3, "pending": 2, "dead": 1, "cancelled": 1},
}


def test_a_ledger_that_balances_is_told_in_its_own_words() -> None:
    found = judging.ledger(GOOD, [], [])
    assert found.verdict == "ok"
    assert found.detail == (
        "10 received = 6 accepted + 2 duplicate + 1 refused + 1 ignored; "
        "7 deliveries = 3 delivered + 2 pending + 1 dead + 1 cancelled"
    )


@pytest.mark.parametrize("name", sorted(GOOD))
def test_one_number_that_is_one_off_breaks_an_equation(name: str) -> None:
    found = judging.ledger({**GOOD, name: GOOD[name] + 1}, [], [])
    assert found.verdict == "failed"
    assert f"{GOOD[name] + 1}" in found.detail or "=" in found.detail


def test_two_that_are_off_in_opposite_ways_are_found_one_by_one() -> None:
    found = judging.ledger(GOOD, [{"id": 3, "received": 1, "accepted": 0}], [{"id": 7, "pending": -1}])
    assert (found.verdict, found.items) == ("failed", ("instance 3: received 1", "destination 7: pending -1"))


def test_a_count_that_differs_names_whose_it_is() -> None:
    found = judging.full_count([("events", 3, 5, 4), ("dead", 7, 0, 1), ("events", -1, 5, 4), ("dead", -1, 0, 1)])
    assert found.verdict == "failed"
    assert found.items == (
        "instance 3: the ledger says 5 events, there are 4",
        "destination 7: the ledger says 0 dead, there are 1",
    )
    same = judging.full_count([("events", -1, 5, 5), ("delivered", -1, 4, 4)])
    assert same == Finding(
        "full_count", "ok", "as the ledger says: 5 events, 4 delivered, 0 pending, 0 dead, 0 cancelled"
    )


@pytest.mark.parametrize(
    ("age_ms", "verdict"),
    [(-60_000, "ok"), (0, "ok"), (300_000, "ok"), (300_001, "warning"), (3_600_000, "warning"), (3_600_001, "failed")],
)
def test_what_is_due_for_long_is_a_worker_that_stands_still(age_ms: int, verdict: Verdict) -> None:
    found = judging.overdue([(7, NOW - age_ms), (8, NOW + 5)], NOW)
    assert (found.verdict, len(found.items)) == (verdict, 0 if verdict == "ok" else 1)


@pytest.mark.parametrize(
    ("apart_ms", "verdict"), [(0, "ok"), (-2_000, "ok"), (2_001, "warning"), (-30_000, "warning"), (30_001, "failed")]
)
def test_clocks_that_differ_are_told(apart_ms: int, verdict: Verdict) -> None:
    assert judging.clock(NOW + apart_ms, NOW).verdict == verdict


@pytest.mark.parametrize(("free", "verdict"), [(99, "failed"), (100, "warning"), (399, "warning"), (400, "ok")])
def test_room_that_runs_out_is_told_before_it_has(free: int, verdict: Verdict) -> None:
    assert judging.disk(free, 100).verdict == verdict


def registration(**changes: Any) -> dict[str, Any]:
    return {"instance_id": 3, "state": "active", "reason": None, "expires_at": None, **changes}


@pytest.mark.parametrize(
    ("row", "verdict", "item"),
    [
        (registration(state="failing", reason="status 500"), "warning", "instance 3: failing (status 500)"),
        (registration(expires_at=NOW + 1_000), "warning", "instance 3: active, ends at 2026-01-02T03:04:06.678Z"),
        (registration(expires_at=NOW - 678), "failed", "instance 3: active, ended at 2026-01-02T03:04:05.000Z"),
    ],
)
def test_a_registration_that_has_ended_is_worse_than_one_that_will(
    row: dict[str, Any], verdict: Verdict, item: str
) -> None:
    found = judging.registrations([row], NOW)
    assert (found.verdict, found.items) == (verdict, (item,))


def test_pollers_credentials_jobs_and_destinations_name_what_they_are_about() -> None:
    row = {"instance_id": 3, "name": "list", "state": "failing", "reason": "boom", "kind": "replay", "id": "j"}
    assert judging.pollers([row], (2, NOW)).items == (
        "2 are overdue, the first since 2026-01-02T03:04:05.678Z", "instance 3, list: failing (boom)",
    )  # fmt: skip
    assert judging.logins([row]).items == ("instance 3 (boom)",)
    assert judging.jobs([row]).items == ("replay j: failing (boom)",)
    assert judging.destinations([row]).items == ("destination j of instance 3: boom",)
    assert [judging.pollers([], (0, 0)).verdict, judging.jobs([]).verdict] == ["ok", "ok"]


def test_of_very_many_some_are_named() -> None:
    rows = [{"instance_id": number, "reason": None} for number in range(MOST_ITEMS)]
    found = judging.logins(rows)
    assert (found.verdict, len(found.items)) == ("warning", MOST_ITEMS)
    assert found.detail.startswith(f"{MOST_ITEMS} or more")


def test_all_together_are_as_bad_as_the_worst() -> None:
    every = [Finding("a", "ok", ""), Finding("b", "failed", ""), Finding("c", "warning", "")]
    assert [worst(every), worst(every[::2]), worst(every[:1]), worst([])] == ["failed", "warning", "ok", "ok"]
