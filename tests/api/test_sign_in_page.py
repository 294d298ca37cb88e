"""`/account/signinwithtoken`: what a person sees, and where they cannot be sent."""

from pathlib import Path

import pytest

from gateway.accounts import sign_in
from gateway.accounts.directory import store as directory
from gateway.accounts.model import Account
from gateway.api.onwards import own_path
from tests.kit.gateway import Answered, Gateway, settings, started

PATH = "/account/signinwithtoken"


async def account(gateway: Gateway) -> Account:
    database = gateway.running.services.runtime.database
    row = await database.one("SELECT account_id FROM users ORDER BY id LIMIT 1")
    assert row is not None
    found = await directory.get(database, row["account_id"])
    assert found is not None
    return found


async def token(gateway: Gateway, username: str = "user@example.com") -> str:
    made = await sign_in.make(gateway.running.services.runtime.database, await account(gateway), username)
    return made.token


async def follow(gateway: Gateway, token: str, **query: str) -> Answered:
    return await gateway.call("GET", PATH, params={"token": token, **query}, headers={}, allow_redirects=False)


def is_page(answered: Answered, status: int) -> str:
    assert answered.status == status, answered.body
    assert answered.headers["Content-Type"].startswith("text/html")
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    assert answered.headers["Cache-Control"] == "no-store"
    assert answered.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
    return answered.body.decode()


async def test_a_person_is_signed_in_once_and_told_as_whom(gateway: Gateway) -> None:
    link = await token(gateway, "<b>bob</b>")
    answered = await follow(gateway, link)
    assert (answered.status, answered.headers["Location"]) == (303, "/console")
    cookie = answered.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    secret = cookie.partition("=")[2].partition(";")[0]
    session = await sign_in.session_of(gateway.running.services.runtime.database, secret)
    assert session is not None
    assert session.user.username == "<b>bob</b>"
    again = await follow(gateway, link)
    assert "bob" not in is_page(again, 410)
    assert "Set-Cookie" not in again.headers


async def test_who_came_in_by_a_link_stands_in_the_audit_log(sqlite_gateway: Gateway) -> None:
    assert (await follow(sqlite_gateway, await token(sqlite_gateway, "bob"))).status == 303
    rows = await sqlite_gateway.running.services.runtime.database.all("SELECT act, username, account_id FROM audit")
    assert [tuple(row.values()) for row in map(dict, rows)] == [
        ("session.begun", "bob", (await account(sqlite_gateway)).id)
    ]


async def test_a_link_that_is_late_or_made_up_is_a_clear_page(sqlite_gateway: Gateway) -> None:
    for made_up in ("", "x", "0" * 37, "x" * 5000, "é", "\x00", "../.."):
        shown = is_page(await follow(sqlite_gateway, made_up), 400)
        assert "not valid" in shown
    link = await token(sqlite_gateway)
    async with sqlite_gateway.running.services.runtime.database.transaction() as transaction:
        await transaction.execute("UPDATE sign_in_tokens SET expires_at = created_at - 1")
    assert "expired" in is_page(await follow(sqlite_gateway, link), 410)
    is_page(await sqlite_gateway.call("GET", PATH, headers={}), 400)
    is_page(await sqlite_gateway.call("POST", PATH, headers={}), 405)


async def test_looking_ahead_with_head_does_not_use_the_link_up(sqlite_gateway: Gateway) -> None:
    link = await token(sqlite_gateway)
    assert (await sqlite_gateway.call("HEAD", PATH, params={"token": link}, headers={})).status == 405
    assert (await follow(sqlite_gateway, link)).status == 303


async def test_a_person_is_sent_on_within_the_gateway_only(sqlite_gateway: Gateway) -> None:
    answered = await follow(sqlite_gateway, await token(sqlite_gateway), returnUrl="/launch?a=ü&b=%2F#top")
    assert (answered.status, answered.headers["Location"]) == (303, "/launch?a=%C3%BC&b=%2F#top")
    assert "HttpOnly" in answered.headers["Set-Cookie"]
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        answered = await follow(sqlite_gateway, await token(sqlite_gateway), returnUrl=elsewhere)
        assert (answered.status, answered.headers["Location"]) == (303, "/console")
        assert "evil" not in answered.body.decode()


async def test_behind_tls_the_cookie_is_this_hosts_alone(tmp_path: Path) -> None:
    public = settings(
        tmp_path, "", server={"port": 0, "shutdown_grace": "1s", "public_url": "https://hooks.example.com"}
    )
    async with started(public) as gateway:
        cookie = (await follow(gateway, await token(gateway))).headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain=" not in cookie.lower()


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "//x", "///x", "/\\x", "\\\\x", "/a\\b", "http://x", "https:/x", " /x", "/x\n", "/\t/x", "/\x00",
        "/\u2028", "/a b", "/" + "x" * 3000, "?a", "#a",
    ],
)  # fmt: skip
def test_what_is_no_path_of_this_gateway_is_no_address_to_go_on_to(address: str) -> None:
    assert own_path(address) is None


@pytest.mark.parametrize("address", ["/", "/console", "/a/b?c=d&e=%20#f", "/a//b", "/@x", "/:80"])
def test_a_path_stays_as_it_is(address: str) -> None:
    assert own_path(address) == address
