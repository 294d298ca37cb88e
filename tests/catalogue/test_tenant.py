"""How a file says whose a delivery is."""

from pathlib import Path

import pytest

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.webhook_model import Tenant
from tests.catalogue.connector_file import WEBHOOK, connector_of, problems_of

SHOP = '[[config]]\nkey = "shop"\nname = "Shop"\n'
EQUALS = 'account = "header:x-shop"\naccount_equals = '


def text(declared: str) -> str:
    return SHOP + WEBHOOK.replace("[[webhook.verify", declared + "\n[[webhook.verify")


def tenant(declared: str, folder: Path) -> Tenant:
    webhook = connector_of(folder, text(declared)).webhook
    assert webhook is not None
    assert webhook.tenant is not None
    return webhook.tenant


def test_an_account_between_fixed_texts_leads_to_its_entry_and_back(tmp_path: Path) -> None:
    found = tenant(EQUALS + '"shop-{config:shop}.example"', tmp_path)
    assert found.entry == "shop"
    assert found.of(ConfigView({"shop": "acme"})) == "shop-acme.example"
    assert found.value("shop-acme.example") == "acme"
    for other in ("shop-.example", "acme", "shop-acme.exampl", "hop-acme.example", "", "shop-.exampl", "shop-example"):
        assert found.value(other) is None


def test_an_account_that_is_an_entry_as_it_is(tmp_path: Path) -> None:
    found = tenant('scope = "connector"\naccount = "body:a"\naccount_config = "shop"', tmp_path)
    assert (found.value("x"), found.value(""), found.of(ConfigView({"shop": "x"}))) == ("x", None, "x")
    assert found.of(ConfigView({})) is None
    assert found.of(ConfigView({"shop": ""})) is None


def test_a_file_without_an_account_has_no_tenant(tmp_path: Path) -> None:
    webhook = connector_of(tmp_path, WEBHOOK).webhook
    assert webhook is not None
    assert webhook.tenant is None


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (EQUALS + '"{config:shop}{config:shop}"', "exactly one {config:<entry>}"),
        (EQUALS + '"shop.example"', "exactly one {config:<entry>}"),
        (EQUALS + '"{body:shop}"', "exactly one {config:<entry>}"),
        (EQUALS + '"{config:shop ?? body:shop}"', "exactly one {config:<entry>}"),
        (EQUALS + '"{config:@shop}"', "exactly one {config:<entry>}"),
        (EQUALS + '"{config:secret}"', "the secret 'secret'"),
        ('account = "body:a"', "either account_config or account_equals"),
        (EQUALS + '"{config:shop}"\naccount_config = "shop"', "either account_config or account_equals"),
        ('account_config = "shop"', "webhook.account: is missing"),
        ('scope = "connector"\naccount = "body:a"', "either account_config or account_equals"),
        ('scope = "connector"\naccount_config = "shop"', "webhook.account: is missing"),
    ],
)
def test_what_leads_to_no_single_entry_is_refused(declared: str, problem: str, tmp_path: Path) -> None:
    assert problem in problems_of(tmp_path, text(declared))


@pytest.mark.parametrize(("declared", "methods"), [("", {"POST"}), ('methods = ["GET"]', {"GET", "HEAD"})])
def test_who_takes_a_get_takes_a_head(declared: str, methods: set[str], tmp_path: Path) -> None:
    webhook = connector_of(tmp_path, text(declared)).webhook
    assert webhook is not None
    assert webhook.methods == methods
