"""Where a custom connector's methods go: the one address that most of them share, and what follows it."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalogue.custom.merging import MergeFields
from gateway.catalogue.custom.part import Part

_WHOLE = re.compile(r"(https://[^/?#\s]+|\{\{[^{}/?#]+\}\})?([/?][^\s#]*)?")
_EXPECTED = "must be an address such as https://api.example.com/items/{{Id}}, or a path that begins with /"


@dataclass(slots=True)
class EndPoints:
    """The methods' addresses, once all of them were read."""

    merged: MergeFields
    _bases: Counter[str] = field(default_factory=Counter)

    def read(self, part: Part) -> tuple[str, str]:
        """The base of a method's address as it is written, empty where it has none, and the rest."""
        text = part.text("EndPoint")
        match = _WHOLE.fullmatch(text)
        if match is None or not text:
            part.problem("EndPoint", _EXPECTED)
            return "", "/"
        base, rest = match[1] or "", match[2] or "/"
        if not self.merged.only_properties(base):
            part.problem("EndPoint", "the host may hold only merge fields that are account connector properties")
        elif base:
            self._bases[base] += 1
        return base, rest if rest.startswith("/") else f"/{rest}"

    @property
    def usual(self) -> str:
        """The base that most methods have; empty where none has one."""
        return self._bases.most_common(1)[0][0] if self._bases else ""

    @property
    def http(self) -> Mapping[str, object]:
        """The table of a connector file."""
        others = [base for base in self._bases if base != self.usual and not self.merged.used(base)]
        table: dict[str, object] = {"hosts": [base.removeprefix("https://") for base in others]}
        if self.usual:
            table["base_url"] = self.merged.template(self.usual)
        return table

    def request(self, part: Part, merged: MergeFields, base: str, rest: str) -> str:
        """The path, or the whole address where it is another one than is usual."""
        if base in self._bases and base != self.usual and self.merged.used(base):
            part.problem("EndPoint", f"its host holds merge fields, and is another one than {self.usual}")
        try:
            path = merged.template(rest)
        except ValueError as problem:
            part.problem("EndPoint", str(problem))
            path = "/"
        return path if base in ("", self.usual) else f"{base}{path}"
