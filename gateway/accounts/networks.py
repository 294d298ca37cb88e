"""Lists of addresses and networks, and whether an address is on one; pure."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_LONGEST = 64
_MAPPED = IPv6Network("::ffff:0:0/96")


def network_of(text: str) -> str | None:
    """The one way to write an address or a network; None where the text is neither.

    A network whose address has host bits stands for the network; IPv4 in IPv6 clothes is IPv4.
    """
    if len(text) > _LONGEST or "%" in text:
        return None
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return str(_plain(found))


def is_listed(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is in one of these networks; what is no address is in none."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in _network(one) for one in networks)


def _plain(found: Network) -> Network:
    if isinstance(found, IPv6Network) and found.prefixlen >= 96 and found.subnet_of(_MAPPED):
        inner = found.network_address.ipv4_mapped
        assert inner is not None
        return IPv4Network((inner, found.prefixlen - 96))
    return found


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    return ip_network(text)
