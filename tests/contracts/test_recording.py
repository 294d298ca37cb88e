"""Whatever a shipped connector accepts can be recorded: the fixture passes, and the vendor's secrets are not in it."""

import json
from pathlib import Path

import pytest

from gateway.catalogue.load import SHIPPED, load_file
from gateway.catalogue.model import Connector
from gateway.contracts.disguise import SHORTEST, Disguise, Unrecordable
from gateway.contracts.judging import judged
from gateway.contracts.recording import needed, recorded, write
from gateway.proofs.fixtures import Delivery, Unusable, beside, read_fixtures

MEANING = ("type", "action", "object_type", "object_id")
NEVER = ("shared secret", "fewer than", "it is not verified")


def taken() -> list[tuple[Connector, Delivery]]:
    """Every delivery and every handshake that a shipped connector takes."""
    found = []
    for file in sorted(SHIPPED.glob("*.toml")):
        connector = load_file(file)
        fixtures = read_fixtures(beside(connector))
        if connector.webhook is not None and not isinstance(fixtures, Unusable):
            found += [(connector, one) for one in fixtures.deliveries if one.told.expect != "rejected"]
    return found


def secrets_of(connector: Connector, one: Delivery) -> set[str]:
    """What stands in entries that are secret."""
    keys = [entry.key for entry in connector.entries.values() if entry.secret]
    found = {secret for key in keys for secret in one.config.secrets(key)} | set((one.told.saves or {}).values())
    return {secret for secret in found if len(secret) >= SHORTEST}


def name(one: object) -> str:
    return one.key if isinstance(one, Connector) else getattr(one, "name", str(one))


@pytest.mark.parametrize(("connector", "one"), taken(), ids=name)
def test_what_a_shipped_connector_takes_can_be_recorded(connector: Connector, one: Delivery, tmp_path: Path) -> None:
    made = recorded(connector, one.config.values, one.received, one.told.now, one.keys, Disguise(), "again")
    if isinstance(made, Unrecordable):
        assert any(reason in made.reason for reason in NEVER), made.reason
        return
    file = tmp_path / f"{connector.key}.json"
    write(file, connector.key, [made])
    text = file.read_text()
    assert [secret for secret in secrets_of(connector, one) if secret in text] == []
    fixtures = read_fixtures(file)
    assert not isinstance(fixtures, Unusable), fixtures.problems
    [again] = fixtures.deliveries
    if "changes" in made or "handshake" in made:
        assert judged(connector, again) == []
        for found, told in zip(made.get("changes", []), one.told.changes or (), strict=False):
            same = [key for key in MEANING if key in told]
            assert [found[key] for key in same] == [told[key] for key in same]


def test_deliveries_are_added_and_none_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "tests" / "shop.json"
    write(file, "shop", [{"name": "a"}, {"name": "a"}])
    write(file, "shop", [{"name": "a"}, {"name": "é"}])
    content = json.loads(file.read_text("utf-8"))
    assert content["connector"] == "shop"
    assert [one["name"] for one in content["deliveries"]] == ["a", "a (2)", "a (3)", "é"]
    assert "é" in file.read_text("utf-8")
    assert [one.name for one in file.parent.iterdir()] == ["shop.json"]


def test_what_is_needed_is_the_secret_of_the_first_proof_that_applies() -> None:
    generic = load_file(SHIPPED / "generic.toml")
    assert needed(generic, {}) == ["webhook.secret"]
    assert needed(generic, {"webhook.secret": "a"}) == []
    assert needed(generic, {"webhook.verify": "basic"}) == ["webhook.username", "webhook.password"]
    assert needed(generic, {"webhook.verify": "none"}) == []


@pytest.mark.parametrize("encoding", ["text", "hex", "base64"])
def test_a_made_up_secret_has_the_form_of_the_real_one_and_stays_the_same(encoding: str) -> None:
    disguise = Disguise()
    real = "whsec_" + "00ff" * 8
    made = disguise.of(real, encoding, "whsec_")
    assert made.startswith("whsec_")
    assert made != real
    assert disguise.of(real, encoding, "whsec_") == made
    assert disguise.text(f"a{real}b") == f"a{made}b"
    assert disguise.gives_away(real)
    assert not disguise.gives_away(made)
