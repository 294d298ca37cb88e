"""Instances changed by a form: what is wrong stands at its field, and the second of two people is told."""

from pathlib import Path
from typing import Any

import pytest

from tests.console.person import Person, signed_in
from tests.console.test_instances_form import sent
from tests.kit.gateway import Gateway
from tests.kit.logins import brought, knowing, values
from tests.vendors import API_KEY, Vendor

LIST = "/console/instances"


async def stored(gateway: Gateway, instance_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.call("GET", f"/instances/{instance_id}")).json
    return found


async def begun(person: Person, one: str, **fields: str) -> dict[str, str]:
    """The fields of the form as it stands now, with some typed over."""
    page = await person.get(f"{one}/edit")
    assert page.status == 200
    return {**sent(page.text, f"{one}/edit"), **fields}


async def test_names_tags_and_configuration_are_saved_and_the_log_names_what_changed(
    person: Person, sqlite_gateway: Gateway
) -> None:
    made = await sqlite_gateway.create("generic")
    one = f"{LIST}/{made['id']}"
    typed = {
        "instance.name": "Orders",
        "instance.tags": " a, b ,,a",
        "instance.description": "Two\r\nlines",
        "event.type.path": "kind",
    }
    page = await person.post(f"{one}/edit", await begun(person, one, **typed))
    assert (page.path, "is saved" in page.shown) == (one, True)
    found = await stored(sqlite_gateway, made["id"])
    assert (found["name"], found["tags"]) == ("Orders", ["a", "b"])
    audit = (await person.get("/console/settings/audit")).shown
    assert "Changed an instance" in audit
    assert "instance.name" in audit


async def test_saving_what_stands_there_changes_nothing(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic")
    one = f"{LIST}/{made['id']}"
    before = await stored(sqlite_gateway, made["id"])
    page = await person.post(f"{one}/edit", await begun(person, one))
    assert "Nothing was changed in “generic”" in page.shown
    assert await stored(sqlite_gateway, made["id"]) == before


async def test_a_secret_that_is_left_empty_stays_and_is_never_shown(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", token="gh-very-secret")
    one = f"{LIST}/{made['id']}"
    page = await person.get(f"{one}/edit")
    assert "gh-very-secret" not in page.text
    fields = await begun(person, one, owner="octo", repo="other", token="", **{"base.url": "http://127.0.0.1:9"})
    assert (await person.post(f"{one}/edit", fields)).path == one
    view = await sqlite_gateway.running.services.index.by_id(made["id"])
    assert view is not None
    assert (view.config.get("token"), view.config.get("repo")) == ("gh-very-secret", "other")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance.name", ""),
        ("instance.name", "x" * 300),
        ("instance.name", "<b></b>"),
        ("instance.tags", ",".join(map(str, range(60)))),
        ("instance.description", "x" * 1001),
        ("instance.description", "a\x07b"),
        ("event.notification.callback.url", "http://169.254.169.254/"),
        ("event.notification.callback.url", "gopher://x"),
        ("base.url", "http://10.0.0.1/"),
        ("event.notification.callback.headers", "X: a\r\nbroken"),
        ("event.poller.refresh_interval", "soon"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    person: Person, sqlite_gateway: Gateway, field: str, value: str
) -> None:
    made = await sqlite_gateway.create("generic")
    one = f"{LIST}/{made['id']}"
    before = await stored(sqlite_gateway, made["id"])
    page = await person.post(f"{one}/edit", await begun(person, one, **{"event.type.path": "my.kind", field: value}))
    assert page.status == 400
    assert f'id="{field}-problem"' in page.text
    assert "my.kind" in page.text
    assert await stored(sqlite_gateway, made["id"]) == before


async def test_credentials_that_the_vendor_refuses_are_not_saved(
    person: Person, sqlite_gateway: Gateway, there: Vendor
) -> None:
    base = {"base.url": f"{there.url}/api/v1", "username": API_KEY}
    made = await sqlite_gateway.create("closeio", **base)
    one = f"{LIST}/{made['id']}"
    page = await person.post(f"{one}/edit", await begun(person, one, **{**base, "username": "wrong-key"}))
    assert page.status == 400
    assert "refuses these credentials" in page.shown
    view = await sqlite_gateway.running.services.index.by_id(made["id"])
    assert view is not None
    assert view.config.get("username") == API_KEY


async def test_the_second_of_two_people_is_told_what_the_first_has_changed(
    person: Person, sqlite_gateway: Gateway
) -> None:
    made = await sqlite_gateway.create("generic")
    one = f"{LIST}/{made['id']}"
    mine = await begun(person, one, **{"instance.description": "mine"})
    async with signed_in(sqlite_gateway, "power_user") as other:
        theirs = await begun(other, one, **{"instance.name": "Theirs"})
        assert (await other.post(f"{one}/edit", theirs)).path == one
    told = await person.post(f"{one}/edit", mine)
    assert told.status == 409
    assert "Somebody else has changed this instance" in told.shown
    assert "Now: Theirs" in told.shown
    assert "power_user@example.com" in told.shown
    assert "you entered something else" not in told.shown
    assert (await stored(sqlite_gateway, made["id"]))["name"] == "Theirs"
    # What was not touched is theirs, what was typed is still there; saved again, both stand.
    again = sent(told.text, f"{one}/edit")
    assert (again["instance.name"], again["instance.description"]) == ("Theirs", "mine")
    assert (await person.post(f"{one}/edit", again)).path == one
    assert (await stored(sqlite_gateway, made["id"]))["name"] == "Theirs"
    assert "mine" in (await person.get(one)).shown


async def test_where_both_typed_the_second_decides(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("generic")
    one = f"{LIST}/{made['id']}"
    mine = await begun(person, one, **{"instance.name": "Mine"})
    await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json={"name": "Theirs"})
    told = await person.post(f"{one}/edit", mine)
    assert told.status == 409
    assert "you entered something else" in told.shown
    again = sent(told.text, f"{one}/edit")
    assert again["instance.name"] == "Mine"
    assert (await person.post(f"{one}/edit", again)).path == one
    assert (await stored(sqlite_gateway, made["id"]))["name"] == "Mine"


async def test_another_secret_is_told_without_being_shown(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github", token="gh-first-secret")
    one = f"{LIST}/{made['id']}"
    mine = await begun(person, one, owner="octo", repo="mine", token="", **{"base.url": "http://127.0.0.1:9"})
    await sqlite_gateway.call(
        "PATCH", f"/instances/{made['id']}", json={"configuration": {"token": "gh-second-secret"}}
    )
    told = await person.post(f"{one}/edit", mine)
    assert told.status == 409
    assert "another secret" in told.shown
    assert "gh-second-secret" not in told.text


async def test_a_new_token_that_the_gateway_fetched_is_no_change_of_another_person(
    person: Person, sqlite_gateway: Gateway
) -> None:
    made, database = await sqlite_gateway.create("generic"), sqlite_gateway.running.services.runtime.database
    one = f"{LIST}/{made['id']}"
    mine = await begun(person, one, **{"instance.name": "Mine"})
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE instances SET updated_at = updated_at + 5000 WHERE id = $1", made["id"])
    assert (await person.post(f"{one}/edit", mine)).path == one


@pytest.mark.parametrize("mark", ["", "{", "[]", "null", '{"instance.name": 5}', "x" * 100_000, '{"a' * 20_000])
async def test_marks_that_somebody_made_up_break_nothing(person: Person, sqlite_gateway: Gateway, mark: str) -> None:
    made = await sqlite_gateway.create("generic")
    one = f"{LIST}/{made['id']}"
    page = await person.post(f"{one}/edit", await begun(person, one, **{"instance.name": "New", "version": mark}))
    assert page.status in (200, 409)


async def test_the_fields_are_those_of_the_way_that_is_chosen(person: Person, sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("closeio")
    one = f"{LIST}/{made['id']}"
    assert 'id="username"' in (await person.get(f"{one}/edit")).text
    other = await person.get(f"{one}/edit?way=oauth2")
    assert 'id="oauth.api.key"' in other.text
    assert 'id="username"' not in other.text
    assert (await person.get(f"{one}/edit?way=nonsense")).status == 200


async def test_a_login_by_code_is_renewed_where_people_sign_in(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway, signed_in(gateway) as person:
        one = f"{LIST}/{await brought(gateway, there)}"
        assert f'href="{one}/sign-in"' in (await person.get(one)).text
        assert (await person.get(f"{one}/sign-in")).status == 200


async def test_who_goes_over_to_a_login_by_code_signs_in_next(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway, signed_in(gateway) as person:
        wanted = values(there, **{"api.key": API_KEY, "authentication.type": "key"})
        body = {"element": {"key": "vend-key"}, "name": "Vend", "configuration": wanted}
        answered = await gateway.call("POST", "/instances", json=body)
        assert answered.status == 200, answered.body
        one = f"{LIST}/{answered.json['id']}"
        page = await person.get(f"{one}/edit?way=code")
        led = await person.post(f"{one}/edit", sent(page.text, f"{one}/edit"))
        assert led.path == f"{one}/sign-in"
        assert led.status == 200
        assert "needs authentication" in (await person.get(one)).shown
