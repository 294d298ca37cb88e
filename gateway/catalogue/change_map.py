"""How a change of one object is read, by webhook and by polling alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.dates import ReadDate
from gateway.catalogue.locator import Locator
from gateway.catalogue.template import Template

Action = Literal["CREATED", "UPDATED", "DELETED", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Split:
    """Which word of a text counts."""

    separator: str
    take: Literal["first", "last"]

    def of(self, text: str) -> str:
        """That word."""
        first = self.take == "first"
        return text.partition(self.separator)[0] if first else text.rpartition(self.separator)[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMap:
    """How one object's change is read out of a delivery or a polled record."""

    type: Template
    action: Locator | None
    action_split: Split | None
    actions: Mapping[str, Action]
    object_type: Locator | None
    object_type_split: Split | None
    object_id: Locator | None
    version: Locator | None
    date: Locator | None
    read_date: ReadDate
    dedupe: Template | None
    #: The vendor's notices say nothing that tells two of them apart: equal ones are never taken for one.
    never_equal: bool
    payload: Locator | None
