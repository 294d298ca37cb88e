"""The steps of jobs: what they decide, and that each is one commit of the node whose job it is."""

from typing import Any

import msgspec
import pytest

from gateway.accounts.model import AccountId, PartnerId
from gateway.clock import now_ms
from gateway.delivery.model import Settlement
from gateway.ids import first_at, time_ordered
from gateway.replays import store as jobs
from gateway.replays.again import store as again
from gateway.replays.again.model import Item, Place, Stored, Wish
from gateway.replays.again.resend import AT_ONCE, plan_of, step_size
from gateway.replays.letters import store as letters
from gateway.replays.letters.model import Spot
from gateway.replays.model import Again, Fenced, Job, Position, Progress, percent
from gateway.storage.database import Database
from tests.delivery.parts import (
    DESTINATION,
    INSTANCE,
    attempt,
    balanced,
    destination,
    event,
    insert,
    job,
    settle,
    states,
)

DELIVERED = Settlement(state="delivered", reason=None, due_at=0)
DEAD = Settlement(state="dead", reason="used up", due_at=0)


def item(number: int, **changes: Any) -> Item:
    return msgspec.structs.replace(Item(event_id=f"e{number}", key=f"e{number}"), **changes)


def stored(number: int, **changes: Any) -> Stored:
    plain = Stored(id=f"e{number}", account_id="a1", instance_id=3, type="t", received_at=1, emptied_at=None)
    return msgspec.structs.replace(plain, **changes)


def place(number: int = 7, **changes: Any) -> Place:
    plain = Place(id=number, account_id="a1", instance_id=3, url="http://x/", state="active", reason=None)
    return msgspec.structs.replace(plain, **changes)


def wish(event_id: str, **changes: Any) -> Wish:
    plain = Wish(
        id=time_ordered(),
        event_id=event_id,
        instance_id=INSTANCE,
        destination_id=DESTINATION,
        origin=DESTINATION,
        replay_id="r1",
    )
    return msgspec.structs.replace(plain, **changes)


def new_job(**changes: Any) -> Job:
    plain = Job(
        id=time_ordered(),
        partner_id=PartnerId("p1"),
        account_id=AccountId("a1"),
        user_id=1,
        kind="replay",
        state="running",
        reason=None,
        wanted=Again(subject="events", filter={"type": "t"}, destination_id=None, rate=50),
        position=Position(),
        seen=0,
        done=0,
        skipped=0,
        expected=None,
        created_at=now_ms(),
        updated_at=now_ms(),
        finished_at=None,
        epoch=0,
    )
    return msgspec.structs.replace(plain, **changes)


async def added(database: Database, one: Job) -> Job | None:
    async with database.transaction() as transaction:
        return await jobs.add(transaction, one)


async def claimed(database: Database, owner: str, now: int, until: int) -> list[Job]:
    return await jobs.claim(database, owner=owner, now=now, until=until, most=5)


async def kept(database: Database, job_id: str) -> Job:
    found = await jobs.current_any_account(database, job_id)
    assert found is not None
    return found


# Decisions


def test_a_step_stops_before_the_first_whose_destination_has_enough_to_do() -> None:
    ahead = [(item(1), place(7)), (item(2), place(8)), (item(3), place(7)), (item(4), place(8))]
    events = {f"e{number}": stored(number) for number in range(1, 5)}
    plan = plan_of("j", ahead, events, set(), {7: 1, 8: 5})
    assert (plan.taken, [one.event_id for one in plan.wishes], plan.skipped) == (2, ["e1", "e2"], {})


def test_what_cannot_be_sent_is_passed_over_for_its_reason_and_stops_nothing() -> None:
    ahead = [
        (item(1), place()),
        (item(2), place()),
        (item(3), None),
        (item(4), place(state="removed")),
        (item(5), place(state="off")),
        (item(6), place(account_id="a2")),
        (item(7), place()),
    ]
    events = {f"e{number}": stored(number) for number in range(3, 8)} | {"e1": stored(1, emptied_at=5)}
    plan = plan_of("j", ahead, events, {("e7", 7)}, {7: 0})
    assert plan.taken == 7
    assert plan.wishes == []
    assert plan.skipped == {
        "payload gone": 2,
        "no destination": 2,
        "destination off": 1,
        "of another account": 1,
        "on its way": 1,
    }


def test_two_dead_deliveries_of_one_event_are_sent_again_as_one() -> None:
    ahead = [(item(1, origin=7, key="7x1"), place()), (item(1, origin=7, key="7x2"), place())]
    plan = plan_of("j", ahead, {"e1": stored(1)}, set(), {7: 9})
    assert (plan.taken, len(plan.wishes), plan.skipped) == (2, 1, {"on its way": 1})


@pytest.mark.parametrize(("rate", "size"), [(1, 1), (7, 1), (50, 12), (10_000, AT_ONCE)])
def test_a_step_is_a_quarter_of_a_second_of_the_rate_and_bounded(rate: int, size: int) -> None:
    assert step_size(rate) == size


def test_progress_is_told_by_number_or_else_by_age() -> None:
    assert percent(new_job(state="done")) == 100
    assert percent(new_job(expected=8, seen=2)) == 25
    assert percent(new_job(expected=0)) == 0
    assert percent(new_job()) is None
    half = Position(first=first_at(1_000), after=first_at(2_000))
    assert percent(new_job(id=first_at(3_000), position=half)) == 50
    letters_have_no_age = Position(first="7x" + first_at(1), after="7x" + first_at(2))
    assert percent(new_job(position=letters_have_no_age)) is None


def test_jobs_that_do_the_same_are_the_same_at_any_rate() -> None:
    one, other = new_job(), new_job(wanted=Again(subject="events", filter={"type": "t"}, destination_id=None, rate=1))
    assert one.hash == other.hash
    assert one.hash != new_job(account_id=None).hash
    assert one.hash != new_job(wanted=msgspec.structs.replace(one.wanted, filter={"type": "u"})).hash


# Rows


async def test_a_delivery_is_made_again_once_while_it_is_under_way(database: Database) -> None:
    await destination(database)
    first = job(event())
    await insert(database, [first], due_at=1)
    assert await settle(database, first, attempt(200), DELIVERED)
    wishes = [wish(first.event_id), wish(first.event_id)]
    assert await database.write(again.resending(wishes[:1], now_ms())) == {wishes[0].id}
    assert await database.write(again.resending(wishes[1:], now_ms())) == frozenset()
    assert await states(database) == {"delivered": 1, "pending": 1}
    assert await balanced(database)


async def test_nothing_is_made_for_an_event_that_is_gone_or_a_destination_that_is_off(database: Database) -> None:
    await destination(database, "off", "gone")
    first = job(event())
    await insert(database, [first], due_at=1)
    assert await settle(database, first, attempt(200), DELIVERED)
    assert await database.write(again.resending([wish(first.event_id)], now_ms())) == frozenset()
    await destination(database)
    assert await database.write(again.resending([wish(time_ordered())], now_ms())) == frozenset()
    assert await balanced(database)


async def test_a_dead_letter_that_was_sent_again_cannot_be_laid_down(database: Database) -> None:
    await destination(database)
    first, second = job(event()), job(event())
    await insert(database, [first, second], due_at=1)
    for one in (first, second):
        assert await settle(database, one, attempt(500), DEAD)
    made = wish(first.event_id)
    await database.write(again.resending([made], now_ms()))
    spots = [Spot(DESTINATION, first.id), Spot(DESTINATION, second.id)]
    assert await database.write(letters.discarding(spots, "old")) == {second.id}
    assert await states(database) == {"pending": 1, "dead": 1, "cancelled": 1}
    assert await balanced(database)


async def test_a_job_is_one_nodes_until_its_lease_ends(database: Database) -> None:
    one, now = new_job(), now_ms()
    assert await added(database, one) is None
    [mine] = await claimed(database, "first", now, now + 1_000)
    assert await claimed(database, "second", now + 500, now + 2_000) == []
    [theirs] = await claimed(database, "second", now + 1_000, now + 2_000)
    assert (mine.epoch, theirs.epoch) == (1, 2)
    step = Progress(position=Position(after="x"), seen=1)
    with pytest.raises(Fenced):
        await database.write(jobs.step(mine, jobs.nothing(), step, now, now + 9_000))
    await database.write(jobs.step(theirs, jobs.nothing(), step, now, now + 9_000))
    assert (await kept(database, one.id)).seen == 1


async def test_a_step_of_a_job_that_was_cancelled_makes_nothing(database: Database) -> None:
    await destination(database)
    first = job(event())
    await insert(database, [first], due_at=1)
    assert await settle(database, first, attempt(200), DELIVERED)
    one, now = new_job(), now_ms()
    await added(database, one)
    [mine] = await claimed(database, "me", now, now + 1_000)
    async with database.transaction() as transaction:
        assert await jobs.cancel(transaction, one, now)
    work = again.resending([wish(first.event_id)], now)
    with pytest.raises(Fenced):
        await database.write(jobs.step(mine, work, Progress(position=Position(after="x")), now, now + 1_000))
    assert await states(database) == {"delivered": 1}
    assert await balanced(database)
    assert (await kept(database, one.id)).position.after == ""


async def test_a_step_moves_its_job_with_what_it_makes(database: Database) -> None:
    await destination(database)
    first = job(event())
    await insert(database, [first], due_at=1)
    assert await settle(database, first, attempt(200), DELIVERED)
    one, now = new_job(), now_ms()
    await added(database, one)
    [mine] = await claimed(database, "me", now, now + 1_000)
    progress = Progress(
        position=Position(after="x", skipped={"on its way": 2}), seen=3, done=1, skipped=2, state="done"
    )
    work = again.resending([wish(first.event_id)], now)
    made = await database.write(jobs.step(mine, work, progress, now, now + 1_000))
    assert len(made) == 1
    after = await kept(database, one.id)
    assert (after.state, after.seen, after.done, after.skipped, after.finished_at) == ("done", 3, 1, 2, now)
    assert after.position.skipped == {"on its way": 2}
    assert await states(database) == {"delivered": 1, "pending": 1}
    assert await claimed(database, "me", now + 5_000, now + 9_000) == []


async def test_two_jobs_that_do_the_same_do_not_run_at_once(database: Database) -> None:
    one, twin = new_job(), new_job()
    assert await added(database, one) is None
    found = await added(database, twin)
    assert found is not None
    assert found.id == one.id
    async with database.transaction() as transaction:
        await jobs.cancel(transaction, one, now_ms())
    assert await added(database, twin) is None


async def test_what_a_leaving_node_works_on_is_anybodys(database: Database) -> None:
    one, now = new_job(), now_ms()
    await added(database, one)
    await claimed(database, "first", now, now + 60_000)
    async with database.transaction() as transaction:
        await jobs.give_back(transaction, "first", now)
    assert [found.id for found in await claimed(database, "second", now, now + 1_000)] == [one.id]


async def test_a_job_that_failed_keeps_its_place_and_goes_on_from_there(database: Database) -> None:
    one, now = new_job(), now_ms()
    await added(database, one)
    [mine] = await claimed(database, "me", now, now + 1_000)
    await database.write(jobs.step(mine, jobs.nothing(), Progress(position=Position(after="x")), now, now + 1_000))
    async with database.transaction() as transaction:
        await jobs.fail(transaction, mine, now, "the destination is off")
    failed = await kept(database, one.id)
    assert (failed.state, failed.reason, failed.finished_at) == ("failed", "the destination is off", None)
    assert await claimed(database, "me", now + 5_000, now + 9_000) == []
    async with database.transaction() as transaction:
        assert await jobs.resume(transaction, failed, now)
    [again_mine] = await claimed(database, "me", now, now + 1_000)
    assert (again_mine.position.after, again_mine.reason) == ("x", None)
