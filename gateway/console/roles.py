"""What each role may do in the console; pure."""

from collections.abc import Mapping
from typing import Literal

from gateway.accounts.model import Role

#: read: look at everything of the account. change: connect and configure. bulk: act on many events at once. people: the
#: account's users. partner: other accounts, and what was changed in them.
Act = Literal["read", "change", "bulk", "people", "partner"]

_MAY: Mapping[Role, frozenset[Act]] = {
    "administrator": frozenset({"read", "change", "bulk", "people", "partner"}),
    "power_user": frozenset({"read", "change", "bulk", "people"}),
    "limited_power_user": frozenset({"read", "change"}),
    "end_user": frozenset({"read"}),
}


def may(role: Role, act: Act) -> bool:
    """Whether somebody of this role may do this."""
    return act in _MAY[role]
