"""A partner's own connector: what was given, and the file that was made of it."""

from dataclasses import dataclass
from typing import Literal

from gateway.accounts.model import PartnerId

Status = Literal["draft", "live"]

MOST_OF_A_PARTNER = 100
LONGEST_DEFINITION = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """One row; `live` where the definition is the one that counts, else there is a draft above what counts, if any."""

    id: int
    partner_id: PartnerId
    #: A GUID in hexadecimal digits, the partner's own name for it.
    guid: str
    key: str
    name: str
    status: Status
    #: JSON, as it was given.
    definition: str
    #: The connector file as JSON; None before the first release.
    released: str | None
    created_at: int
    #: Grows with every change, even within one millisecond.
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The same as a list shows it."""

    id: int
    guid: str
    key: str
    name: str
    status: Status
    is_released: bool
    created_at: int
    updated_at: int
