"""Users' passwords: hashed slowly, a few at a time, and checked against those who guess."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.accounts import store
from gateway.accounts.model import User
from gateway.accounts.reception import Reception
from gateway.errors import Invalid, Problem
from gateway.storage.database import Database

SHORTEST, LONGEST = 8, 1024


async def hashed(reception: Reception, password: str) -> str:
    """The hash under which a password is kept; Invalid where it is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST or not _is_text(password):
        message = f"expected a text of {SHORTEST} to {LONGEST} characters"
        raise Invalid(f"password: {message}.", (Problem("password", message),))
    async with reception.hashing:
        return await asyncio.to_thread(PasswordHasher().hash, password)


async def checked(
    database: Database, reception: Reception, partner_id: str, username: str, password: str, address: str
) -> User | float:
    """The partner's user with this name and password.

    Else how many seconds to wait before the next try is looked at: 0 where this one was, and is wrong.
    """
    name = f"user:{partner_id}:{username}"
    async with reception.hashing:
        # Those who stood in line have failed meanwhile.
        wait = reception.throttle.wait_s(name, address)
        if wait > 0:
            return wait
        user, kept = await store.user_with_hash(database, partner_id, username)
        # A name that nobody has takes as long as one that somebody has.
        right = await asyncio.to_thread(_verified, kept or _nobodys(), password[: LONGEST + 1])
    if user is None or kept is None or not right:
        reception.throttle.failed(name, address)
        return 0.0
    reception.throttle.passed(name, address)
    return user


def _verified(kept: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(kept, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return PasswordHasher().hash("nobody's password")


def _is_text(value: str) -> bool:
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in value)
