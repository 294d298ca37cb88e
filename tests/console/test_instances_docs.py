"""An instance's own API docs, and calls tried out in its name."""

import orjson
import pytest

from gateway.console.instances.described import curl, operations
from tests.console.person import Person, signed_in
from tests.console.test_instances_form import sent
from tests.kit.gateway import Gateway
from tests.registrations.office import eventually
from tests.vendors import API_KEY, Vendor
from tests.vendors.misbehaving import answering, endless

LIST = "/console/instances"


@pytest.fixture
async def one(sqlite_gateway: Gateway, there: Vendor) -> str:
    """The address of an instance of the simulated Close."""
    made = await sqlite_gateway.create("closeio", **{"base.url": f"{there.url}/api/v1", "username": API_KEY})
    return f"{LIST}/{made['id']}"


async def calls_in_the_log(person: Person) -> int:
    """How often the audit log says so; once more it stands among what can be looked for."""
    page = await person.get("/console/settings/audit")
    return page.text.count("Called a vendor through an instance") - 1


async def test_every_call_is_listed_and_found(person: Person, one: str) -> None:
    page = await person.get(f"{one}/docs")
    assert page.status == 200
    assert f'href="{one}/docs/accounts.list"' in page.text
    assert "elements/api-v2/hubs/" in page.text
    found = await person.get(f"{one}/docs?q=note+delete")
    assert f'href="{one}/docs/notes.delete"' in found.text
    assert "accounts.list" not in found.text
    assert "No call matches" in (await person.get(f"{one}/docs?q=" + "x" * 3000)).shown


async def test_every_call_of_every_connector_has_a_page(person: Person, sqlite_gateway: Gateway) -> None:
    for connector in ("github", "generic"):
        made = await sqlite_gateway.create(connector)
        own = f"{LIST}/{made['id']}"
        document = orjson.loads((await person.get(f"{own}/openapi.json")).text)
        every = list(operations(document))
        assert len({one.id for one in every}) == len(every) > 0
        for operation in every:
            page = await person.get(f"{own}/docs/{operation.id}")
            assert page.status == 200, operation.id
            assert operation.sample == "" or orjson.loads(operation.sample) is not None


async def test_the_document_is_the_one_that_applications_read(
    person: Person, sqlite_gateway: Gateway, one: str
) -> None:
    answered = await person.get(f"{one}/openapi.json")
    assert "attachment" in answered.headers["Content-Disposition"]
    number = one.rsplit("/", 1)[-1]
    theirs = await sqlite_gateway.call("GET", f"/elements/api-v2/instances/{number}/docs")
    assert orjson.loads(answered.text) == theirs.json


async def test_a_call_s_page_has_its_parameters_and_a_command(person: Person, one: str) -> None:
    page = await person.get(f"{one}/docs/accounts.update")
    assert "/accounts/{id}" in page.text
    assert "Element ELEMENT_TOKEN" in page.text
    assert "PATCH" in page.text or "PUT" in page.text
    fields = sent(page.text, f"{one}/docs/accounts.update")
    assert set(fields) >= {"path.id", "body"}


def test_a_command_quotes_what_a_shell_would_read() -> None:
    document = {
        "paths": {"/a/{id}": {"post": {
            "operationId": "a", "summary": "A", "tags": ["a"],
            "parameters": [{"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {"schema": {
                "type": "object", "properties": {"it's": {"type": "string"}}, "required": ["it's"]}}}},
        }}}
    }  # fmt: skip
    [operation] = operations(document)
    text = curl(operation, "https://gw.example/api")
    assert "curl -X POST 'https://gw.example/api/a/{id}?q=<q>'" in text
    assert "it'\\''s" in text


async def test_a_list_is_tried_out(person: Person, sqlite_gateway: Gateway, there: Vendor, one: str) -> None:
    there.close.add("lead", name="Acme & <b>Sons</b>")
    call = f"{one}/docs/accounts.list"
    form = sent((await person.get(call)).text, call)
    page = await person.post(call, form)
    assert page.status == 200
    assert "Acme &amp; &lt;b&gt;Sons" in page.text
    assert 'badge-ok">200' in page.text
    asked = there.to("/api/v1/lead/")[-1]
    assert asked.headers["Authorization"].startswith("Basic ")

    async def is_kept() -> bool:
        uses = (await sqlite_gateway.call("GET", "/elements/api-v2/usage")).json
        return [(use["method"], use["path"], use["status"]) for use in uses] == [("GET", "/accounts", 200)]

    await eventually(is_kept)


async def test_something_is_made_and_changed_and_the_log_knows(person: Person, there: Vendor, one: str) -> None:
    page = await person.post(f"{one}/docs/accounts.create", {"body": '{"name": "Made here"}'})
    assert page.status == 200
    [lead] = there.close.all("lead")
    assert lead["name"] == "Made here"
    changed = await person.post(f"{one}/docs/accounts.replace", {"path.id": str(lead["id"]), "body": '{"name": "New"}'})
    assert changed.status == 200
    assert there.close.all("lead")[0]["name"] == "New"
    assert await calls_in_the_log(person) == 2


async def test_reading_is_no_change_for_the_log(person: Person, one: str) -> None:
    assert (await person.post(f"{one}/docs/users.list")).status == 200
    assert await calls_in_the_log(person) == 0


@pytest.mark.parametrize(
    ("call", "fields", "problem"),
    [
        ("accounts.get", {"path.id": ""}, "path.id-problem"),
        ("accounts.get", {"path.id": "a\x00b"}, "path.id-problem"),
        ("accounts.list", {"query.pageSize": "many"}, "query.pageSize-problem"),
        ("accounts.create", {"body": "{not json"}, "body-problem"),
        ("accounts.create", {"body": "[1]"}, "body-problem"),
    ],
)
async def test_what_is_wrong_with_a_call_stands_at_its_field(
    person: Person, there: Vendor, one: str, call: str, fields: dict[str, str], problem: str
) -> None:
    before = len(there.to("/api/v1/lead"))
    page = await person.post(f"{one}/docs/{call}", fields)
    assert page.status == 400
    assert f'id="{problem}"' in page.text
    assert len(there.to("/api/v1/lead")) == before


@pytest.mark.parametrize("value", ["../../me/?x=1#", "..", ".", "%2e%2e%2fme", "a/b"])
async def test_a_path_parameter_cannot_leave_its_place(person: Person, there: Vendor, one: str, value: str) -> None:
    before = len(there.to("/api/v1/me"))
    page = await person.post(f"{one}/docs/accounts.get", {"path.id": value})
    assert page.status in (200, 400)
    assert len(there.to("/api/v1/me")) == before
    assert all(
        arrived.raw_path.startswith(("/api/v1/lead/", "/api/v1/me", "/api/v1/webhook")) for arrived in there.requests
    )


async def test_what_the_vendor_refuses_is_shown_as_it_is(person: Person, one: str) -> None:
    page = await person.post(f"{one}/docs/accounts.get", {"path.id": "lead_nobody"})
    assert page.status == 200
    assert 'badge-failed">404' in page.text


async def test_an_answer_with_markup_is_shown_and_not_run(person: Person, there: Vendor, one: str) -> None:
    there.next(answering(body="<script>alert(1)</script>", content_type="text/html"), on="/api/v1/lead/")
    page = await person.post(f"{one}/docs/accounts.list")
    assert "<script>alert(1)" not in page.text
    assert "alert(1)" in page.shown


async def test_a_secret_that_the_vendor_says_back_is_not_shown(
    person: Person, there: Vendor, sqlite_gateway: Gateway
) -> None:
    made = await sqlite_gateway.create("github", token="gh-very-secret", **{"base.url": f"{there.url}/api/v1"})
    there.always(answering(body="your token gh-very-secret is odd"), on="/api/v1/")
    one = f"{LIST}/{made['id']}"
    document = orjson.loads((await person.get(f"{one}/openapi.json")).text)
    get = next(one for one in operations(document) if one.verb == "GET" and not any(p.required for p in one.parameters))
    page = await person.post(f"{one}/docs/{get.id}")
    assert page.status == 200
    assert "gh-very-secret" not in page.text
    assert "is odd" in page.shown


async def test_a_vendor_that_is_away_is_said_to_be(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("closeio")
    page = await person.post(f"{LIST}/{made['id']}/docs/accounts.list")
    assert page.status == 200
    assert "The vendor cannot be reached" in page.shown


async def test_a_large_answer_is_cut(person: Person, there: Vendor, one: str) -> None:
    there.next(answering(body="x" * (5 << 20), content_type="text/plain"), on="/api/v1/lead/")
    page = await person.post(f"{one}/docs/accounts.list")
    assert page.status == 200
    assert len(page.text) < 120_000
    assert "are shown" in page.shown


async def test_an_answer_without_an_end_is_left(person: Person, there: Vendor, one: str) -> None:
    there.next(endless("text/plain"), on="/api/v1/lead/")
    page = await person.post(f"{one}/docs/accounts.list")
    assert page.status == 200
    assert len(page.text) < 120_000
    assert await there.wait_left()


async def test_an_answer_without_a_body_says_so(person: Person, there: Vendor, one: str) -> None:
    there.next(answering(204), on="/api/v1/lead/")
    assert "has no body" in (await person.post(f"{one}/docs/accounts.delete", {"path.id": "lead_1"})).shown


async def test_a_disabled_instance_makes_no_calls(person: Person, there: Vendor, one: str) -> None:
    await person.post(f"{one}/enabled")
    before = len(there.to("/api/v1/lead/"))
    assert (await person.post(f"{one}/docs/accounts.list")).status == 400
    assert len(there.to("/api/v1/lead/")) == before


async def test_a_test_event_is_sent_from_the_page(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic", **{"webhook.verify": "none"})
    one = f"{LIST}/{made['id']}"
    page = await person.get(one)
    assert f'action="{one}/test"' in page.text
    assert (await person.post(f"{one}/test")).status == 200
    assert 'href="/console/events/' in (await person.get(one)).text
    assert (await person.get(f"{one}/next")).status == 200


async def test_a_reader_reads_the_docs_and_tries_nothing(sqlite_gateway: Gateway, one: str) -> None:
    async with signed_in(sqlite_gateway, "end_user") as reader:
        page = await reader.get(f"{one}/docs/accounts.list")
        assert "Your role can only read" in page.shown
        assert (await reader.post(f"{one}/docs/accounts.list")).status == 403


@pytest.mark.parametrize("name", ["nothing", "..", "%00", "a" * 500, "accounts.list%2F"])
async def test_a_call_that_is_not_there_is_not_found(person: Person, one: str, name: str) -> None:
    assert (await person.get(f"{one}/docs/{name}")).status in (400, 404)
