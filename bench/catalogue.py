"""Lines about the catalogue: what it costs to load, and what one delivery costs however many connectors there are."""

from collections.abc import Callable
from statistics import median

from bench.line import Line, ratio
from bench.single import program


async def lines(rounds: int, tell: Callable[[str], None]) -> list[Line]:
    """Loading 500 files, and verify and normalise with the shipped catalogue and with 500 connectors."""
    found = []
    for connectors, words in ((0, "the shipped catalogue"), (500, "500 connectors")):
        measured = [await program("verify_normalise", connectors=connectors) for _ in range(rounds)]
        ratios = [one["ours"] / one["plain"] for one in measured]
        ours, plain = median(one["ours"] for one in measured), median(one["plain"] for one in measured)
        vendors = sorted(measured[0]["vendors"].items(), key=lambda one: one[1])
        (least, low), (most, high) = vendors[0], vendors[-1]
        figures = f"{ours:.1f} µs against {plain:.1f} µs; {len(vendors)} vendors, {least} {low} × to {most} {high} ×"
        tell(f"verify and normalise, {words}: {figures}")
        name = f"verify and normalise of a 1 KiB body, hmac vendors, {words}"
        against = "one `hmac.digest` + one `orjson.loads`"
        found.append(ratio(name, against, ratios, 3.0, at_least=False, detail=figures))
    loads = [await program("load_connectors", number=500) for _ in range(rounds)]
    alone = median(one["alone"] for one in loads)
    tell(f"loading 500 connector files: {loads}")
    detail = (
        f"{alone:.2f} s where no text of one file stands in another; made from the {loads[0]['shipped']} shipped ones"
    )
    took = [one["took"] for one in loads]
    return [
        *found,
        Line(
            name="loading and checking 500 connector files", against="–", value=median(took), reach=1.0,
            at_least=False, unit="s", detail=detail, rounds=tuple(round(one, 3) for one in took),
        ),
    ]  # fmt: skip
