"""What verification answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verified:
    """The delivery is the vendor's; which of the secrets matched, the newest being 0."""

    secret_index: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """The delivery is refused: the check that failed, and a word for operators that gives nothing away."""

    check: str
    detail: str


NO_SECRET = Rejected("missing_secret", "no secret is configured for verification")
