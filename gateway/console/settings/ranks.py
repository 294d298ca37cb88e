"""Who may decide about whom: nobody above themselves, nobody elsewhere, and never about their own role; pure."""

from typing import get_args

from gateway.accounts.model import Role, User
from gateway.console.visitor import Visitor

#: From the one who may most to the one who may least.
RANKS: tuple[Role, ...] = get_args(Role)


def roles_below(who: Visitor) -> tuple[Role, ...]:
    """The roles that somebody may give: their own and those that may less."""
    return RANKS[RANKS.index(who.session.user.role) :]


def role_of(text: str, who: Visitor) -> Role | None:
    """The role of this name, where this person may give it."""
    return next((role for role in roles_below(who) if role == text), None)


def decides_about(who: Visitor, user: User) -> bool:
    """Whether somebody may change this user: administrators their partner's, others those of their account."""
    if user.partner_id != who.session.user.partner_id:
        return False
    return who.may("partner") or (user.account_id == who.account.id and user.role in roles_below(who))


def is_self(who: Visitor, user: User) -> bool:
    """Whether the user is the visitor."""
    return user.id == who.session.user.id
