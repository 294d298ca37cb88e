"""What a job of each kind is made of."""

from gateway.accounts.model import AccountId, Caller, User
from gateway.errors import Invalid
from gateway.history import filter as events
from gateway.history.listing import store as listing
from gateway.replays.again.model import Item
from gateway.replays.again.resend import Resend
from gateway.replays.again.sending import Sending
from gateway.replays.again.walk import Look, Looking, Walk
from gateway.replays.erasing.erase import Erase
from gateway.replays.letters import discard
from gateway.replays.letters import model as letters
from gateway.replays.model import Again, Erasure, Job
from gateway.replays.stepping import Work
from gateway.storage.database import Database


def work_of(sending: Sending, job: Job) -> Work:
    """The steps of a job, from where it stands."""
    wanted = job.wanted
    if isinstance(wanted, Erasure):
        return Erase(sending.database, wanted)
    if isinstance(wanted, Again):
        walk = Walk(looking(sending.database, caller_of(job), wanted, job.id), job.position.after)
        # A replay to one place only is not to pass over everything while that is off.
        only_one = not wanted.filter.keys().isdisjoint(("instance_id", "destination_id"))
        return Resend(sending, walk, wanted, stops_when_off=only_one)
    chosen = letter_filter(wanted.filter)
    return discard.Discard(
        sending.database,
        Walk(discard.looking(sending.database, caller_of(job), chosen, job.id), job.position.after),
        wanted,
    )


def caller_of(job: Job) -> Caller:
    """Whom a job works for: it sees what its maker could see."""
    account_id = job.account_id or AccountId("")
    user = User(id=job.user_id, partner_id=job.partner_id, account_id=account_id, username="", role="end_user")
    return Caller(partner_id=job.partner_id, account_id=job.account_id, user=user)


def looking(database: Database, caller: Caller, wanted: Again, until_id: str) -> Looking:
    """The look of a replay's walk."""
    if wanted.subject == "dead_letters":
        return discard.looking(database, caller, letter_filter(wanted.filter), until_id)
    chosen = event_filter(wanted.filter)

    async def look(after: str, most: int) -> Look:
        found = await listing.event_ids_after(database, caller, chosen, after, until_id, most)
        items = [Item(event_id=one, key=one) for one in found.ids]
        return Look(items=items, looked_to=found.position, ended=not found.more)

    return look


def event_filter(given: dict[str, object]) -> events.EventFilter:
    """The filter of events that a job or a request names; Invalid says everything that is wrong with it."""
    found = events.parse(given)
    if isinstance(found, tuple):
        raise Invalid("The filter cannot be used.", found)
    return found


def letter_filter(given: dict[str, object]) -> letters.LetterFilter:
    """The filter of dead letters that a job or a request names; Invalid says everything that is wrong with it."""
    found = letters.parse(given)
    if isinstance(found, tuple):
        raise Invalid("The filter cannot be used.", found)
    return found
