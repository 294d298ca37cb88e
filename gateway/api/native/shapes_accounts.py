"""Partners, users, credential sets and tokens on the gateway's own wire; only answers that make secrets have them."""

from typing import Any

from gateway.accounts import partners, people
from gateway.accounts.credentials import sets
from gateway.accounts.credentials.model import AccessToken, CredentialSet
from gateway.accounts.model import Partner, User
from gateway.clock import iso_ms


def partner(found: Partner) -> dict[str, Any]:
    """A partner."""
    return {"id": found.id, "name": found.name, "created_at": iso_ms(found.created_at)}


def made_partner(made: partners.Made) -> dict[str, Any]:
    """A partner with all that it needs to begin."""
    return {
        **partner(made.partner),
        "organization_secret": made.organization_secret,
        "account_id": made.account.id,
        "user": made_user(made.administrator),
        "credential": made_credential(made.credential),
    }


def user(found: User) -> dict[str, Any]:
    """A user without secret and password."""
    return {"id": found.id, "username": found.username, "role": found.role, "account_id": found.account_id}


def made_user(made: people.Made) -> dict[str, Any]:
    """A user with their secret."""
    return {**user(made.user), "secret": made.secret}


def credential(found: CredentialSet) -> dict[str, Any]:
    """A credential set without its secret."""
    return {"client_id": found.client_id, "name": found.name, "created_at": iso_ms(found.created_at)}


def made_credential(made: sets.Made) -> dict[str, Any]:
    """A credential set with its secret."""
    return {**credential(made.credential), "client_secret": made.secret}


def token(found: AccessToken) -> dict[str, Any]:
    """An access token, by its id alone."""
    return {
        "id": found.id,
        "client_id": found.client_id,
        "grant_type": found.grant_type,
        "account_id": found.account_id,
        "user_id": found.user_id,
        "created_at": iso_ms(found.created_at),
        "expires_at": iso_ms(found.expires_at),
    }
