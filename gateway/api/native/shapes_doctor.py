"""How an examination looks on the gateway's own wire."""

from collections.abc import Sequence
from typing import Any

from gateway.clock import iso_ms
from gateway.doctor.model import Finding, worst


def examination(findings: Sequence[Finding], at: int, *, full: bool) -> dict[str, Any]:
    """The worst verdict first, then each check."""
    return {
        "verdict": worst(findings),
        "at": iso_ms(at),
        "full": full,
        "checks": [
            {"check": one.check, "verdict": one.verdict, "detail": one.detail, "items": list(one.items)}
            for one in findings
        ],
    }
