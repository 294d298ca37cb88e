"""Who is calling."""

from dataclasses import dataclass
from typing import Literal, NewType

PartnerId = NewType("PartnerId", str)
AccountId = NewType("AccountId", str)
Role = Literal["administrator", "power_user", "limited_power_user", "end_user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Who sells what its accounts use."""

    id: PartnerId
    name: str
    created_at: int


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
class ErrorWebhook:
    """Where an account's partner wants to be told of failures; kept as it was given."""

    enabled: bool = False
    url: str | None = None
    include_warnings: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A partner's customer; `external_id` is the partner's own name for it."""

    id: AccountId
    partner_id: PartnerId
    name: str
    external_id: str | None = None
    parent_id: AccountId | None = None
    description: str = ""
    timezone: str = "UTC"
    price_plan: int | None = None
    audit_info: str | None = None
    task_audit_info: str | None = None
    last_bill_at: int | None = None
    next_bill_at: int | None = None
    #: The day of the month on which periods begin, 1 to 31; kept apart because a short month clamps the date.
    billing_day: int | None = None
    success_hours: int | None = None
    errored_hours: int | None = None
    error_webhook: ErrorWebhook = ErrorWebhook()
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how long an account's events and payloads are kept; None where the configuration says it."""

    events_ms: int | None = None
    payloads_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an Authorization header carries; nothing of it is checked yet."""

    user: str | None = None
    organization: str | None = None
    element: str | None = None
    bearer: str | None = None
