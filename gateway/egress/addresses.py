"""Which internet addresses are public, and which addresses a host is when it is not a name."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# `is_global` knows most of these, but not the same ones in every Python version.
_CLOSED_V4 = tuple(
    IPv4Network(cidr)
    for cidr in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # looks public, and is the host of every Azure machine
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Outside of it: ::1, IPv4-compatible, SIIT, NAT64, fc00::/7, fe80::/10, ff00::/8, 100::/64, 5f00::/16 and
# whatever nobody has been given yet.
_UNICAST_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(cidr)
    for cidr in (
        "2001::/23",  # Teredo, ORCHID, benchmarking and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped one, else the address itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether an unwrapped address is a public unicast one that embeds no other address."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    if address not in _UNICAST_V6 or int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return False
    return not any(address in network for network in _CLOSED_V6)


def parsed(text: str) -> Address | None:
    """The address a resolver or a peer spelled out; None when it is none, or has a zone."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def ends_in_number(host: str) -> bool:
    """Whether a host can only be an IPv4 address, since no name ends in a number."""
    return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def spelled(host: str) -> IPv4Address | None:
    """The IPv4 address in any spelling that `inet_aton` takes: decimal, octal, hexadecimal, short."""
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        *front, last = [_number(part) for part in parts]
    except ValueError:
        return None
    if any(value > 255 for value in front) or last >= 256 ** (4 - len(front)):
        return None
    return IPv4Address(last + sum(value << 8 * (3 - place) for place, value in enumerate(front)))


def _number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)
