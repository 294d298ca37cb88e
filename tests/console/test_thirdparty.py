"""The pages of 3rd-party connectors as answers: who may do what, what is said of bad input, what is never shown."""

import re
from html import unescape
from pathlib import Path

import orjson

from gateway.thirdparty import connectors
from tests.accounts.parts import account
from tests.console.person import first_account, signed_in
from tests.console.thirdparty_parts import PATH, arrive, caller, filled, made, names, problem, stored, value
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway, settings, started


async def test_a_new_connector_is_made_and_its_secret_shown_once(gateway: Gateway) -> None:
    async with signed_in(gateway, "power_user") as person:
        page = await person.post(f"{PATH}/new", filled(name="Push <b>Bullet</b>"))
        assert page.status == 200
        [secret] = re.findall(r'value="(whsec_[^"]+)"', page.text)
        table = await person.get(PATH)
        assert names(table) == ["Push <b>Bullet</b>"]
        assert "<b>Bullet" not in table.text
        assert secret not in table.text
        log = await person.get("/console/settings/audit")
        assert "whsec_" not in log.text


async def test_the_fields_say_what_is_wrong_and_keep_what_was_typed(sqlite_gateway: Gateway) -> None:
    fields = filled(
        ("headers.name", ""),
        ("headers.value", ""),
        ("headers.name", "X-Key"),
        ("headers.value", "a\r\nSet-Cookie: b"),
        ("data.name", "customer.email"),
        ("data.value", "{body:email"),
        ("data.kind", "text"),
        ("data.name", "list[x]"),
        ("data.value", '["{body:a}"'),
        ("data.kind", "json"),
        ("basic.username", "ann"),
        ("basic.password", "a-long-password"),
        url="https://{body:host}/x",
        name="",
    )
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(f"{PATH}/new", fields)
        assert page.status == 400
        assert "host" in str(problem(page, "url"))
        assert "1 to 255" in str(problem(page, "name"))
        # The first row is empty, and stays where it is.
        assert "line break" in str(problem(page, "headers.1.value"))
        assert problem(page, "data.0.value") is not None
        assert "list.x" in str(problem(page, "data.1.name"))
        assert "JSON" in str(problem(page, "data.1.value"))
        assert value(page, "url") == ["https://{body:host}/x"]
        assert value(page, "headers.name") == ["", "X-Key"]
        assert value(page, "data.name") == ["customer.email", "list[x]"]
        assert "a-long-password" not in page.text
        [kept] = value(page, "basic.kept")
        again = await person.post(f"{PATH}/new", filled(("basic.username", "ann"), ("basic.kept", kept)))
        assert again.status == 200
    [one] = (await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway))).items
    assert (one.definition.username, one.definition.password) == ("ann", "a-long-password")


async def test_a_name_that_is_taken_and_an_address_that_is_forbidden_are_told_at_their_fields(
    sqlite_gateway: Gateway,
) -> None:
    await made(sqlite_gateway, "Chat")
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(f"{PATH}/new", filled(name="CHAT"))
        assert (page.status, "has this name" in str(problem(page, "name"))) == (400, True)
        page = await person.post(f"{PATH}/new", filled(name="Other", url="http://169.254.169.254/latest"))
        assert (page.status, problem(page, "url") is not None) == (400, True)


async def test_stored_secrets_are_never_shown_and_stay_where_they_are_left(sqlite_gateway: Gateway) -> None:
    headers = [{"name": "Authorization-Key", "value": "very-secret-value"}]
    one = await made(sqlite_gateway, headers=headers, basic={"username": "ann", "password": "her-password"})
    async with signed_in(sqlite_gateway) as person:
        for path in (PATH, f"{PATH}/{one.id}", f"{PATH}/{one.id}/edit", f"{PATH}/new?copy={one.id}"):
            page = await person.get(path)
            assert page.status == 200
            assert "very-secret-value" not in page.text
            assert "her-password" not in page.text
        masked = [("headers.name", "Authorization-Key"), ("headers.value", "********"), ("basic.username", "ann")]
        kept = filled(*masked, version="1", name="Renamed")
        assert (await person.post(f"{PATH}/{one.id}/edit", kept)).path == PATH
        after = await stored(sqlite_gateway, one.id)
        assert after.definition.name == "Renamed"
        assert (after.definition.headers[0].value, after.definition.password) == ("very-secret-value", "her-password")
        # Another host does not get them unasked, whether by a change or by a copy.
        elsewhere = filled(*masked, url="http://127.0.0.2:9/hook")
        for path in (f"{PATH}/{one.id}/edit", f"{PATH}/new"):
            more = [("version", "2")] if "edit" in path else [("copy", str(one.id)), ("name", "Copy")]
            page = await person.post(path, [*elsewhere, *more])
            assert page.status == 400
            assert "enter it again" in str(problem(page, "headers.0.value"))
            assert "enter it again" in str(problem(page, "basic.password"))


async def test_a_copy_takes_the_secrets_with_it(sqlite_gateway: Gateway) -> None:
    one = await made(sqlite_gateway, "Chat", headers=[{"name": "X-Key", "value": "very-secret-value"}])
    async with signed_in(sqlite_gateway) as person:
        page = await person.get(f"{PATH}/new?copy={one.id}")
        assert value(page, "name") == ["Chat (copy)"]
        fields = filled(("headers.name", "X-Key"), ("headers.value", "********"), name="Chat (copy)", copy=str(one.id))
        assert (await person.post(f"{PATH}/new", fields)).status == 200
    found = await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway))
    assert [item.definition.headers[0].value for item in found.items] == ["very-secret-value"] * 2


async def test_the_second_of_two_editors_is_told_what_changed_and_keeps_what_was_typed(gateway: Gateway) -> None:
    one = await made(gateway, "Chat")
    async with signed_in(gateway, "power_user") as first, signed_in(gateway, "limited_power_user") as second:
        seen = await second.get(f"{PATH}/{one.id}/edit")
        hidden = {name: value(seen, name)[0] for name in ("version", "seen")}
        assert (await first.post(f"{PATH}/{one.id}/edit", filled(name="Renamed", **hidden))).path == PATH
        page = await second.post(f"{PATH}/{one.id}/edit", filled(method="PUT", **hidden))
        assert page.status == 409
        assert "power_user@example.com has changed this connector" in page.shown
        assert "Connector Name Renamed" in page.shown
        assert value(page, "name") == ["Chat"]
        assert '<option value="PUT" selected>' in page.text
        assert (await stored(gateway, one.id)).definition.name == "Renamed"
        again = {name: value(page, name)[0] for name in ("version", "seen")}
        assert (await second.post(f"{PATH}/{one.id}/edit", filled(method="PUT", **again))).path == PATH
        after = (await stored(gateway, one.id)).definition
        assert (after.name, after.method) == ("Chat", "PUT")


async def test_who_only_reads_sees_everything_and_changes_nothing(sqlite_gateway: Gateway) -> None:
    one = await made(sqlite_gateway)
    async with signed_in(sqlite_gateway, "end_user") as person:
        page = await person.get(PATH)
        assert names(page) == ["Chat"]
        assert "New Connector" not in page.text
        assert 'name="id"' not in page.text
        page = await person.get(f"{PATH}/{one.id}")
        assert page.status == 200
        assert "/delete" not in page.text
        for path in (f"{PATH}/new", f"{PATH}/{one.id}/edit", f"{PATH}/{one.id}/rotate", f"{PATH}/{one.id}/delete"):
            assert (await person.get(path)).status == 403
            assert (await person.post(path, filled(version="1"))).status == 403
        for path in ("activate", "disable", "preview", "test"):
            assert (await person.post(f"{PATH}/{path}", filled(id=str(one.id)))).status == 403
    assert (await stored(sqlite_gateway, one.id)).version == 1


async def test_another_accounts_connector_is_not_there(gateway: Gateway) -> None:
    rooms = gateway.running.services
    one, partner_id = await made(gateway), (await first_account(gateway)).partner_id
    other = await account(rooms.runtime.database, partner_id, "Second")
    async with signed_in(gateway, "power_user", other) as person:
        assert names(await person.get(PATH)) == []
        for path in ("", "/edit", "/rotate", "/delete"):
            assert (await person.get(f"{PATH}/{one.id}{path}")).status == 404
        for path in (f"{one.id}/edit", f"{one.id}/rotate", f"{one.id}/delete", "activate", "disable"):
            fields = filled(id=str(one.id), version="1")
            assert (await person.post(f"{PATH}/{path}", fields)).status == 404
        for fields in (filled(id=str(one.id)), filled(copy=str(one.id))):
            assert (await person.post(f"{PATH}/preview", fields)).status == 404
            assert (await person.post(f"{PATH}/test", fields)).status == 404
    assert await rooms.worker.third_parties.by_id(one.id) == await stored(gateway, one.id)


async def test_ticked_connectors_are_switched_together_or_not_at_all(gateway: Gateway) -> None:
    found = [await made(gateway, name) for name in ("One", "Two", "Three")]
    async with signed_in(gateway, "limited_power_user") as person:
        ticked = [("id", str(one.id)) for one in found[:2]]
        page = await person.post(f"{PATH}/disable?sort=-name&size=25", ticked)
        assert page.path == f"{PATH}?sort=-name&size=25"
        assert "2 connectors are disabled" in page.shown
        assert page.text.count('<tr class="disabled">') == 2
        page = await person.post(f"{PATH}/activate", [ticked[0], ("id", "999")])
        assert page.status == 404
        assert [(await stored(gateway, one.id)).enabled for one in found] == [False, False, True]
        assert "Select at least one" in (await person.post(f"{PATH}/activate", [])).shown
        page = await person.post(f"{PATH}/activate?at=one", ticked[:1])
        assert page.path == f"{PATH}/{found[0].id}"
        assert (await stored(gateway, found[0].id)).enabled


async def test_a_secret_is_rotated_and_a_connector_deleted_each_after_a_question(sqlite_gateway: Gateway) -> None:
    one = await made(sqlite_gateway)
    before = one.signing_secrets[0].value
    async with signed_in(sqlite_gateway) as person:
        assert (await person.get(f"{PATH}/{one.id}/rotate")).status == 200
        page = await person.post(f"{PATH}/{one.id}/rotate", {"overlap": "hour"})
        after = (await stored(sqlite_gateway, one.id)).signing_secrets
        assert after[0].value in unescape(page.text)
        assert [secret.value for secret in after[1:]] == [before]
        assert (await person.get(f"{PATH}/{one.id}/delete")).status == 200
        page = await person.post(f"{PATH}/{one.id}/delete")
        assert page.path == PATH
        assert "Chat is deleted" in page.shown
        assert (await person.get(f"{PATH}/{one.id}")).status == 404


async def test_rows_come_and_go_without_a_script(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        fields = filled(("data.name", "a"), ("data.value", "1"), ("data.kind", "json"), act="add-data")
        page = await person.post(f"{PATH}/new", fields)
        assert (page.status, value(page, "data.name")) == (200, ["a", ""])
        rows = [("data.name", "a"), ("data.value", "1"), ("data.kind", "json")]
        rows += [("data.name", "b"), ("data.value", "2"), ("data.kind", "text")]
        page = await person.post(f"{PATH}/new", filled(*rows, act="remove-data-0"))
        assert value(page, "data.name") == ["b"]
        for odd in ("add-nothing", "remove-data-99999", "remove-data", "x" * 1000):
            assert (await person.post(f"{PATH}/new", filled(act=odd))).status == 200
    assert not (await connectors.page(sqlite_gateway.running.services.runtime, await caller(sqlite_gateway))).items


async def test_a_preview_shows_the_request_that_an_event_makes_with_secrets_masked(gateway: Gateway) -> None:
    instance = await gateway.create("generic")
    event = await arrive(gateway, instance, b'{"id":"1","price":1.10,"who":{"mail":"<i>ann</i>@example.com"}}')
    await arrive(gateway, instance, b'{"id":"2","price":2}')
    fields = filled(
        ("headers.name", "X-Key"),
        ("headers.value", "very-secret"),
        ("data.name", "order.price"),
        ("data.value", "{body:price}"),
        ("data.kind", "text"),
        ("data.name", "mail"),
        ("data.value", "{body:who.mail}"),
        ("data.kind", "text"),
        url="http://127.0.0.1:9/hook/{body:id}",
    )
    async with signed_in(gateway) as person:
        page = await person.post(f"{PATH}/preview", [*fields, ("event", event)])
        assert page.status == 200
        [part] = re.findall(r'<div id="preview">(.*?)<div id="tested"', page.text, re.S)
        assert "http://127.0.0.1:9/hook/1" in part
        assert '{"order":{"price":1.10},"mail":"<i>ann</i>@example.com"}' in unescape(part)
        assert "<i>" not in part
        assert "X-Key: ********" in part
        newest = await person.post(f"{PATH}/preview", fields)
        assert "http://127.0.0.1:9/hook/2" in newest.text
        assert "{body:price}" in newest.text
        for odd in ("nothing", "\x00", "z" * 300):
            assert (await person.post(f"{PATH}/preview", [*fields, ("event", odd)])).status == 200


async def test_a_test_sends_one_request_and_shows_what_came_back(sqlite_gateway: Gateway, receiver: Consumer) -> None:
    receiver.status = 418
    async with signed_in(sqlite_gateway) as person:
        fields = filled(("data.name", "a"), ("data.value", "b"), ("data.kind", "text"), url=receiver.url("/try"))
        page = await person.post(f"{PATH}/test", fields)
        assert "Answered with status 418" in page.shown
        [one] = receiver.arrived
        assert (one.path, orjson.loads(one.body)) == ("/try", {"a": "b"})
        page = await person.post(f"{PATH}/test", filled())
        assert "No answer after" in page.shown
        page = await person.post(f"{PATH}/test", filled(url="ftp://x"))
        assert problem(page, "url") is not None
        assert "Nothing was sent" in page.shown
    assert len(receiver.arrived) == 1


async def test_calls_are_listed_page_by_page(gateway: Gateway, receiver: Consumer) -> None:
    one = await made(gateway, "Chat", url=receiver.url("/<b>"))
    instance = await gateway.create("generic")
    for number in range(31):
        await arrive(gateway, instance, orjson.dumps({"id": str(number)}))
    await receiver.wait(31)
    async with signed_in(gateway) as person:
        page = await person.get(f"{PATH}/{one.id}")
        assert (page.status, page.text.count('<th scope="row"')) == (200, 25)
        [older] = re.findall(r'\?before=([^"]+)"', page.text)
        assert (await person.get(f"{PATH}/{one.id}?before={older}")).text.count('<th scope="row"') == 6
        assert (await person.get(f"{PATH}/{one.id}?before=%00'x")).status == 200


async def test_a_huge_payload_leaves_the_editor_small(tmp_path: Path) -> None:
    async with started(settings(tmp_path, "", inbound={"max_body": "8MiB"})) as gateway:
        one = await made(gateway, "Chat")
        instance = await gateway.create("generic")
        await arrive(gateway, instance, orjson.dumps({"id": "large", "text": "x" * 5_000_000}))
        async with signed_in(gateway) as person:
            page = await person.get(f"{PATH}/{one.id}/edit")
            assert (page.status, len(page.text) < 150_000) == (200, True)
            assert "xxxx" in page.text


async def test_a_table_sorts_searches_and_pages_and_no_query_breaks_it(gateway: Gateway) -> None:
    for number in range(23):
        await made(gateway, f"Connector {number:02d}", method="PUT" if number % 2 else "POST")
    async with signed_in(gateway) as person:
        page = await person.get(PATH)
        assert names(page) == [f"Connector {number:02d}" for number in range(10)]
        assert "1 to 10 of 23" in page.shown
        assert re.search(r'<th scope="col" aria-sort="ascending"><a href="[^"]*sort=-name"', page.text)
        page = await person.get(f"{PATH}?sort=-name&size=25&q=nector+2")
        assert names(page) == ["Connector 22", "Connector 21", "Connector 20"]
        assert names(await person.get(f"{PATH}?page=99")) == ["Connector 20", "Connector 21", "Connector 22"]
        assert "No connector matches" in (await person.get(f"{PATH}?q=%25")).shown
        odd = (
            "sort=;drop",
            "size=7",
            "page=-1",
            "page=9" * 30,
            "q=%00%ed%a0%80",
            "q=" + "x" * 5000,
            "sort=-",
            "size=10%00",
        )
        for query in odd:
            assert (await person.get(f"{PATH}?{query}")).status == 200, query
        for place in ("0", "9" * 15, "abc", "9" * 40):
            assert (await person.get(f"{PATH}/{place}")).status == 404, place
