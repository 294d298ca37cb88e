"""Credential sets and access tokens, without their secrets."""

from dataclasses import dataclass
from typing import Literal

from gateway.accounts.model import AccountId, PartnerId

GrantType = Literal["client_credentials", "password"]

#: Fourteen days; the wire has always told a second less.
LIFETIME_MS = 1_209_600_000
EXPIRES_IN_S = 1_209_599
#: How long after its access token's end a refresh token is still taken.
REFRESHABLE_MS = 60 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSet:
    """A client id of a partner; with it goes a secret that only its hash is kept of."""

    client_id: str
    partner_id: PartnerId
    name: str
    created_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token that was given out; without an account it is the whole partner's."""

    id: str
    partner_id: PartnerId
    client_id: str
    grant_type: GrantType
    created_at: int
    expires_at: int
    account_id: AccountId | None = None
    #: In whose name it acts.
    user_id: int | None = None
