"""`where` clauses of the Open Connectors wire: simple comparisons, written for the vendor as its connector declares."""

import re
from dataclasses import dataclass

from gateway.catalogue.call_model import Where
from gateway.catalogue.sources import Sources

_COMPARISON = re.compile(
    r"\s*(?P<field>[A-Za-z_][A-Za-z0-9_.-]{0,127})\s*(?P<sign>!=|<>|<=|>=|=|<|>|LIKE\b|IN\b)\s*"
    r"(?P<value>'(?:[^']|'')*+'|\((?:'(?:[^']|'')*+'|[^'()])*+\)|[^\s'()=<>!][^\s'()]*)\s*",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
_LISTED = re.compile(r"\s*('(?:[^']|'')*+'|[^\s',()]+)\s*(,|$)")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "LIKE", "IN", "IS"})
#: What may stand in an expression without quotes around it.
_BARE = re.compile(r"[\w.:@+/-]+")
_MOST = 20
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; a value of IN is its list, joined by commas."""

    field: str
    sign: str
    value: str


def parse(text: str) -> tuple[Comparison, ...] | str:
    """The comparisons of a clause, all of which must hold; or what is wrong with it."""
    if len(text) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    found: list[Comparison] = []
    at = 0
    while at < len(text) or not found:
        match = _COMPARISON.match(text, at)
        if match is None or match["field"].upper() in _KEYWORDS:
            return f"expected field = 'value' at character {at + 1}"
        value = _value(match["sign"], match["value"])
        if value is None:
            wanted = "a list such as ('a','b')" if match["sign"].upper() == "IN" else "a value such as 'a'"
            return f"expected {wanted} at character {match.start('value') + 1}"
        found.append(Comparison(match["field"], _sign(match["sign"]), value))
        at = match.end()
        joint = _JOINT.match(text, at)
        if joint is None and at < len(text):
            return f"expected AND at character {at + 1}"
        if joint is not None and joint[1].upper() == "OR":
            return "OR is not supported; ask once for each"
        if joint is not None:
            at = joint.end()
            if at >= len(text.rstrip()):
                return "ends with AND"
    return tuple(found) if len(found) <= _MOST else f"has more than {_MOST} comparisons"


def expressed(where: Where, comparisons: tuple[Comparison, ...]) -> list[tuple[str, str]] | str:
    """The query parameters that say the same to the vendor; or which comparison it cannot express."""
    texts = []
    for one in comparisons:
        template = where.comparisons.get(one.sign)
        if template is None:
            known = " ".join(where.comparisons) or "none"
            return f"{one.field} {one.sign} cannot be asked here; comparisons that can: {known}"
        value = one.value if where.param is None else _fitting(template.source_text, one.value)
        if value is None:
            return f"the value of {one.field} holds characters that cannot be asked for here"
        texts.append(template.text(Sources(words={"field": one.field, "value": value})))
    if where.param is not None:
        return [(where.param, where.join.join(texts))]
    return [(name, value) for name, _, value in (text.partition("=") for text in texts)]


def _fitting(template: str, value: str) -> str | None:
    """The value as it stands in an expression; None where it would end the text that it is in."""
    if '"{value}"' in template:
        return value.replace("\\", "\\\\").replace('"', '\\"')
    if "'{value}'" in template:
        return None if "'" in value or "\\" in value else value
    return value if _BARE.fullmatch(value) else None


def _sign(written: str) -> str:
    return "!=" if written == "<>" else written.upper()


def _value(sign: str, written: str) -> str | None:
    listed = written.startswith("(")
    if listed is not (sign.upper() == "IN"):
        return None
    return _items(written[1:-1]) if listed else _plain(written)


def _items(text: str) -> str | None:
    """The items of a list, joined by commas; None where it is no list, or an item has a comma of its own."""
    items, at = [], 0
    while (match := _LISTED.match(text, at)) is not None:
        item = _plain(match[1])
        if item is None or "," in item:
            return None
        items.append(item)
        if not match[2]:
            return ",".join(items)
        at = match.end()
    return None


def _plain(written: str) -> str | None:
    if written.startswith("'"):
        return written[1:-1].replace("''", "'")
    return None if written.upper() in _KEYWORDS else written
