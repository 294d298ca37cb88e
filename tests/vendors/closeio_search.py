"""What the simulated Close finds: filters by field, and the simple half of its search language."""

import re
from collections.abc import Mapping

_TERM = re.compile(
    r'(?P<not>not\s+)?(?P<field>[\w.]+)\s*(?P<sign>:|>=|<=|>|<|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S+))'
)
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def matches(row: Mapping[str, object], query: Mapping[str, str]) -> bool:
    """Whether a row is among those that a list asks for."""
    for name, value in query.items():
        if name == "query":
            if not _searched(row, value):
                return False
        elif (not name.startswith("_") or name == "_type") and not _filtered(row, name, value):
            return False
    return True


def _filtered(row: Mapping[str, object], name: str, value: str) -> bool:
    plain, _, how = name.partition("__")
    held = _text(row.get(plain))
    if how == "in":
        return held in value.split(",")
    return _compares(held, _COMPARISONS.get(how, "="), value)


def _searched(row: Mapping[str, object], text: str) -> bool:
    rest = _TERM.sub("", text).strip()
    if rest and rest.lower() not in str(row.get("name", "")).lower():
        return False
    for term in _TERM.finditer(text):
        quoted = term["quoted"]
        value = term["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        sign = "=" if term["sign"] == ":" else term["sign"]
        if _compares(_text(row.get(term["field"])), sign, value) == bool(term["not"]):
            return False
    return True


def _compares(held: str, sign: str, value: str) -> bool:
    ordered = {">": held > value, ">=": held >= value, "<": held < value, "<=": held <= value}
    return ordered.get(sign, held.lower() == value.lower())


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
