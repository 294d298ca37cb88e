"""Where a request came from, when it came through proxies that the operator trusts."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


def source_address(peer: str, forwarded_for: Sequence[str], proxies: tuple[str, ...]) -> str:
    """The nearest address that is no trusted proxy; hops before any other hop could be made up."""
    if not proxies or not forwarded_for:
        return peer
    hops = [_bare(hop.strip()) for line in forwarded_for for hop in line.split(",")]
    address, found = peer, _parsed(peer)
    while hops and found is not None and _trusted(found, proxies):
        hop = hops.pop()
        found = _parsed(hop)
        if found is not None:
            address = hop.partition("%")[0]  # a zone means nothing here, and can be any text
    return address


def _bare(hop: str) -> str:
    """The address of a hop; some proxies write its port behind it."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None


def _trusted(found: IPv4Address | IPv6Address, proxies: tuple[str, ...]) -> bool:
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in _networks(proxies))


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies)
