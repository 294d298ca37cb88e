"""Whether a delivery comes from the vendor: raw bytes against the instance's secrets, before anything is read."""

import hashlib
import ipaddress

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources, octets
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.items import each_proved
from gateway.proofs.proof import NO_KEYS, Keys, Rejected, Verdict, Verified, Wanted
from gateway.proofs.received import Received, sources_of
from gateway.proofs.schemes import SCHEMES
from gateway.proofs.signed import UNKNOWN

__all__ = ["Rejected", "Verified", "Wanted", "verify"]

_LONGEST_NONCE = 512


def verify(connector: Connector, config: ConfigView, received: Received, now_s: float, keys: Keys = NO_KEYS) -> Verdict:
    """Passes when one of the declared proofs that apply to this instance passes; everything else is refused.

    A key of the vendor that `keys` does not know is wanted, unless another proof passed without it.
    """
    rejected: Rejected | None = None
    wanted: Wanted | None = None
    sources = sources_of(connector, config, received)
    for rule in connector.webhook.verify if connector.webhook else ():
        if rule.conditions and not _applies(rule, sources):
            continue
        if rule.networks and not _from_network(rule.networks, received.remote):
            outcome: Verdict = Rejected("network_mismatch", f"{received.remote} is none of the vendor's addresses")
        elif rule.per_item:
            outcome = each_proved(rule, connector, config, received, now_s)
        else:
            outcome = _proved(rule, sources, now_s, keys)
        if isinstance(outcome, Verified):
            return outcome
        if isinstance(outcome, Wanted):
            wanted = wanted or outcome
        elif rejected is None or rejected.check == "missing_header":
            rejected = outcome
    return wanted or rejected or Rejected("not_configured", "no verification applies to this configuration")


def _applies(rule: Verify, sources: Sources) -> bool:
    return all(sources.setting(one.key) in one.values for one in rule.conditions)


def _proved(rule: Verify, sources: Sources, now_s: float, keys: Keys) -> Verdict:
    scheme = SCHEMES.get(rule.scheme)
    if scheme is None:
        return UNKNOWN
    outcome = scheme(rule, sources, now_s, keys)
    return outcome if rule.replay is None or not isinstance(outcome, Verified) else _once(rule.replay, sources, outcome)


def _once(replay: Locator, sources: Sources, outcome: Verified) -> Verified | Rejected:
    """What passed, with the text that it may not pass with again."""
    nonce = replay.text(sources)
    if not nonce:
        return Rejected("missing_header", "what a delivery may use only once is missing")
    if len(nonce) > _LONGEST_NONCE:
        nonce = "sha256:" + hashlib.sha256(octets(nonce)).hexdigest()
    return Verified(outcome.secret_index, nonce)


def _from_network(networks: tuple[str, ...], remote: str) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(network) for network in networks)
