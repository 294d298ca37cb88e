"""Recorded deliveries made new: every one that stands beside a connector can be sent again and again."""

import re
import time

import pytest

from gateway.catalogue.change import Change
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.inbound.fresh import another, freshened
from gateway.inbound.normalise import Malformed, normalise
from gateway.proofs.fixtures import Delivery, Unusable, beside, read_fixtures
from gateway.proofs.received import Received
from gateway.proofs.signing import signed

MAX = 8 << 20


def recorded() -> list[tuple[Connector, Delivery]]:
    found = []
    for connector in load_catalogue([]):
        fixtures = read_fixtures(beside(connector)) if connector.webhook is not None else None
        if fixtures is None or isinstance(fixtures, Unusable):
            continue
        found += [(connector, one) for one in fixtures.deliveries if one.told.expect == "accepted" and one.told.changes]
    return found


RECORDED = recorded()


@pytest.mark.parametrize(("connector", "one"), RECORDED, ids=[f"{c.key}: {d.name}" for c, d in RECORDED])
def test_a_recorded_delivery_is_another_each_time_and_says_the_same(connector: Connector, one: Delivery) -> None:
    now = time.time()
    told = [one.received, _made(connector, one, now), _made(connector, one, now + 0.25)]
    first, *others = changes = [_changes(connector, one, received) for received in told]
    for other in others:
        assert [(x.type, x.action, x.object_type) for x in other] == [(x.type, x.action, x.object_type) for x in first]
    if any(x.identity or x.by_body for x in first):
        known = [{x.identity or _told(received) for x in found} for received, found in zip(told, changes, strict=True)]
        assert sum(map(len, known)) == len(set.union(*known))


def _changes(connector: Connector, one: Delivery, received: Received) -> tuple[Change, ...]:
    found = normalise(connector, one.config, received, MAX)
    assert not isinstance(found, Malformed)
    return found


def _told(received: Received) -> tuple[object, ...]:
    """What a change without an identity is known by."""
    return received.query, received.body


def _made(connector: Connector, one: Delivery, now: float) -> Received:
    found = freshened(connector, one.config, one.received, now, MAX)
    assert not isinstance(found, Malformed)
    return found


def test_most_connectors_deliveries_can_be_signed_anew() -> None:
    now = time.time()
    signable = {c.key for c, one in RECORDED if signed(c, one.config, _made(c, one, now), now) is not None}
    assert len(signable) > 40


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (7, r"\d{12}"),
        (1_544_271_441, r"1699[0-9]{6}|1700000000"),
        (1_544_271_441_123, r"1700000000500"),
        ("1544271441", r"1699[0-9]{6}|1700000000"),
        ("1355517523.000005", r"1700000000\.500000"),
        ("2020-01-02T03:04:05.678Z", r"2023-11-14T22:13:20\.500Z"),
        ("2020-01-02 03:04:05+00:00", r"2023-11-14T22:13:20\.500\+00:00"),
        ("72d3162e-cc78-11e3-81ab-4c9367dc0958", r"[0-9a-f-]{36}"),
        ("evt_1Abc", r"evt_test[0-9a-f]{20}"),
        ("", r"test[0-9a-f]{20}"),
    ],
)
def test_a_value_is_replaced_by_one_of_its_kind(value: int | str, kind: str) -> None:
    found = another(value, 1_700_000_000.5, 0)
    assert type(found) is type(value)
    assert re.fullmatch(kind, str(found))
    assert found != value


@pytest.mark.parametrize("value", [None, True, 1.5, {}, []])
def test_what_has_no_kind_stays(value: object) -> None:
    assert another(value, 1_700_000_000.5, 0) is None
