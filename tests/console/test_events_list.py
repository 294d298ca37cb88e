"""The list of events: what it shows, how it is filtered, how its pages follow each other, and whose it is."""

import asyncio
import re
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from multidict import MultiDict

from gateway.console.events.asked import Asked, asked, fields
from gateway.console.forms import Form
from gateway.history.filter import EventFilter
from tests.accounts.parts import account
from tests.console.parts import send
from tests.console.person import Page, Person, first_account, signed_in
from tests.delivery.road import until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

MARKUP = '"><script>alert(1)</script><b>'
_ROW = re.compile(r'<tr id="event-([0-9a-f]{32})".*?</tr>', re.S)


def ids(page: Page) -> list[str]:
    return [match[1] for match in _ROW.finditer(page.text)]


def link(page: Page, words: str) -> str:
    """Where the link of these words leads."""
    match = re.search(rf'href="([^"]*)"[^>]*>{words}</a>', page.text)
    assert match is not None, page.shown
    return match[1].replace("&amp;", "&")


def read(given: dict[str, str], zone: str = "UTC", now: int = 10**12) -> tuple[Asked, Form]:
    form = Form(MultiDict(given))
    return asked(form, ZoneInfo(zone), now), form


async def issues(gateway: Gateway, made: dict[str, object], number: int) -> None:
    await asyncio.gather(*(send(gateway, made, {"action": "opened", "issue": {"id": each}}) for each in range(number)))


async def test_events_stand_newest_first_with_their_names_and_what_became_of_them(
    gateway: Gateway, receiver: Consumer
) -> None:
    made = await gateway.create("github", receiver.url())
    for number in range(3):
        await send(gateway, made, {"action": "opened", "issue": {"id": 70 + number}})
    await until(gateway, delivered=3)
    async with signed_in(gateway, "end_user") as person:
        page = await person.get("/console/events")
    assert ids(page) == sorted(ids(page), reverse=True)
    assert len(ids(page)) == 3
    first = _ROW.search(page.text)
    assert first is not None
    for words in ("issues.opened", "created", "72", "github · webhook", "delivered", "1 attempt"):
        assert words in first[0]


async def test_each_condition_of_the_address_narrows_the_list(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    for number in range(4):
        action = "opened" if number % 2 else "closed"
        await send(sqlite_gateway, made, {"action": action, "issue": {"id": number}}, delivery=f"id-{number}")
    found = {
        "": 4, "?type=issues.opened": 2, "?object_id=3": 1, "?vendor_event_id=id-2": 1, "?status=unrouted": 4,
        "?status=dead": 0, f"?instance_id={made['id']}": 4, "?connector=closeio": 0, "?source=polling": 0,
        "?backfill=false": 4, "?object_type=issues&type=issues.closed": 2, "?within=1h": 4,
        "?until=2020-01-01T00:00:00Z": 0, "?type=&status=&object_id=": 4,
    }  # fmt: skip
    async with signed_in(sqlite_gateway) as person:
        pages = {query: await person.get(f"/console/events{query}") for query in found}
    assert {query: len(ids(page)) for query, page in pages.items()} == found
    assert {page.status for page in pages.values()} == {200}


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("status=<b>lost</b>", "status", "Expected one of pending"),
        ("since=yesterday", "since", "Expected a date such as"),
        ("since=2026-02-01&until=2026-01-01", "since", "Is later than until"),
        ("instance_id=x%00", "instance_id", "Expected the number of an instance"),
        ("instance_id=987654", "instance_id", "No instance found"),
        ("type=" + "x" * 2000, "type", "Expected a text of 1 to 1000 characters"),
        ("within=1y", "within", "Expected one of 1h"),
        ("within=1h&since=2026-01-01", "within", "not both"),
        ("stauts=dead", "", "Unknown filter in the address: stauts"),
        ("account_id=a", "", "Unknown filter in the address: account_id"),
        ("before=zzz", "", "The address of this page is wrong"),
        ("after=%F0%9F%92%A9", "", "The address of this page is wrong"),
    ],
)
async def test_a_wrong_condition_is_told_at_its_field_and_stays_as_it_was_typed(
    sqlite_gateway: Gateway, query: str, field: str, words: str
) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.get(f"/console/events?{query}")
    assert page.status == 400
    assert words in page.shown
    assert (f'id="{field}-problem"' in page.text) is bool(field)
    assert "<b>lost" not in page.text
    if field == "since" and "yesterday" in query:
        assert 'value="yesterday"' in page.text


def test_a_date_without_a_zone_is_one_of_the_accounts() -> None:
    wanted, _ = read({"since": "2026-07-01T12:00", "until": "2026-07-01T12:00:00Z"}, zone="Europe/Berlin")
    assert wanted.chosen is not None
    assert (wanted.chosen.since or 0) + 2 * 3_600_000 == wanted.chosen.until


def test_a_stretch_of_time_ends_now() -> None:
    wanted, form = read({"within": "24h"}, now=1_767_225_600_000)
    assert form.ok
    assert wanted.chosen == EventFilter(since=1_767_225_600_000 - 86_400_000)


def test_a_moment_is_shown_again_in_the_zone_and_to_the_second() -> None:
    form = Form(MultiDict(since="2026-07-01T10:00:05Z", until="nonsense"))
    assert fields(form, ZoneInfo("Europe/Berlin")) == {
        "since": ("datetime-local", "2026-07-01T12:00:05"),
        "until": ("text", "nonsense"),
    }
    assert fields(Form(MultiDict(since="9999-12-31T23:59:59Z")), UTC)["since"][0] == "datetime-local"


@pytest.mark.parametrize(
    ("given", "live"),
    [({}, True), ({"status": "pending"}, True), ({"status": "dead"}, False), ({"until": "2026-01-01"}, False),
     ({"before": "x"}, False), ({"since": "nonsense"}, False)],
)  # fmt: skip
def test_a_list_lives_where_fresh_events_belong_at_its_top(given: dict[str, str], live: bool) -> None:
    assert read(given)[0].is_live is live


async def test_what_a_filter_finds_can_be_replayed_by_who_may(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await send(sqlite_gateway, made, {"action": "opened"})
    query = "?type=issues.opened&backfill=false&since=2026-01-01"
    async with signed_in(sqlite_gateway) as person:
        leads = link(await person.get(f"/console/events{query}"), "Replay all matches")
        assert leads == ("/console/replays/new?type=issues.opened&backfill=false&since=2026-01-01T00%3A00%3A00.000Z")
        assert (await person.get(leads)).status == 200
        assert "Replay all" not in (await person.get("/console/events")).shown
    async with signed_in(sqlite_gateway, "limited_power_user") as person:
        assert "Replay all" not in (await person.get(f"/console/events{query}")).shown


async def test_pages_hold_each_event_once_and_lead_back(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await issues(gateway, made, 120)
    async with signed_in(gateway) as person:
        page = await person.get("/console/events?type=issues.opened")
        pages = [ids(page)]
        assert "Newer" not in page.shown
        for _ in range(2):
            page = await person.get(link(page, "Older"))
            pages.append(ids(page))
        assert "Older" not in page.shown
        assert [len(each) for each in pages] == [50, 50, 20]
        every = [one for each in pages for one in each]
        assert every == sorted(set(every), reverse=True)
        page = await person.get(link(page, "Newer"))
        assert ids(page) == pages[1]
        page = await person.get(link(page, "Newer"))
        assert ids(page) == pages[0]


async def test_a_place_of_one_list_is_none_of_another(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await issues(sqlite_gateway, made, 60)
    async with signed_in(sqlite_gateway) as person:
        older = link(await person.get("/console/events"), "Older")
        assert (await person.get(older)).status == 200
        assert (await person.get(older + "&status=unrouted")).status == 400


async def test_markup_in_a_name_or_an_event_is_shown_and_long_ones_are_cut(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json={"name": MARKUP + "n" * 200})
    body = {"action": "<i>opened</i>" + "x" * 10_000, "issue": {"id": MARKUP, "title": MARKUP}}
    await send(sqlite_gateway, made, body, delivery="<u>id</u>")
    async with signed_in(sqlite_gateway) as person:
        page = await person.get("/console/events")
        assert page.status == 200
        await clean(page, person, ids(page)[0])
    assert len(page.text) < 30_000


async def clean(page: Page, person: Person, event_id: str) -> None:
    """No page of this event has an element that its vendor made."""
    pages = [page]
    for path in (event_id, f"{event_id}/replay", f"rows?id={event_id}"):
        pages.append(await person.get(f"/console/events/{path}"))
    pages.append(await person.get("/console/where", params={"q": "<u>id</u>"}))
    for one in pages:
        assert one.status == 200, one.path
        for element in ("<script>", "<i>opened", "<u>id", "<b>n"):
            assert element not in one.text, one.path


async def test_nobody_sees_what_came_to_another_account(gateway: Gateway) -> None:
    made = await gateway.create("github")
    await send(gateway, made, {"action": "opened", "issue": {"id": 1}}, delivery="theirs")
    async with signed_in(gateway) as person:
        [event_id] = ids(await person.get("/console/events"))
    database = gateway.running.services.runtime.database
    other = await account(database, (await first_account(gateway)).partner_id, "Other")
    async with signed_in(gateway, "power_user", other) as stranger:
        assert ids(await stranger.get("/console/events")) == []
        assert ids(await stranger.get(f"/console/events/rows?id={event_id}")) == []
        assert (await stranger.get(f"/console/events?instance_id={made['id']}")).status == 400
        assert (await stranger.get(f"/console/events/live?instance_id={made['id']}")).status == 404
        for path in ("", "/payload", "/notification", "/replay"):
            assert (await stranger.get(f"/console/events/{event_id}{path}")).status == 404
        assert (await stranger.post(f"/console/events/{event_id}/replay")).status == 404
        assert "Nothing was found" in (await stranger.get("/console/where?q=theirs")).shown


async def test_an_account_without_events_is_told_how_to_begin(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.get("/console/events")
        assert "No event has arrived yet" in page.shown
        assert 'href="/console/connectors"' in page.text
        assert "No event matches" in (await person.get("/console/events?type=x")).shown


async def test_of_many_instances_one_is_named_by_its_number(
    sqlite_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await sqlite_gateway.create("github")
    await send(sqlite_gateway, made, {"action": "opened"})
    async with signed_in(sqlite_gateway) as person:
        assert '<select id="instance_id"' in (await person.get("/console/events")).text
        monkeypatch.setattr("gateway.console.events.listing.MOST_OFFERED", 0)
        assert '<input id="instance_id"' in (await person.get("/console/events")).text
