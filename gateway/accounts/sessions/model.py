"""Who may sign in, and who has."""

from dataclasses import dataclass

from gateway.accounts.model import AccountId, PartnerId, User


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """For whom and which account a sign-in token was made."""

    partner_id: PartnerId
    account_id: AccountId
    username: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is signed in, and to which account."""

    user: User
    account_id: AccountId
    created_at: int
    expires_at: int
