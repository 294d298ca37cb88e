"""The list of instances, the page of one, and what can be done with it at once."""

from typing import Any

import pytest

from gateway.accounts.model import Role
from tests.console.person import Page, Person, signed_in
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.registrations.office import eventually
from tests.vendors import API_KEY, Vendor

LIST = "/console/instances"
OPEN = {"webhook.verify": "none"}
MARKUP = "<script>alert(1)</script>"
_COLUMNS = (
    "partner_id, account_id, user_id, connector, name, tags, enabled, external_authentication, created_at, updated_at, "
    "description, native"
)
COPY = f"INSERT INTO instances (id, {_COLUMNS}) SELECT $1, {_COLUMNS} FROM instances WHERE id = $2"
ACTS = ("enabled", "registration", "poll", "resume", "destination", "edit", "rotate/webhook-url", "delete")


async def close(gateway: Gateway, there: Vendor, **values: Any) -> int:
    """An instance of the simulated Close."""
    wanted = {"base.url": f"{there.url}/api/v1", "username": API_KEY, **values}
    return int((await gateway.create("closeio", **wanted))["id"])


def row_of(page: Page, name: str) -> str:
    return next(part for part in page.text.split("<tr") if name in part)


async def test_an_empty_account_is_led_to_the_connectors(person: Person) -> None:
    page = await person.get(LIST)
    assert "Nothing is connected yet" in page.shown
    assert 'href="/console/connectors"' in page.text


async def test_a_reader_is_not_asked_to_connect_anything(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "end_user") as reader:
        page = await reader.get(LIST)
    assert "as soon as somebody authenticates a connector" in page.shown
    assert "New instance" not in page.shown


async def test_the_list_tells_how_each_stands(person: Person, sqlite_gateway: Gateway, receiver: Consumer) -> None:
    made = await sqlite_gateway.create("generic", receiver.url(), **OPEN)
    await sqlite_gateway.send(made["webhookUrl"], b"{}x", {"Content-Type": "text/plain"})
    await sqlite_gateway.send(made["webhookUrl"], b'{"id":1}', {"Content-Type": "application/json"})
    off = await sqlite_gateway.create("github")
    await sqlite_gateway.call("DELETE", f"/instances/{off['id']}/enabled")
    page = await person.get(LIST)
    assert "working" in row_of(page, ">generic<")
    assert "ago" in row_of(page, ">generic<")
    assert ">disabled<" in row_of(page, ">github<")


@pytest.mark.parametrize(
    ("query", "found"), [("q=nam", 1), ("q=GENERIC", 2), ("connector=generic", 2), ("standing=login", 0)]
)
async def test_filters_stand_in_the_address(person: Person, sqlite_gateway: Gateway, query: str, found: int) -> None:
    for name in ("named", "other"):
        made = await sqlite_gateway.create("generic")
        await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json={"name": name})
    page = await person.get(f"{LIST}?{query}")
    assert page.text.count('class="instance-name"') == found
    assert ("No instance matches" in page.shown) is (found == 0)


@pytest.mark.parametrize(
    "query", ["standing=odd", "before=x", "after=-1", "before=" + "9" * 40, "q=" + "x" * 300, "q=%00", "q=%ED%A0%80"]
)
async def test_a_bad_question_is_answered_with_a_sentence(person: Person, query: str) -> None:
    page = await person.get(f"{LIST}?{query}")
    assert page.status in (200, 400)
    assert "<h1>Instances</h1>" in page.text


async def test_more_than_a_page_is_walked_through(person: Person, sqlite_gateway: Gateway) -> None:
    database = sqlite_gateway.running.services.runtime.database
    first = (await sqlite_gateway.create("generic"))["id"]
    async with database.transaction() as transaction:
        for number in range(1000, 1060):
            await transaction.execute(COPY, number, first)
    # Without a token they count as deleted meanwhile, so that only the walk is looked at.
    newest = await person.get(LIST)
    assert "before=1035" in newest.text
    older = await person.get(f"{LIST}?before=1035")
    assert "before=1010" in older.text
    assert "after=1034" in older.text


async def test_names_with_markup_are_shown_and_not_run(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic")
    database = sqlite_gateway.running.services.runtime.database
    async with database.transaction() as transaction:
        await transaction.execute(
            "UPDATE instances SET name = $1, description = $1, tags = '[\"<b>x\"]' WHERE id = $2", MARKUP, made["id"]
        )
    for path in ("", f"/{made['id']}", f"/{made['id']}/edit", f"/{made['id']}/delete", f"/{made['id']}/docs"):
        page = await person.get(LIST + path)
        assert page.status == 200
        assert MARKUP not in page.text
        assert "alert(1)" in page.shown


async def test_a_page_of_one_shows_no_secret(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", token="gh-very-secret")
    page = await person.get(f"{LIST}/{made['id']}")
    assert page.status == 200
    assert "gh-very-secret" not in page.text
    assert made["webhookUrl"].rsplit("/", 1)[-1] not in page.text
    assert made["signingSecret"] not in page.text


async def test_a_reader_gets_neither_the_element_token_nor_buttons(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic")
    async with signed_in(sqlite_gateway, "end_user") as reader:
        page = await reader.get(f"{LIST}/{made['id']}")
    assert page.status == 200
    assert made["token"] not in page.text
    assert page.text.count("<form") == 2  # the colours, and signing out


async def test_the_ledger_and_the_latest_events_stand_on_the_page(
    person: Person, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    made = await sqlite_gateway.create("generic", receiver.url(), **OPEN)
    for number in range(12):
        await sqlite_gateway.send(made["webhookUrl"], b'{"id":%d}' % number, {"Content-Type": "application/json"})
    await receiver.wait(12)
    page = await person.get(f"{LIST}/{made['id']}")
    assert page.text.count('href="/console/events/') == 10
    assert "Received 12" in page.shown
    assert "accepted as events 12" in page.shown


@pytest.mark.parametrize(
    "path", ["/999", "/999/edit", "/999/docs", "/999/delete", "/999/rotate/webhook-url", "/0", "/" + "9" * 30]
)
async def test_what_is_not_there_is_not_found(person: Person, path: str) -> None:
    assert (await person.get(LIST + path)).status == 404


async def test_another_account_s_instance_is_not_found_whatever_is_asked(sqlite_gateway: Gateway) -> None:
    made, database = await sqlite_gateway.create("generic"), sqlite_gateway.running.services.runtime.database
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE instances SET account_id = 'elsewhere' WHERE id = $1", made["id"])
    one = f"{LIST}/{made['id']}"
    async with signed_in(sqlite_gateway) as person:
        for path in ("", "/edit", "/docs", "/docs/get", "/openapi.json", "/delete", "/rotate/signing-secret"):
            assert (await person.get(one + path)).status == 404, path
        for act in (*ACTS, "docs/call"):
            assert (await person.post(f"{one}/{act}")).status == 404, act
        assert "Nothing is connected yet" in (await person.get(LIST)).shown


@pytest.mark.parametrize("role", ["end_user", "limited_power_user", "power_user", "administrator"])
async def test_only_who_may_change_can_act(sqlite_gateway: Gateway, role: Role) -> None:
    async with signed_in(sqlite_gateway, role) as person:
        for act in (*ACTS, "docs/call"):
            answered = await person.post(f"{LIST}/999/{act}")
            assert answered.status == (403 if role == "end_user" else 404), act
        for act in ("edit", "delete", "rotate/webhook-url"):
            assert (await person.get(f"{LIST}/999/{act}")).status == (403 if role == "end_user" else 404), act


async def test_a_form_without_the_session_s_token_does_nothing(person: Person, sqlite_gateway: Gateway) -> None:
    made, person.csrf = await sqlite_gateway.create("generic"), "0" * 40
    assert (await person.post(f"{LIST}/{made['id']}/delete")).status == 403
    assert (await sqlite_gateway.call("GET", f"/instances/{made['id']}")).status == 200


async def test_an_instance_is_switched_off_and_on_and_the_log_knows(person: Person, sqlite_gateway: Gateway) -> None:
    one = f"{LIST}/{(await sqlite_gateway.create('generic'))['id']}"
    off = await person.post(f"{one}/enabled")
    assert (off.path, "is disabled" in off.shown) == (one, True)
    assert ">Enable<" in off.text
    assert ">Disable<" in (await person.post(f"{one}/enabled", {"enabled": "true"})).text
    audit = (await person.get("/console/settings/audit")).shown
    assert "Disabled an instance" in audit
    assert "Enabled an instance" in audit


async def test_a_poll_says_what_it_found(person: Person, sqlite_gateway: Gateway, there: Vendor) -> None:
    one = f"{LIST}/{await close(sqlite_gateway, there, **{'event.vendor.type': 'polling'})}"
    nothing = await person.post(f"{one}/poll")
    assert "0 new events were found." in nothing.shown
    there.close.add("lead", name="Acme")
    page = await person.post(f"{one}/poll")
    assert "One new event was found." in page.shown
    assert page.text.count('href="/console/events/') == 1


async def test_what_is_not_polled_is_refused_with_a_page(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic")
    page = await person.post(f"{LIST}/{made['id']}/poll")
    assert page.status == 409
    assert "polls nothing" in page.shown


async def test_pollers_that_stopped_go_on(person: Person, sqlite_gateway: Gateway, there: Vendor) -> None:
    made = await close(sqlite_gateway, there, **{"event.vendor.type": "polling"})
    database = sqlite_gateway.running.services.runtime.database
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE pollers SET state = 'disabled', reason = 'too often', next_due = NULL")
    one = f"{LIST}/{made}"
    assert "too often" in (await person.get(one)).shown
    assert "polling stopped" in (await person.get(f"{LIST}?standing=polls")).shown
    assert "resumes where it stopped" in (await person.post(f"{one}/resume")).shown
    assert "too often" not in (await person.get(one)).shown


async def test_a_callback_that_was_switched_off_is_switched_on_again(
    person: Person, sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    receiver.status = 410
    made = await sqlite_gateway.create("generic", receiver.url(), **OPEN)
    await sqlite_gateway.send(made["webhookUrl"], b'{"id":1}', {"Content-Type": "application/json"})
    one = f"{LIST}/{made['id']}"

    async def is_off() -> bool:
        return "Switch on again" in (await person.get(one)).shown

    await eventually(is_off)
    assert "callback off" in (await person.get(f"{LIST}?standing=destination")).shown
    assert "is switched on again" in (await person.post(f"{one}/destination")).shown
    assert not await is_off()


async def test_a_registration_is_looked_after_at_once(person: Person, sqlite_gateway: Gateway, there: Vendor) -> None:
    made = await close(sqlite_gateway, there, **{"base.url": "http://127.0.0.1:9"})
    one = f"{LIST}/{made}"
    tried = await person.post(f"{one}/registration")
    assert "registration was checked" in tried.shown
    assert "connection refused" in tried.shown


@pytest.mark.parametrize("what", ["webhook-url", "signing-secret"])
async def test_a_rotation_shows_the_new_one_once(person: Person, sqlite_gateway: Gateway, what: str) -> None:
    made = await sqlite_gateway.create("generic", **OPEN)
    one = f"{LIST}/{made['id']}"
    asked = await person.get(f"{one}/rotate/{what}")
    assert "a day" in asked.shown
    done = await person.post(f"{one}/rotate/{what}", {"overlap": "0s"})
    assert done.status == 200
    value = done.text.split('id="rotated" value="')[1].split('"')[0]
    assert value not in (await person.get(one)).text
    if what == "webhook-url":
        url = f"{sqlite_gateway.url}/in/{value.rsplit('/', 1)[-1]}"
        assert (await sqlite_gateway.send(url, b'{"id":1}', {"Content-Type": "application/json"})).status < 300
        old = await sqlite_gateway.send(made["webhookUrl"], b'{"id":2}', {"Content-Type": "application/json"})
        assert old.status == 404


@pytest.mark.parametrize("overlap", ["", "soon", "-1s", "31d", "1" * 400])
async def test_an_overlap_that_cannot_be_read_is_refused_at_its_field(
    person: Person, sqlite_gateway: Gateway, overlap: str
) -> None:
    made = await sqlite_gateway.create("generic")
    page = await person.post(f"{LIST}/{made['id']}/rotate/signing-secret", {"overlap": overlap})
    assert page.status == 400
    assert 'id="overlap-problem"' in page.text


async def test_a_secret_that_the_vendor_gives_is_not_rotated(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic", **OPEN)
    page = await person.post(f"{LIST}/{made['id']}/rotate/webhook-secret", {"overlap": "1h"})
    assert page.status == 409
    assert "verified without one" in page.shown


async def test_a_deleted_instance_is_gone(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic", **OPEN)
    one = f"{LIST}/{made['id']}"
    assert "Delete this instance?" in (await person.get(f"{one}/delete")).shown
    gone = await person.post(f"{one}/delete")
    assert (gone.path, "is deleted" in gone.shown) == (LIST, True)
    assert (await person.get(one)).status == 404
    assert (await person.post(f"{one}/delete")).status == 404


async def test_an_instance_whose_connector_is_gone_is_listed_and_can_be_deleted(
    person: Person, sqlite_gateway: Gateway
) -> None:
    made, database = await sqlite_gateway.create("generic"), sqlite_gateway.running.services.runtime.database
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE instances SET connector = 'gone' WHERE id = $1", made["id"])
    page = await person.get(LIST)
    assert "connector missing" in page.shown
    assert (await person.get(f"{LIST}/{made['id']}")).status == 404
    assert (await person.post(f"{LIST}/{made['id']}/delete")).path == LIST


async def test_the_page_stays_small_whatever_is_configured(person: Person, sqlite_gateway: Gateway) -> None:
    long = "[" + ",".join(['{"object_type":"lead","action":"created"}'] * 5000) + "]"
    made = await sqlite_gateway.create("closeio", **{"webhook.events": long})
    page = await person.get(f"{LIST}/{made['id']}")
    assert page.status == 200
    assert len(page.text) < 60_000


async def test_what_is_polled_waits_for_no_registration(person: Person, sqlite_gateway: Gateway, there: Vendor) -> None:
    one = f"{LIST}/{await close(sqlite_gateway, there, **{'event.vendor.type': 'polling'})}"
    assert "Webhook at the vendor" not in (await person.get(one)).shown
    assert "working" in (await person.get(LIST)).shown
