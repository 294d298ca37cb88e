"""The one SSRF rule: what may be called, judged on the URL and again on each address about to be dialled."""

from collections.abc import Sequence
from ipaddress import ip_network

from gateway.egress import target
from gateway.egress.addresses import Address, Network, is_public, parsed, unwrapped
from gateway.egress.model import Fault
from gateway.egress.target import Target

_HINT = "is not public (set egress.allow_networks to permit it)"
_LOOPBACK = ("127.0.0.1", "::1")


class Guard:
    """Knows which URLs and addresses may be called; holds no state and asks no network."""

    def __init__(self, *, allow_http: bool, allow_networks: Sequence[str]) -> None:
        self._allow_http = allow_http
        self._allowed = tuple(_network(cidr) for cidr in allow_networks)

    def refuses_url(self, url: str) -> str | None:
        """Why this URL may never be called, whatever its name resolves to; None when it may."""
        judged = self.admit(url)
        return judged.detail if isinstance(judged, Fault) else None

    def refuses_address(self, address: str) -> str | None:
        """Why this address may not be dialled; None when it may."""
        ip = parsed(address)
        if ip is None:
            return f"{address[:60]!r} is not an address that can be dialled"
        return None if self._admits(ip) else f"the address {address} {_HINT}"

    def admit(self, url: str) -> Target | Fault:
        """The target of a URL, or the fault that forbids it."""
        where = target.parse(url)
        if isinstance(where, str):
            return Fault("invalid_url", where)
        if where.scheme == "http" and not self._allow_http:
            return Fault("invalid_url", "the scheme is http and not https (set egress.allow_http to permit it)")
        if where.literal is not None and not self._admits(where.literal):
            return Fault("forbidden_address", f"the address {where.host} {_HINT}")
        if _is_localhost(where.host) and not self.loopback_of(where.host):
            return Fault("forbidden_address", f"{where.host} is this machine and {_HINT}")
        return where

    def explicitly_allows(self, address: str) -> bool:
        """Whether this address lies in a network that the operator has named."""
        ip = parsed(address)
        return ip is not None and any(unwrapped(ip) in network for network in self._allowed)

    def refuses_answer(self, host: str, addresses: Sequence[str]) -> Fault | None:
        """The fault of a whole DNS answer: one forbidden address spoils it, and so does having none."""
        for address in addresses:
            refusal = self.refuses_address(address)
            if refusal is not None:
                of_host = f"the address {address} of {host} {_HINT}" if address != host else refusal
                return Fault("forbidden_address", of_host)
        return None if addresses else Fault("dns", f"{host} has no address")

    def loopback_of(self, host: str) -> Sequence[str]:
        """What a localhost name stands for, as far as it is permitted; nothing for other names."""
        # Looked up, it would have a loopback address of each family, and permitting one would never be enough.
        return [address for address in _LOOPBACK if _is_localhost(host) and self.refuses_address(address) is None]

    def _admits(self, address: Address) -> bool:
        ip = unwrapped(address)
        return any(ip in network for network in self._allowed) or is_public(ip)


def _network(cidr: str) -> Network:
    try:
        return ip_network(cidr)
    except ValueError as error:
        raise ValueError(f"{cidr!r} is not a network such as 10.0.0.0/8: {error}") from None


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")
