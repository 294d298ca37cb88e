"""`./dev bench`: measure, print the table, keep it in docs/performance.md and docs/performance.json."""

import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import uvloop

from bench import calls, catalogue, console, history, lanes, partners, polling, road, single
from bench.line import HEAD, Line

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
PARTS = (
    "road",
    "delivery",
    "lanes",
    "claims",
    "nulls",
    "catalogue",
    "polling",
    "calls",
    "partners",
    "history",
    "console",
    "memory",
)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Only these parts; default: all.")
@click.option("--rounds", default=5, show_default=True, help="Alternating rounds of each comparison.")
@click.option("--number", default=6000, show_default=True, help="Requests of a round.")
@click.option("--pending", default=1_000_000, show_default=True, help="Rows of the backlog lines.")
@click.option("--keep/--no-keep", default=True, help="Keep the table in docs/ (only when all parts ran).")
def main(only: tuple[str, ...], rounds: int, number: int, pending: int, keep: bool) -> None:
    """Measure the gateway against plain programs in the same run; ratios, medians of alternating rounds."""
    parts = only or PARTS
    lines = uvloop.run(_measure(parts, rounds, number, pending))
    table = "\n".join([HEAD, *(line.row() for line in lines)])
    print(table)
    content: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "lines": [line.json() for line in lines],
    }
    if keep and not only:
        _keep(table, content)
    else:
        print(json.dumps(content, ensure_ascii=False))


async def _measure(parts: tuple[str, ...], rounds: int, number: int, pending: int) -> list[Line]:
    lines: list[Line] = []
    few = max(1, rounds // 2)
    if "road" in parts:
        lines += await road.lines(number, rounds, _tell)
    if "delivery" in parts:
        lines += await single.delivery(number, max(3, few), _tell)
    if "lanes" in parts:
        lines += await lanes.lines(20, max(1, few), _tell)
    if "claims" in parts:
        lines += await single.claims(pending, few, _tell)
    if "nulls" in parts:
        lines += await single.nulls(_tell)
    if "catalogue" in parts:
        lines += await catalogue.lines(rounds, _tell)
    if "calls" in parts:
        lines += await calls.lines(number, rounds, _tell)
    if "polling" in parts:
        lines += await polling.lines(max(1, few), _tell)
    if "partners" in parts:
        lines += await partners.lines(number, rounds, _tell)
    if "history" in parts:
        lines += await history.lines(number, pending, rounds, _tell)
    if "console" in parts:
        lines += await console.lines(pending, _tell)
    if "memory" in parts:
        lines += await single.memory_and_start(pending, rounds, _tell)
    return lines


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _keep(table: str, content: dict[str, object]) -> None:
    page = DOCS / "performance.md"
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    measured = f"Measured {content['at']}, Python {content['python']}, two cores shared by everything in the run."
    page.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{table}\n\n{END}{after}", "utf-8")
    (DOCS / "performance.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
