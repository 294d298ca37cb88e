"""Connectors in the console: looking for one, its page, its form, and what is shown of a new instance once."""

import re
from dataclasses import replace

from gateway.accounts.directory.editing import Wanted, created
from tests.console.person import Page, Person, first_account, signed_in
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.vendors import API_KEY, vendor

GENERIC = "/console/connectors/generic/authenticate"
CLOSE = "/console/connectors/closeio/authenticate"
USUAL = {"event.notification.enabled": "true", "filter.response.nulls": "true", "event.vendor.type": "webhook"}


def names(page: Page) -> list[str]:
    """The connectors on a page of cards."""
    return re.findall(r'<h2><a href="/console/connectors/([^"]+)">', page.text)


async def made(person: Person, consumer: Consumer | None = None, **fields: str) -> Page:
    """The next steps of a new instance of the generic connector."""
    callback = {"event.notification.callback.url": consumer.url()} if consumer is not None else {}
    return await person.post(
        GENERIC, {"instance.name": "Orders", "authentication.type": "none", **USUAL, **callback, **fields}
    )


def secrets(page: Page) -> dict[str, str]:
    """What can be copied from a page, by the field's id."""
    return dict(re.findall(r'<input id="([a-z-]+)" value="([^"]*)" readonly', page.text))


async def test_the_catalogue_shows_every_connector_and_what_it_can_do(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "end_user") as person:
        page = await person.get("/console/connectors")
    known = sqlite_gateway.running.services.runtime.catalogue
    assert sorted(names(page)) == sorted(one.key for one in known)
    assert len(page.text) < 200_000
    assert f"{len(known)} connectors" in page.shown


async def test_a_search_goes_by_name_key_and_what_it_is_for(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway, "end_user") as person:
        assert names(await person.get("/console/connectors?q=sfdc")) == ["sfdc"]
        assert names(await person.get("/console/connectors?q=SALES+force"))[0] == "sfdc"
        assert names(await person.get("/console/connectors?q=close"))[0] == "closeio"
        assert "pushbullet" not in names(await person.get("/console/connectors?can=webhook"))
        assert set(names(await person.get("/console/connectors?hub=crm&can=polling"))) >= {"closeio", "hubspot"}
        nothing = await person.get("/console/connectors?q=%3Cscript%3Ealert(1)&hub=x&can=y&page=-1")
    assert names(nothing) == []
    assert "No connector matches" in nothing.shown
    assert "<script>alert" not in nothing.text


async def test_another_partners_connector_is_nowhere(sqlite_gateway: Gateway) -> None:
    catalogue = sqlite_gateway.running.services.runtime.catalogue
    generic = catalogue.get("generic")
    assert generic is not None
    catalogue.bring([replace(generic, key="theirs", name="Theirs", partner_id="somebody")])
    async with signed_in(sqlite_gateway) as person:
        assert names(await person.get("/console/connectors?q=theirs")) == []
        assert (await person.get("/console/connectors/theirs")).status == 404
        assert (await person.get("/console/connectors/theirs/authenticate")).status == 404
        assert (await person.post("/console/connectors/theirs/authenticate", USUAL)).status == 404


async def test_every_connector_has_a_page_and_a_form_for_each_way(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        for connector in sqlite_gateway.running.services.runtime.catalogue:
            own = f"/console/connectors/{connector.key}"
            assert (await person.get(own)).status == 200, connector.key
            for way in connector.auth:
                page = await person.get(f"{own}/authenticate?way={way}")
                assert page.status == 200, (connector.key, way)
                assert "</html>" in page.text


async def test_a_form_asks_only_for_what_its_way_needs(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        first, login = await person.get(CLOSE), await person.get(f"{CLOSE}?way=oauth2")
    assert 'name="username"' in first.text
    assert 'name="oauth.api.key"' not in first.text
    assert 'name="username"' not in login.text
    assert 'id="oauth.api.secret" name="oauth.api.secret" type="password"' in login.text
    assert f"{sqlite_gateway.url}/console/oauth/callback" in login.text
    assert "oauth.user.token" not in login.text


async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(sqlite_gateway: Gateway) -> None:
    sent = {
        "instance.name": 'a "name" <b>',
        "authentication.type": "basic",
        "username": "ada & co",
        "password": "hunter2-hunter2",
        "event.notification.enabled": "true",
        "event.notification.callback.url": "http://10.1.2.3/inside",
        "event.notification.callback.headers": "X-A: b\r\nX A: c",
    }
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(GENERIC, sent)
    assert page.status == 400
    assert "2 fields need your attention" in page.shown
    assert 'id="event.notification.callback.url-problem"' in page.text
    assert 'id="event.notification.callback.headers-problem"' in page.text
    assert 'value="http://10.1.2.3/inside"' in page.text
    assert 'value="ada &amp; co"' in page.text
    assert 'value="a &#34;name&#34; &lt;b&gt;"' in page.text
    assert "hunter2" not in page.text
    assert "Enter it again" in page.shown
    assert 'name="filter.response.nulls" type="checkbox" value="true" checked' not in page.text
    assert (await sqlite_gateway.call("GET", "/instances")).json == []


async def test_a_missing_entry_is_named_by_its_name(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.post(GENERIC, {"instance.name": "", "authentication.type": "basic", **USUAL})
    assert page.status == 400
    assert "User name is required" in page.shown


async def test_credentials_that_the_vendor_refuses_are_not_stored(sqlite_gateway: Gateway) -> None:
    async with vendor() as there, signed_in(sqlite_gateway) as person:
        fields = {"authentication.type": "api_key", "username": "wrong", "base.url": f"{there.url}/api/v1", **USUAL}
        page = await person.post(CLOSE, {"instance.name": "Close", **fields})
        assert page.status == 400
        assert "Close refuses these credentials." in page.shown
        assert "What the vendor says" in page.shown
        assert (await sqlite_gateway.call("GET", "/instances")).json == []


async def test_an_instance_is_made_after_its_vendor_was_asked_and_is_registered(sqlite_gateway: Gateway) -> None:
    async with vendor() as there, signed_in(sqlite_gateway) as person:
        fields = {"authentication.type": "api_key", "username": API_KEY, "base.url": f"{there.url}/api/v1", **USUAL}
        page = await person.post(CLOSE, {"instance.name": "Close", **fields})
        assert page.path == "/console/instances/1/next", page.shown
        assert there.to("/api/v1/me/")
        assert "The gateway registers its address at Close automatically" in page.shown
        found = (await sqlite_gateway.call("GET", "/instances/1")).json
    assert found["valid"] is True
    assert found["element"]["key"] == "closeio"
    assert found["configuration"]["event.notification.enabled"] == "true"
    audit = await sqlite_gateway.running.services.runtime.database.all("SELECT act FROM audit")
    assert "instance.created" in {row["act"] for row in audit}


async def test_secrets_are_shown_once_and_to_nobody_else(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person, signed_in(sqlite_gateway, "power_user") as other:
        first = await made(person)
        shown = secrets(first)
        assert shown["webhook-url"].startswith(f"{sqlite_gateway.url}/in/")
        assert shown["signing-secret"].startswith("whsec_")
        assert shown["webhook-secret"].startswith("whsec_")
        token = (await sqlite_gateway.call("GET", "/instances/1")).json["token"]
        assert shown["element-token"] == token
        again = await person.get("/console/instances/1/next")
        sealed = re.findall(r'name="made" value="([^"]+)"', first.text)[0]
        theirs = await other.post("/console/instances/1/test", {"made": sealed})
    assert again.status == theirs.status == 200
    for page in (again, theirs):
        assert secrets(page) == {}
        assert "They were shown only once" in page.shown
        assert all(value not in page.text for value in shown.values())


async def test_a_made_up_envelope_of_secrets_shows_none(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        await made(person)
        for text in ("", "x", "ü", "A" * 40, "A" * 5000):
            page = await person.post("/console/instances/1/test", {"made": text})
            assert page.status == 200
            assert secrets(page) == {}


async def test_a_test_event_is_delivered_and_the_secrets_stay_in_sight(
    sqlite_gateway: Gateway, receiver: Consumer
) -> None:
    async with signed_in(sqlite_gateway, "limited_power_user") as person:
        first = await made(person, receiver)
        sealed = re.findall(r'name="made" value="([^"]+)"', first.text)[0]
        page = await person.post("/console/instances/1/test", {"made": sealed})
        [arrived] = await receiver.wait(1)
        assert page.status == 200
        assert "The test event was accepted." in page.shown
        assert f'href="/console/events/{arrived.id}"' in page.text
        assert secrets(page) == secrets(first)
        unknown = await person.post("/console/instances/1/test", {"sample": "<b>no such</b>"})
        assert unknown.status == 409
        assert "<b>no such" not in unknown.text


async def test_markup_in_a_name_is_text(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        await made(person, None, **{"instance.name": "Tom & Jerry \u202e"})
        page = await person.get("/console/instances/1/next")
    assert "Tom &amp; Jerry \u202e" in page.text


async def test_who_only_reads_sees_no_way_to_authenticate(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        await made(person)
    async with signed_in(sqlite_gateway, "end_user") as person:
        page = await person.get("/console/connectors/closeio")
        assert "/authenticate" not in page.text
        for path in (
            CLOSE,
            "/console/instances/1/next",
            "/console/instances/1/sign-in",
            "/console/oauth/start?instance=1",
        ):
            assert (await person.get(path)).status == 403, path
        assert (await person.post(GENERIC, USUAL)).status == 403
        assert (await person.post("/console/instances/1/test")).status == 403


async def test_another_accounts_instance_is_not_there(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        await made(person)
    rooms, partner = sqlite_gateway.running.services, (await first_account(sqlite_gateway)).partner_id
    account = await created(rooms.runtime.database, rooms.reception, partner, Wanted(name="Other"))
    async with signed_in(sqlite_gateway, "power_user", account) as person:
        for path in ("next", "sign-in"):
            assert (await person.get(f"/console/instances/1/{path}")).status == 404
        assert (await person.post("/console/instances/1/test")).status == 404
        assert "1 instance" not in (await person.get("/console/connectors/generic")).shown


async def test_the_road_of_events_is_told_as_it_is(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        assert "as the URL for webhooks" in (await made(person)).shown
        off = await person.post(GENERIC, {"instance.name": "Off", "authentication.type": "none"})
        assert "Events are switched off" in off.shown
        polled = {"event.vendor.type": "polling", "poll.path": "x", "base.url": "http://127.0.0.1:9"}
        asked = await person.post(GENERIC, {"instance.name": "P", "authentication.type": "none", **USUAL, **polled})
        assert "The gateway polls Generic HTTP for changes" in asked.shown
