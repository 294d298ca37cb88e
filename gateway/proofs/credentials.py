"""Verification by what the vendor simply sends along: a token, or a user name and a password."""

import base64
import hmac

from gateway.catalogue.sources import Sources, octets
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.proof import NO_SECRET, Rejected, Verified

_MISMATCH = Rejected("credentials_mismatch", "the credentials are others")
_MOST = 256


def token(rule: Verify, sources: Sources) -> Verified | Rejected:
    """A fixed value in a header, the query or the body."""
    sent = rule.token.text(sources) if rule.token else None
    if not sent:
        return Rejected("missing_header", "the token is missing")
    if rule.prefix is not None and not sent.startswith(rule.prefix):
        return _MISMATCH
    sent = sent.removeprefix(rule.prefix or rule.prefix_optional or "")
    secrets = [secret for key in rule.secret for secret in sources.config.secrets(key)]
    return _compared(octets(sent), secrets)


def basic(rule: Verify, sources: Sources) -> Verified | Rejected:
    """Basic authentication; the password may contain colons, the user name may not."""
    header = sources.headers.get("authorization")
    if not header:
        return Rejected("missing_header", "header:authorization is missing")
    username = sources.setting(rule.username) if rule.username else None
    passwords = sources.config.secrets(rule.password) if rule.password else ()
    if not username or not passwords:
        return NO_SECRET
    sent = _credentials(header)
    if sent is None:
        return _MISMATCH
    # Both are compared whatever the first comparison says, so that time tells nothing.
    compared = _compared(sent[1], passwords)
    return compared if hmac.compare_digest(sent[0], octets(username)) else _MISMATCH


def _credentials(header: str) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    username, colon, password = decoded.partition(b":")
    return (username, password) if colon else None


def _compared(sent: bytes, secrets: list[str] | tuple[str, ...]) -> Verified | Rejected:
    if not secrets:
        return NO_SECRET
    for index, secret in enumerate(secrets[:_MOST]):
        if hmac.compare_digest(sent, octets(secret)):
            return Verified(index)
    return _MISMATCH
