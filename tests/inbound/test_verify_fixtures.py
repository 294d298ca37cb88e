"""Every shipped connector answers the deliveries beside its file, and nothing that differs from them passes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.load import SHIPPED, load_catalogue, load_file
from gateway.catalogue.model import Connector
from gateway.inbound.handshake import handshake
from gateway.inbound.normalise import normalise
from gateway.inbound.received import Received
from gateway.inbound.verify import Rejected, Verified, verify


@dataclass(frozen=True)
class Delivery:
    connector: Connector
    config: ConfigView
    received: Received
    now: int
    told: dict[str, Any]


def _deliveries() -> Iterator[Delivery]:
    for file in sorted((SHIPPED / "tests").glob("*.json")):
        connector = load_file(SHIPPED / f"{file.stem}.toml")
        for told in json.loads(file.read_text())["deliveries"]:
            request = dict(told["request"], body=told["request"]["body"].encode(), remote="192.0.2.1")
            yield Delivery(connector, ConfigView(told["config"]), Received(**request), told["now"], told)


ALL = list(_deliveries())
ACCEPTED = [one for one in ALL if one.told["expect"] == "accepted"]


def _name(one: Delivery) -> str:
    return f"{one.connector.key}: {one.told['name']}"


def _verdict(one: Delivery, **changes: Any) -> Verified | Rejected:
    return verify(one.connector, one.config, replace(one.received, **changes), one.now)


def _proving(one: Delivery) -> list[str]:
    """The headers that the proof of this delivery stands in."""
    known = ("signature", "authorization", "x-token", "close-sig", "webhook-id", "webhook-timestamp")
    return [name for name in one.received.headers if any(word in name for word in known)]


def _timestamp(one: Delivery) -> int | None:
    return next((int(value) for name, value in one.received.headers.items() if "timestamp" in name), None)


def _is_signed(one: Delivery) -> bool:
    return one.connector.key != "generic" or one.told["config"].get("webhook.verify", "standard") in (
        "standard",
        "hmac",
    )


@pytest.mark.parametrize("one", ALL, ids=_name)
def test_a_delivery_is_judged_as_its_fixture_says(one: Delivery) -> None:
    verdict = _verdict(one)
    if one.told["expect"] == "accepted":
        assert isinstance(verdict, Verified), verdict
    else:
        assert isinstance(verdict, Rejected)
        assert verdict.check == one.told["check"]


@pytest.mark.parametrize("one", [d for d in ACCEPTED if "changes" in d.told], ids=_name)
def test_an_accepted_delivery_becomes_the_changes_of_its_fixture(one: Delivery) -> None:
    changes = normalise(one.connector, one.config, one.received, 1 << 20)
    assert isinstance(changes, tuple)
    found = [
        {key: getattr(change, key) for key in told} for change, told in zip(changes, one.told["changes"], strict=True)
    ]
    assert found == one.told["changes"]


@pytest.mark.parametrize("one", [d for d in ACCEPTED if "handshake" in d.told], ids=_name)
def test_a_handshake_is_answered_only_once_it_is_verified(one: Delivery) -> None:
    assert handshake(one.connector, one.config, one.received, verified=False) is None
    reply = handshake(one.connector, one.config, one.received, verified=True)
    assert reply is not None
    assert {"status": reply.status, "body": reply.body.decode()} == one.told["handshake"]


@pytest.mark.parametrize("one", [d for d in ACCEPTED if _is_signed(d)], ids=_name)
def test_any_flipped_byte_of_the_body_is_rejected(one: Delivery) -> None:
    body = one.received.body
    for at in range(len(body)):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert isinstance(_verdict(one, body=flipped), Rejected)
    assert isinstance(_verdict(one, body=body + b" "), Rejected)


@pytest.mark.parametrize("one", [d for d in ACCEPTED if d.told["config"].get("webhook.verify") != "none"], ids=_name)
def test_without_any_one_header_of_its_proof_it_is_rejected(one: Delivery) -> None:
    assert _proving(one)
    for name in _proving(one):
        lacking = {key: value for key, value in one.received.headers.items() if key != name}
        assert isinstance(_verdict(one, headers=lacking), Rejected)
        assert isinstance(_verdict(one, headers={**one.received.headers, name: ""}), Rejected)


@pytest.mark.parametrize("one", [d for d in ACCEPTED if d.told["config"].get("webhook.verify") != "none"], ids=_name)
@pytest.mark.parametrize("secret", ["", "another", "00", "[]", '[""]'])
def test_under_an_empty_or_another_secret_it_is_rejected(one: Delivery, secret: str) -> None:
    kept = {"webhook.verify", "webhook.username", "webhook.signature.header", "webhook.signature.encoding"}
    values = {key: value if key in kept else secret for key, value in one.told["config"].items()}
    assert isinstance(verify(one.connector, ConfigView(values), one.received, one.now), Rejected)
    nothing = {key: value for key, value in one.told["config"].items() if key in kept}
    assert verify(one.connector, ConfigView(nothing), one.received, one.now) == Rejected(
        "missing_secret", "no secret is configured for verification"
    )


@pytest.mark.parametrize("one", [d for d in ACCEPTED if _timestamp(d) is not None], ids=_name)
@pytest.mark.parametrize(("apart", "passes"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_a_time_outside_the_tolerance_is_rejected_either_way(one: Delivery, apart: int, passes: bool) -> None:
    verdict = verify(one.connector, one.config, one.received, (_timestamp(one) or 0) + apart)
    assert isinstance(verdict, Verified) is passes
    assert passes or (isinstance(verdict, Rejected) and verdict.check == "timestamp_stale")


@pytest.mark.parametrize("one", [d for d in ACCEPTED if d.connector.key in ("github", "closeio")], ids=_name)
def test_hexadecimal_digits_may_be_capitals(one: Delivery) -> None:
    name = next(name for name in one.received.headers if name in ("x-hub-signature-256", "close-sig-hash"))
    prefix, equals, digits = one.received.headers[name].rpartition("=")
    assert isinstance(_verdict(one, headers={**one.received.headers, name: prefix + equals + digits.upper()}), Verified)


def test_every_shipped_connector_comes_with_accepted_and_rejected_deliveries() -> None:
    for connector in load_catalogue([]):
        told = [one.told["expect"] for one in ALL if one.connector.key == connector.key]
        assert {"accepted", "rejected"} <= set(told), connector.key


def test_every_fixture_says_where_its_vector_comes_from() -> None:
    assert all(one.told["origin"] for one in ALL)
    assert {one.connector.key for one in ALL if one.told["origin"].startswith("public")} == {
        "closeio",
        "generic",
        "github",
    }


def test_fixtures_stand_beside_the_connectors() -> None:
    assert {file.stem for file in Path(SHIPPED / "tests").iterdir()} == {file.stem for file in SHIPPED.glob("*.toml")}
