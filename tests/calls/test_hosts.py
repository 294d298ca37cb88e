"""Which hosts a connector's calls may go to."""

from pathlib import Path

import pytest

from gateway.calls import hosts
from gateway.calls.model import Access
from tests.calls.shop import SHOP, access_to


def stray(access: Access, url: str) -> str | None:
    return hosts.leaves(access.connector, access.config, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.shop.example/x",
        "https://API.shop.example:443/",
        "https://files.shop.example/x?y",
        "https://api.shop.example.",
    ],
)
def test_the_declared_hosts_may_be_called(shop: Access, url: str) -> None:
    assert stray(shop, url) is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://evil.example/", "evil.example"),
        ("http://api.shop.example/", "http://api.shop.example"),
        ("https://api.shop.example:444/", "api.shop.example:444"),
        ("https://x@api.shop.example/", "user name"),
        ("https://api.shop.example.evil.example/", "api.shop.example.evil.example"),
        ("https://api.shop.example%2f.evil.example/", "no valid name"),
        ("/x", "not absolute"),
        ("", "not absolute"),
        ("https://\ud800/", "control characters"),
    ],
)
def test_everything_else_is_named(shop: Access, url: str, told: str) -> None:
    assert told in str(stray(shop, url))


def test_an_instance_may_be_pointed_elsewhere_and_stays_there(tmp_path: Path) -> None:
    access = access_to(tmp_path, config={"base.url": "http://127.0.0.1:8080/api/"})
    assert hosts.base_url(access.connector, access.config) == "http://127.0.0.1:8080/api"
    assert stray(access, "http://127.0.0.1:8080/other") is None
    assert stray(access, "http://127.0.0.1:8081/api") == "http://127.0.0.1:8081"
    assert stray(access, "https://api.shop.example/v1") is None


@pytest.mark.parametrize(
    "value", ["evil.example/", "a.evil.example", "x@evil.example", "a/../..", "a?b", "a#b", "a:80", ""]
)
def test_a_value_in_the_address_cannot_change_whose_host_it_is(tmp_path: Path, value: str) -> None:
    text = SHOP.replace("https://api.shop.example/v1", "https://{config:user}.shop.example/v1")
    access = access_to(tmp_path, text, config={"user": value})
    url = hosts.base_url(access.connector, access.config) + "/x"
    assert stray(access, url) is not None or url.split("/")[2].endswith(".shop.example")


@pytest.mark.parametrize(
    ("host", "declared"),
    [("acme.shop.example", True), ("files.shop.example", True), ("a.b.shop.example", False), ("evil.example", False)],
)
def test_a_file_declares_the_hosts_that_its_address_can_have(tmp_path: Path, host: str, declared: bool) -> None:
    text = SHOP.replace("https://api.shop.example/v1", "https://{config:user}.shop.example/v1")
    assert hosts.declares(access_to(tmp_path, text).connector, host) is declared


def test_a_file_that_leaves_the_address_to_the_instance_declares_any(tmp_path: Path) -> None:
    text = SHOP.replace("https://api.shop.example/v1", "{config:user}")
    assert hosts.declares(access_to(tmp_path, text).connector, "any.example")
