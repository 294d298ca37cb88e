"""Certificates that vendors sign with: within their dates, of the right name, and of a chain that is trusted."""

import ssl
from functools import lru_cache
from pathlib import Path

from gateway.catalogue.webhook_model import Verify
from gateway.proofs.asymmetric import Certified, PublicKey, Roots, leads_to_a_root, read_certificate, roots_of
from gateway.proofs.pem import blocks
from gateway.proofs.proof import Rejected

_HOUR_S = 3600


def certified_key(text: bytes, rule: Verify, now_s: float) -> PublicKey | Rejected:
    """The key of a certificate that may be used for this rule at this time."""
    chain = read_chain(text)
    if not chain:
        return _refused("what the vendor's address answers is no certificate")
    leaf = chain[0]
    if not leaf.begins <= now_s <= leaf.ends:
        return _refused("the certificate is not within its dates")
    names = leaf.names & {name.lower() for name in rule.cert_names}
    if rule.cert_names and not names:
        return _refused("the certificate is made out to another name")
    if rule.cert_chain == "system" and not _is_trusted(text, names, int(now_s) // _HOUR_S):
        return _refused("the certificate does not lead to an authority that this machine trusts")
    return leaf.key(rule.algorithm or "") or _refused(f"the certificate holds no {rule.algorithm} key")


@lru_cache(maxsize=256)
def read_chain(text: bytes) -> tuple[Certified, ...]:
    """The certificates of a PEM or DER text, the signing one first; empty where any of them is broken."""
    found = blocks(text.decode("latin-1"))
    ders = [content for label, content in found if label == "CERTIFICATE"] if found else [text]
    read = [read_certificate(der) for der in ders]
    return tuple([one for one in read if one is not None]) if all(read) else ()


@lru_cache(maxsize=256)
def _is_trusted(text: bytes, names: frozenset[str], hour: int) -> bool:
    """Whether the chain leads from one of these names to a root of this machine, in this hour."""
    chain, roots = read_chain(text), _roots()
    # In the first and in the last hour of its life the leaf is judged by its own dates, which were read before.
    at = min(max(float(hour * _HOUR_S), chain[0].begins), chain[0].ends)
    return roots is not None and any(leads_to_a_root(chain, name, at, roots) for name in names)


@lru_cache(maxsize=1)
def _roots() -> Roots | None:
    """The authorities that this machine trusts; None where it knows none."""
    ders = ssl.create_default_context().get_ca_certs(binary_form=True) or _in_folder()
    # An old root may be written in a way that is not read any more: then it is none.
    return roots_of([one for one in map(read_certificate, ders) if one is not None])


def _in_folder() -> list[bytes]:
    """OpenSSL looks into a folder of roots only when it meets a name, so that a context does not list them."""
    folder = ssl.get_default_verify_paths().capath
    texts = [file.read_text("latin-1") for file in sorted(Path(folder).glob("*.[0-9]"))] if folder else []
    return [content for text in texts for label, content in blocks(text) if label.endswith("CERTIFICATE")]


def _refused(why: str) -> Rejected:
    return Rejected("certificate_refused", why)
