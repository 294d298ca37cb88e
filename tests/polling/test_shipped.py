"""Every shipped `[[poll]]`: its first and its second request, and what it makes of the vendor's answers."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson
import pytest
from aiohttp import web

from gateway.calls.model import Access
from gateway.calls.perform import Calls
from gateway.catalogue.call_model import Poll
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import walk
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources
from gateway.catalogue.template import templates_in
from gateway.egress.guard import Guard
from gateway.egress.open import open_streaming_client
from gateway.polling.asking import Ask
from gateway.polling.merge import merged
from gateway.polling.model import Cursor, Merged, Plan, Read
from gateway.polling.reading import Reader
from gateway.polling.records import Settings
from gateway.polling.window import form_of, rendered, window
from tests.polling.answers_of_lists import LISTS
from tests.polling.answers_of_logs import LOGS
from tests.polling.shapes import WATERMARK, WATERMARK_MS, Asked, Shape
from tests.vendors import Vendor, vendor
from tests.vendors.arrived import Arrived
from tests.vendors.misbehaving import Act, answering

CATALOGUE = {connector.key: connector for connector in load_catalogue([])}
POLLS = [(connector, poll) for connector in CATALOGUE.values() for poll in connector.polls]
SHAPES = (*LOGS, *LISTS)
#: Values for entries that have no default and take only what looks right.
VALUES = {
    "project": "1204", "webhook.target.id": "0", "workspace": "acme", "repo": "hello", "owner": "octo", "site": "acme",
    "channel.id": "112233", "domain": "mg.example.com", "organization": "acme", "okta.domain": "acme.okta.com",
    "account.sid": "AC" + "0" * 32, "form.id": "f0rm", "team.id": "team_a1", "collection.id": "0" * 24,
    "board.id": "0" * 24, "user.id": "2244994945", "shop": "acme", "subdomain": "acme", "channel": "C012AB3CD",
    "poll.path": "things", "api.key": "sk_test_1", "instance.url": "https://acme.my.salesforce.com",
    "webhook.username": "u", "user.email": "a@example.com",
}  # fmt: skip
#: What generic's entries say where nobody says anything else.
USUAL = {"@poll.id.field": "id", "@poll.updated.field": "updated_at", "@poll.created.field": "created_at"}
NOW = WATERMARK_MS + 3_600_000
FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "epoch_s", "epoch_ms", "%a, %d %b %Y %H:%M:%S +0000")


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        found.clock.stop(NOW / 1000)
        yield found


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    async with open_streaming_client(Guard(allow_http=True, allow_networks=["127.0.0.0/8"])) as client:
        yield Calls(client)


def configured(connector: Connector, url: str, **given: str) -> ConfigView:
    """The values of an instance as somebody might have entered them."""
    values = {"base.url": url}
    for key, entry in connector.entries.items():
        value = VALUES.get(key) or entry.default or (entry.choices[0] if entry.choices else f"a-{key}")
        values[key] = value
    return ConfigView(values | given)


def asking(connector: Connector, poll: Poll, config: ConfigView, cursor: Cursor, token: str | None = None) -> Ask:
    # No page waits for its turn here.
    plan = Plan(name=poll.name, poll=replace(poll, limits=None), interval=60_000)
    setting = lambda key: config.get(key) or connector.value_defaults.get(key)  # noqa: E731
    return Ask(
        access=Access(connector=connector, config=config, token=token),
        plan=plan,
        window=window(plan, cursor, NOW, setting),
        cursor=cursor,
        now=NOW,
    )


async def polled(calls: Calls, ask: Ask) -> tuple[Read, Merged]:
    """What a poll reads, and what it makes of that."""

    def send(call: Any, manner: Any) -> Any:
        return calls.made(ask.access, call, manner)

    reading = await Reader().read(send, ask)
    assert reading.failure is None, reading.failure
    assert reading.read is not None
    settings = Settings(ask.access.config, ask.access.connector.value_defaults)
    return reading.read, merged(ask.plan, ask.cursor, reading.read, ask.window, settings)


def in_turn(*answers: Callable[[web.Request], web.Response]) -> list[Act]:
    async def act(answer: Callable[[web.Request], web.Response], request: web.Request) -> web.StreamResponse:
        return answer(request)

    return [partial(act, answer) for answer in answers]


def before(token: str | None = None) -> Cursor:
    """A poller that has read up to noon."""
    return Cursor(started=True, watermark=WATERMARK, watermark_ms=WATERMARK_MS, token=token)


# What vendors document


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.connector}-{shape.poll}")
async def test_a_documented_answer_is_read_to_its_end_and_becomes_the_changes_it_tells_of(
    there: Vendor, calls: Calls, shape: Shape
) -> None:
    connector = CATALOGUE[shape.connector]
    [poll] = [poll for poll in connector.polls if poll.name == shape.poll]
    links = [*shape.links, *[""] * len(shape.answers)]
    there.next(*in_turn(*[_told(body, link, there) for body, link in zip(shape.answers, links, strict=False)]))
    config = configured(connector, there.url + shape.base, **shape.config)
    read, found = await polled(calls, asking(connector, poll, config, before(shape.before), shape.token))
    assert [_asked(one) for one in there.requests] == [_wanted(one) for one in shape.asked]
    assert read.complete
    changes = [one.change for chunk in found.chunks for one in chunk.changes]
    assert [(one.type, one.action, one.object_type, one.object_id) for one in changes] == list(shape.changes)
    assert len({one.identity for one in changes}) == len(changes)
    assert found.problem is None
    if shape.before is not None:
        assert found.cursor.token == shape.answers[-1]["cursor"]
    else:
        assert found.cursor.watermark_ms is not None
        assert found.cursor.watermark_ms > WATERMARK_MS


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.connector}-{shape.poll}")
async def test_the_same_answers_again_are_no_changes(there: Vendor, calls: Calls, shape: Shape) -> None:
    connector = CATALOGUE[shape.connector]
    [poll] = [poll for poll in connector.polls if poll.name == shape.poll]
    if poll.mode == "token":
        return  # a vendor that remembers tells nothing twice
    config, cursor = configured(connector, there.url + shape.base, **shape.config), before()
    links = [*shape.links, *[""] * len(shape.answers)]
    for number in (len(shape.changes), 0):
        there.next(*in_turn(*[_told(body, link, there) for body, link in zip(shape.answers, links, strict=False)]))
        _, found = await polled(calls, asking(connector, poll, config, cursor, shape.token))
        there.behave()
        assert found.number == number
        cursor = found.cursor


async def test_a_vendor_that_remembers_is_asked_at_first_where_its_changes_begin(there: Vendor, calls: Calls) -> None:
    connector = CATALOGUE["dropbox"]
    [poll] = connector.polls
    there.next(*in_turn(_told({"cursor": "AAEcursor0"}, "", there)))
    ask = asking(connector, poll, configured(connector, there.url + "/2"), Cursor(), "sl.token")
    _, found = await polled(calls, ask)
    body = {"path": "", "recursive": True, "include_deleted": True}
    assert [_asked(one) for one in there.requests] == [("POST", "/2/files/list_folder/get_latest_cursor", {}, body)]
    assert (found.number, found.cursor.token, found.cursor.started) == (0, "AAEcursor0", True)


async def test_a_cursor_that_the_vendor_no_longer_knows_begins_anew_and_says_what_may_be_lost(
    there: Vendor, calls: Calls
) -> None:
    connector = CATALOGUE["dropbox"]
    [poll] = connector.polls
    there.next(answering(409, '{"error_summary": "reset/..", "error": {".tag": "reset"}}'))
    ask = asking(connector, poll, configured(connector, there.url + "/2"), before("AAEold"), "sl.token")
    _, found = await polled(calls, ask)
    assert found.gap is not None
    assert (found.cursor.token, found.again) == (None, True)


def _told(body: Any, link: str, there: Vendor) -> Callable[[web.Request], web.Response]:
    headers = {"Link": link.replace("{url}", there.url)} if link else {}
    return lambda _request: web.json_response(body, headers=headers)


def _asked(one: Arrived) -> tuple[str, str, dict[str, str], Any]:
    query = {name: values[0] for name, values in parse_qs(one.query, strict_parsing=bool(one.query)).items()}
    return one.method, one.path, query, orjson.loads(one.body) if one.body else None


def _wanted(one: Asked) -> tuple[str, str, dict[str, str], Any]:
    return one.verb, one.path, dict(one.query), one.body


# Every poll, with an answer made after its own words


@pytest.mark.parametrize(("connector", "poll"), POLLS, ids=[f"{one.key}-{poll.name}" for one, poll in POLLS])
async def test_every_poll_asks_since_when_and_goes_on_to_a_second_page(
    there: Vendor, calls: Calls, connector: Connector, poll: Poll
) -> None:
    paging = connector.pagination[poll.paginate] if poll.paginate else None
    size = 20 if paging is None or paging.size is None or paging.more is not None else paging.size
    there.next(*in_turn(*[_made(connector, poll, number, size) for number in (0, 1, 2)]))
    config = configured(connector, there.url)
    token = "T0" if poll.mode == "token" else None
    read, found = await polled(calls, asking(connector, poll, config, before(token), "a-token"))
    first, *rest = there.requests
    assert read.complete
    # Where nobody says that a page is the last one, an empty one does.
    assert len(read.pages) == len(there.requests)
    assert len(rest) in ((0,) if paging is None else (1, 2))
    said = unquote(f"{first.path}?{first.query}{first.body.decode()}".replace("+", " "))
    assert not re.search(r"[{}](from|config|token|now)|None|null", said)
    if poll.mode == "since" and poll.from_format and "from" in _words(poll):
        form = form_of(poll.from_format, config.get)
        assert rendered(form, WATERMARK_MS - poll.overlap) in said
    for second in rest:
        assert (second.raw_path, second.body) != (first.raw_path, first.body)
        if paging is not None and paging.where == "body" and paging.max_records is None:
            assert walk(orjson.loads(second.body), (paging.param or "").split(".")) == "mark-2"
    if poll.mode == "snapshot":
        return  # what is listed for the first time was there before
    assert found.problem is None
    assert found.number == sum(len(page.records) for page in read.pages)
    for one in (one.change for chunk in found.chunks for one in chunk.changes):
        assert one.identity
        assert one.type


@pytest.mark.parametrize(("connector", "_poll"), POLLS, ids=[f"{one.key}-{poll.name}" for one, poll in POLLS])
def test_every_value_is_one_that_its_entry_takes(connector: Connector, _poll: Poll) -> None:
    for key, value in configured(connector, "https://example.com").values.items():
        entry = connector.entries.get(key)
        if entry is not None and entry.pattern is not None and entry.required_for == "polling":
            assert re.search(entry.pattern, value), key


def _words(poll: Poll) -> frozenset[str]:
    asked = [poll.request.path, *(value for _, value in poll.query), *templates_in(poll.body)]
    return frozenset(word for template in asked for word in template.words)


def _made(connector: Connector, poll: Poll, number: int, size: int) -> Callable[[web.Request], web.Response]:
    """A page that says what the file's locators look for; the second of two is the last."""
    count = (size, 1, 0)[number]
    # Each second one record, in the order of the list.
    seconds = [60 + number * 1000 + place for place in range(count)]
    if poll.order == "desc":
        seconds = [3600 - one for one in seconds]
    records = [_record(poll, f"{number}-{place}", WATERMARK_MS + 1000 * at) for place, at in enumerate(seconds)]
    body: Any = {}
    path = poll.records.alternatives[0].path_in(_sources(connector)) or ()
    body = _put(body, path, records) if path else records
    paging = connector.pagination.get(poll.paginate or "")
    headers: dict[str, str] = {}
    if paging is not None and number == 0:
        if paging.next is not None and paging.next.alternatives[0].source == "body":
            body = _put(body, paging.next.alternatives[0].steps, "/second?page=2" if paging.param is None else "mark-2")
        if paging.more is not None:
            body = _put(body, paging.more.alternatives[0].steps, True)
        headers = {"Link": '</second?page=2>; rel="next"; results="true"'}
    return lambda _request: web.json_response(body, headers=headers)


def _record(poll: Poll, name: str, at: int) -> Any:
    record: dict[str, Any] = {}
    for locator, value in (
        (poll.changes.object_id, f"o-{name}"),
        (poll.id, f"r-{name}"),
        (poll.created, _date(poll.read_created, at)),
        (poll.updated, _date(poll.read_updated, at)),
    ):
        steps = _steps(locator)
        if steps:
            record = _put(record, steps, value)
    return record


def _steps(locator: Locator | None) -> tuple[str, ...]:
    found = [one for one in locator.alternatives if one.source == "item"] if locator is not None else []
    if not found:
        return ()
    return tuple(USUAL[found[-1].path].split(".")) if found[-1].path in USUAL else found[-1].steps


def _date(read: Callable[[str], int | None], at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    texts = [moment.strftime(form) if "%" in form else rendered(form, at) for form in FORMATS]
    return next(text for text in texts if read(text) == at)


def _put(value: Any, steps: tuple[str, ...], inner: Any) -> Any:
    if not steps:
        return inner
    name, *rest = steps
    if isinstance(value, list):
        return value
    if name.isdecimal():
        return [_put({}, tuple(rest), inner)]
    return {**value, name: _put(value.get(name, {}) if isinstance(value, Mapping) else {}, tuple(rest), inner)}


def _sources(connector: Connector) -> Sources:
    return Sources(defaults=connector.value_defaults)
