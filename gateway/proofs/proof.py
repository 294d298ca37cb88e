"""What verification answers, and what it must be told of the vendors' keys."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Verified:
    """The delivery is the vendor's: which of the secrets matched, the newest being 0, and the nonce it may use once."""

    secret_index: int = 0
    nonce: str | None = None
    #: What the vendor itself said when it was asked again; it counts instead of what was sent.
    confirmed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The delivery is refused: the check that failed, and a word for operators that gives nothing away."""

    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a vendor's public key is read: a URL on one of `hosts`, or `method:key id` for a method of the connector.

    Where one answer holds several keys, `key_id` is the one that is asked for: an answer without it may be too old.
    """

    kind: Literal["certificate", "jwks", "method", "object"]
    where: str
    hosts: tuple[str, ...] = ()
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The proof needs a key that is not known yet; ask again when it is."""

    source: KeySource


class Keys(Protocol):
    """Public keys of vendors that were fetched already."""

    def known(self, source: KeySource) -> bytes | None:
        """The text that the source answered; None where it was not asked, or not of late."""
        ...


class NoKeys:
    """Knows none."""

    def known(self, source: KeySource) -> bytes | None:
        """None."""
        del source
        return None


Verdict = Verified | Rejected | Wanted

NO_KEYS: Keys = NoKeys()
NO_SECRET = Rejected("missing_secret", "no secret is configured for verification")
