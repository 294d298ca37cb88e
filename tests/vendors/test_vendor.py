"""The simulated vendor is what other tests lean on: it behaves as it says, well and badly."""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.vendors import API_KEY, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Vendor, misbehaving, vendor

VERIFIER = "a-verifier-that-is-long-enough-for-the-standard-to-be-content"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        yield found


@pytest.fixture
async def session(there: Vendor) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        there.url, headers={"Authorization": aiohttp.encode_basic_auth(API_KEY, "")}
    ) as found:
        yield found


async def test_close_wants_a_key_that_it_knows(there: Vendor) -> None:
    async with aiohttp.ClientSession(there.url) as stranger, stranger.get("/api/v1/me/") as answer:
        assert answer.status == 401
    async with (
        aiohttp.ClientSession(there.url, headers={"Authorization": "Basic !"}) as odd,
        odd.get("/api/v1/me/") as no,
    ):
        assert no.status == 401


async def test_a_lead_is_made_read_changed_found_and_deleted(there: Vendor, session: aiohttp.ClientSession) -> None:
    made = await (await session.post("/api/v1/lead/", json={"name": 'Acme "1"'})).json()
    assert made["id"].startswith("lead_")
    assert (await (await session.get(f"/api/v1/lead/{made['id']}/")).json())["name"] == 'Acme "1"'
    await session.put(f"/api/v1/lead/{made['id']}/", json={"description": None, "url": "https://acme.example"})
    found = await (await session.get("/api/v1/lead/", params={"query": 'name:"acme \\"1\\""'})).json()
    assert [lead["url"] for lead in found["data"]] == ["https://acme.example"]
    assert (await (await session.get("/api/v1/lead/", params={"query": 'not name:"acme \\"1\\""'})).json())[
        "data"
    ] == []
    assert (await session.delete(f"/api/v1/lead/{made['id']}/")).status == 200
    gone = await session.get(f"/api/v1/lead/{made['id']}/")
    assert (gone.status, await gone.json()) == (404, {"error": "Empty query: Lead matching query does not exist."})
    assert there.close.all("lead") == []


async def test_lists_come_in_pages_that_say_whether_there_is_more(
    there: Vendor, session: aiohttp.ClientSession
) -> None:
    for number in range(5):
        there.close.add("lead", name=f"Lead {number}")
    sizes = []
    for skip in (0, 2, 4):
        page = await (await session.get("/api/v1/lead/", params={"_skip": skip, "_limit": 2})).json()
        sizes.append((len(page["data"]), page["has_more"]))
    assert sizes == [(2, True), (2, True), (1, False)]
    assert (await session.get("/api/v1/lead/", params={"_limit": 101})).status == 400


async def test_what_is_missing_is_said_field_by_field(session: aiohttp.ClientSession) -> None:
    task = await session.post("/api/v1/task/", json={})
    assert (task.status, (await task.json())["field-errors"]) == (
        400,
        {"lead_id": "This field is required.", "text": "This field is required."},
    )
    assert (await session.post("/api/v1/lead/", json={})).status == 400
    assert (await session.post("/api/v1/lead/", data=b"{", headers={"Content-Type": "application/json"})).status == 400


async def test_the_key_of_a_subscription_is_told_once(there: Vendor, session: aiohttp.ClientSession) -> None:
    made = await session.post("/api/v1/webhook/", json={"url": "https://here.example/x", "events": [{}]})
    subscription = await made.json()
    assert made.status == 201
    assert len(bytes.fromhex(subscription["signature_key"])) == 32
    again = await (await session.get(f"/api/v1/webhook/{subscription['id']}/")).json()
    assert "signature_key" not in again
    assert (await session.delete(f"/api/v1/webhook/{subscription['id']}/")).status == 204
    assert (await session.get(f"/api/v1/webhook/{subscription['id']}/")).status == 404
    assert there.close.all("webhook") == []


def agreed(there: Vendor, **more: str) -> str:
    """The code of somebody who has agreed."""
    params = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }
    back = there.oauth.agree(f"{there.url}/oauth2/authorize/?{urlencode(params)}")
    assert back["state"] == "s"
    return back["code"]


async def tokens(there: Vendor, **fields: str) -> tuple[int, dict[str, str]]:
    """What the token endpoint answers."""
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    async with (
        aiohttp.ClientSession(there.url) as plain,
        plain.post("/oauth2/token/", data={**client, **fields}) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_code_counts_once_and_only_with_its_verifier(there: Vendor) -> None:
    common = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    assert (await tokens(there, **common, code=agreed(there)))[0] == 400
    wrong = await tokens(there, **common, code=agreed(there), code_verifier="x" * 43)
    assert (wrong[0], wrong[1]["error"]) == (400, "invalid_grant")
    code = agreed(there)
    status, found = await tokens(there, **common, code=code, code_verifier=VERIFIER)
    assert status == 200
    assert there.oauth.is_valid(found["access_token"])
    assert (await tokens(there, **common, code=code, code_verifier=VERIFIER))[1]["error"] == "invalid_grant"


async def test_a_refresh_token_counts_once(there: Vendor) -> None:
    access, refresh = there.oauth.issue()
    there.oauth.expire()
    assert not there.oauth.is_valid(access)
    _, first = await tokens(there, grant_type="refresh_token", refresh_token=refresh)
    assert first["refresh_token"] != refresh
    status, second = await tokens(there, grant_type="refresh_token", refresh_token=refresh)
    assert (status, second["error"]) == (400, "invalid_grant")
    assert (await tokens(there, grant_type="refresh_token", refresh_token=first["refresh_token"]))[0] == 200
    assert there.oauth.given == {"refresh_token": 2}


async def test_an_application_speaks_for_itself_with_its_secret_only(there: Vendor) -> None:
    assert (await tokens(there, grant_type="client_credentials"))[0] == 200
    status, refused = await tokens(there, grant_type="client_credentials", client_secret="wrong")
    assert (status, refused["error"]) == (401, "invalid_client")


async def test_bad_manners_come_in_turn_and_end(there: Vendor, session: aiohttp.ClientSession) -> None:
    there.next(misbehaving.too_many({"Retry-After": "2"}), *misbehaving.burst(2), on="/api/v1/me")
    statuses = []
    for _ in range(4):
        async with session.get("/api/v1/me/") as answer:
            statuses.append(answer.status)
    assert statuses == [429, 503, 503, 200]
    there.always(misbehaving.html())
    assert (await session.get("/api/v1/lead/")).content_type == "text/html"
    there.behave()
    assert (await session.get("/api/v1/lead/")).status == 200


@pytest.mark.parametrize("act", [misbehaving.nothing(), misbehaving.half()])
async def test_a_connection_that_is_cut_is_an_error_of_the_client(
    there: Vendor, session: aiohttp.ClientSession, act: misbehaving.Act
) -> None:
    there.always(act)  # the client itself tries once more
    with pytest.raises(aiohttp.ClientError):
        async with session.get("/api/v1/me/") as answer:
            await answer.read()


async def test_who_leaves_early_is_noticed(there: Vendor, session: aiohttp.ClientSession) -> None:
    there.next(misbehaving.slow_head())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), session.get("/api/v1/me/"):
            pass
    assert await there.wait_left() == ["/api/v1/me/"]


async def test_a_bomb_is_small_on_the_wire(there: Vendor, session: aiohttp.ClientSession) -> None:
    there.next(misbehaving.bomb(4))
    async with session.get("/api/v1/me/") as answer:
        assert len(await answer.read()) == 4 << 20
    there.next(misbehaving.bomb(4))
    async with session.get("/api/v1/me/", auto_decompress=False) as answer:
        assert len(await answer.read()) < 1 << 16
