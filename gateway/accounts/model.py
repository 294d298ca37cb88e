"""Who is calling."""

from dataclasses import dataclass
from typing import Literal, NewType

PartnerId = NewType("PartnerId", str)
AccountId = NewType("AccountId", str)
Role = Literal["administrator", "power_user", "limited_power_user", "end_user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or program of an account."""

    id: int
    partner_id: PartnerId
    account_id: AccountId
    username: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a request speaks for; without an account it is the whole partner."""

    partner_id: PartnerId
    account_id: AccountId | None
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an Authorization header carries; nothing of it is checked yet."""

    user: str | None = None
    organization: str | None = None
    element: str | None = None
    bearer: str | None = None
