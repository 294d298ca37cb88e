"""Tenants, and events with deliveries in every state, as tests of the history need them."""

from collections.abc import Sequence
from typing import Any

from gateway.accounts import store as accounts
from gateway.accounts.model import AccountId, Caller, PartnerId, User
from gateway.delivery import store as deliveries
from gateway.delivery.model import Job, Settlement, State
from gateway.events import store as events
from gateway.events.model import Event, EventId
from gateway.events.refusal import Refusal
from gateway.ids import first_at, time_ordered
from gateway.storage.database import Database, Effect, Write
from tests.delivery.parts import attempt, event, job, settle

#: (account, its partner, its instances); each instance has a destination of the same number.
TENANTS = (("a1", "p1", (1, 2)), ("a2", "p1", (3,)), ("b1", "p2", (4,)))


def caller(partner: str = "p1", account: str | None = None) -> Caller:
    """Somebody of a partner, or of one of its accounts."""
    of = AccountId(account or "a1")
    user = User(id=1, partner_id=PartnerId(partner), account_id=of, username="somebody", role="administrator")
    return Caller(partner_id=PartnerId(partner), account_id=None if account is None else of, user=user)


async def tenants(database: Database) -> None:
    """The rows of all tenants."""
    async with database.transaction() as transaction:
        for partner in dict.fromkeys(partner for _, partner, _ in TENANTS):
            await accounts.add_partner(transaction, PartnerId(partner), partner, partner, 0)
        for account, partner, instances in TENANTS:
            await accounts.add_account(transaction, AccountId(account), PartnerId(partner), account, 0)
            for number in instances:
                await transaction.execute(
                    "INSERT INTO instances (id, partner_id, account_id, user_id, connector, name, tags, enabled, "
                    "external_authentication, created_at, updated_at) "
                    "VALUES ($1, $2, $3, 1, 'github', '', '[]', 1, 'none', 0, 0)",
                    number,
                    partner,
                    account,
                )
                await transaction.execute(
                    "INSERT INTO destinations (id, account_id, instance_id, kind, url, state, since) "
                    "VALUES ($1, $2, $1, 'callback', 'https://consumer.example/hook?key=hidden', 'active', 0)",
                    number,
                    account,
                )


def account_of(instance_id: int) -> AccountId:
    """Whose the instance is."""
    return next(AccountId(account) for account, _, instances in TENANTS if instance_id in instances)


def numbered(number: int, **changes: Any) -> Event:
    """An event of the given place in time, one in each second since 2026 began."""
    at = 1_767_225_600_000 + 1_000 * number
    instance_id = changes.pop("instance_id", 1)
    plain = event(
        id=EventId(first_at(at)[:12] + f"{number:020x}"),
        account_id=account_of(instance_id),
        instance_id=instance_id,
        received_at=at,
    )
    return event(**{name: getattr(plain, name) for name in plain.__struct_fields__} | changes)


async def stored(database: Database, one: Event, states: Sequence[State] = ()) -> list[Job]:
    """Store an event with a delivery in each of these states, the last one the newest."""
    jobs = [job(one, id=f"{one.id[:-2]}{place:02x}", destination_id=one.instance_id) for place in range(len(states))]
    rows = [deliveries.queued(each, None, one.received_at) for each in jobs]
    tallies = [deliveries.created(each.destination_id, 1) for each in jobs]
    arrived = events.arrived(one.instance_id, accepted=1, duplicate=0, routed=int(bool(jobs)))
    await database.write(
        Write([events.accept(one, routed=bool(jobs))], lambda _: Effect(None, rows, [*tallies, arrived]))
    )
    for each, state in zip(jobs, states, strict=True):
        if state != "pending":
            reason = None if state == "delivered" else f"why it is {state}"
            step = Settlement(state=state, reason=reason, due_at=0)
            assert await settle(database, each, attempt(200 if state == "delivered" else 500), step)
    return jobs


async def refused(database: Database, **changes: Any) -> Refusal:
    """Store what was not accepted, and count it."""
    plain: dict[str, Any] = {
        "id": time_ordered(),
        "instance_id": 1,
        "at": 1_000,
        "check": "signature_mismatch",
        "detail": "the secret of another instance fits",
        "remote": "203.0.113.9",
        "body_hash": "0" * 32,
    }
    one = Refusal(**plain | changes)
    await database.write(Write((), lambda _: Effect(None, [events.refuse(one)], [events.refused(one.instance_id)])))
    return one
