"""One line of the table: what was measured, against what, and whether it reaches what was promised."""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Line:
    """A ratio (or a size) with its bound; `rounds` are the single rounds that the value is the median of."""

    name: str
    against: str
    value: float
    reach: float
    at_least: bool
    unit: str = "×"
    detail: str = ""
    rounds: tuple[float, ...] = ()

    @property
    def reached(self) -> bool:
        return self.value >= self.reach if self.at_least else self.value <= self.reach

    def row(self) -> str:
        sign = "≥" if self.at_least else "≤"
        mark = "yes" if self.reached else "**no**"
        bound = f"{sign} {self.reach:g} {self.unit}".strip()
        return f"| {self.name} | {self.against} | {self.value:.2f} {self.unit} | {bound} | {mark} | {self.detail} |"

    def json(self) -> dict[str, Any]:
        return {**self.__dict__, "reached": self.reached}


def ratio(name: str, against: str, rounds: list[float], reach: float, *, at_least: bool, detail: str = "") -> Line:
    """A line whose value is the median of its rounds."""
    return Line(
        name=name, against=against, value=median(rounds), reach=reach, at_least=at_least, detail=detail,
        rounds=tuple(round(one, 3) for one in rounds),
    )  # fmt: skip


HEAD = "| line | against | measured | reach | reached | figures |\n|---|---|---|---|---|---|"
