"""Whether a delivery comes from the vendor: raw bytes against the instance's secrets, before anything is read."""

import ipaddress

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.catalogue.webhook_model import Verify
from gateway.inbound.proof import Rejected, Verified
from gateway.inbound.received import Received, sources_of
from gateway.inbound.schemes import SCHEMES

__all__ = ["Rejected", "Verified", "verify"]


def verify(connector: Connector, config: ConfigView, received: Received, now_s: float) -> Verified | Rejected:
    """Passes when one of the declared proofs that apply to this instance passes; everything else is refused."""
    rejected: Rejected | None = None
    sources = sources_of(connector, config, received)
    for rule in connector.webhook.verify if connector.webhook else ():
        if not _applies(rule, sources):
            continue
        outcome = _proved(rule, sources, received, now_s)
        if isinstance(outcome, Verified):
            return outcome
        if rejected is None or rejected.check == "missing_header":
            rejected = outcome
    return rejected or Rejected("not_configured", "no verification applies to this configuration")


def _applies(rule: Verify, sources: Sources) -> bool:
    return not rule.conditions or all(sources.setting(one.key) in one.values for one in rule.conditions)


def _proved(rule: Verify, sources: Sources, received: Received, now_s: float) -> Verified | Rejected:
    scheme = SCHEMES.get(rule.scheme)
    if scheme is None or rule.per_item or rule.replay is not None:
        return Rejected("unknown_scheme", f"{rule.scheme} with these options is not known to this gateway")
    if rule.networks and not _from_network(rule.networks, received.remote):
        return Rejected("network_mismatch", f"{received.remote} is none of the vendor's addresses")
    return scheme(rule, sources, now_s)


def _from_network(networks: tuple[str, ...], remote: str) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(network) for network in networks)
