"""Lists of addresses and networks."""

import pytest

from gateway.accounts.networks import is_listed, network_of


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        (" 192.0.2.0/24 ", "192.0.2.0/24"),
        ("192.0.2.77/24", "192.0.2.0/24"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_an_address_or_a_network_has_one_spelling(given: str, written: str) -> None:
    assert network_of(given) == written


@pytest.mark.parametrize(
    "given", ["", "x", "192.0.2.1/33", "192.0.2.256", "fe80::1%eth0", "1" * 100, "192.0.2.1-5", "1"]
)
def test_what_is_neither_is_none(given: str) -> None:
    assert network_of(given) is None


def test_an_address_is_on_a_list_in_any_spelling_and_on_no_other() -> None:
    networks = ("192.0.2.0/24", "2001:db8::/32")
    for address in ("192.0.2.9", "::ffff:192.0.2.9", "2001:db8::5", "2001:DB8:0:0::5%1"):
        assert is_listed(address, networks)
    for address in ("192.0.3.1", "2001:db9::1", "", "unknown", "192.0.2", "::ffff:192.0.3.1"):
        assert not is_listed(address, networks)
    assert not is_listed("127.0.0.1", ())
