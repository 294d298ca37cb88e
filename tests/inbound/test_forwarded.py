"""Whose address a request has, behind proxies."""

import pytest

from gateway.inbound.forwarded import source_address

PROXIES = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["\udcff"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, \udcff, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["2001:db8::1%\udcff"], "2001:db8::1"),
        ("10.0.0.1", ["fd00::2%a, fd00::3%b"], "fd00::2"),
    ],
)
def test_only_hops_of_trusted_proxies_count(peer: str, lines: list[str], expected: str) -> None:
    assert source_address(peer, lines, PROXIES) == expected


def test_without_trusted_proxies_the_header_means_nothing() -> None:
    assert source_address("10.0.0.1", ["198.51.100.1"], ()) == "10.0.0.1"
