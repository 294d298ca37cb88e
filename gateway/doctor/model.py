"""What an examination finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]
_WORSE: tuple[Verdict, ...] = ("ok", "warning", "failed")
MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and what it says; `items` are some of those that it is about."""

    check: str
    verdict: Verdict
    detail: str
    items: tuple[str, ...] = ()


def worst(findings: Iterable[Finding]) -> Verdict:
    """What they come to together."""
    return max((one.verdict for one in findings), key=_WORSE.index, default="ok")
