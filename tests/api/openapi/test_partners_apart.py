"""A second partner walks every operation with the first one's ids: it sees, calls and changes nothing."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.api.openapi.scene import MARK, Scene, of, scene
from tests.api.openapi.test_answers import ENDLESS

#: Paths whose places name something that belongs to no partner, or to the caller.
_NOBODYS = ("/elements/{keyOrId}", "/v1.0/connectors", "/v1.0/methods")
#: Numbers are counted for everybody together.
_SHARED = {"sequences"}


def rows(file: Path) -> Counter[tuple[str, str]]:
    """Every row of the database, by its table."""
    found: Counter[tuple[str, str]] = Counter()
    with sqlite3.connect(file) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in set(tables) - _SHARED:
            found.update((table, repr(row)) for row in database.execute(f'SELECT * FROM "{table}"'))
    return found


def named(document: Mapping[str, Any], operation: Mapping[str, Any], there: Scene) -> list[dict[str, Any]]:
    """The operation's queries: none, and one that names what is the first partner's wherever it can."""
    del document
    ids = {
        "account_id": there.ids["/api/v1/accounts", "account_id"],
        "partner_id": there.ids["/api/v1/partners", "id"],
        "instance_id": there.ids["/api/v1/instances", "id"],
        "event_id": there.ids["/api/v1/events", "id"],
        "tags[]": MARK,
        "searchText": MARK,
    }
    names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    return [{}, *({name: str(ids[name])} for name in names if name in ids)]


def bodies(there: Scene, operation: Mapping[str, Any]) -> list[Any]:
    """The example, and bodies that name what is the first partner's."""
    content = operation.get("requestBody", {}).get("content")
    if content is None:
        return [None]
    media = next(iter(content.values()))
    known = media["schema"].get("properties", {})
    account = there.ids["/api/v1/accounts", "account_id"]
    wished = {
        "filter": {"instance_id": there.ids["/api/v1/instances", "id"]},
        "destination_id": 1,
        "account_id": account,
        "AccountId": there.cyclr.account,
        "ParentAccountId": there.cyclr.account,
        "scope": f"account:{there.cyclr.account}",
        "reason": "mine",
        "everything": True,
    }
    example = media.get("example", {})
    return [example, {**example, **{name: value for name, value in wished.items() if name in known}}]


async def test_a_second_partner_sees_calls_and_changes_nothing_of_the_first(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with scene(tmp_path) as there:
        await _quiet(tmp_path / "gateway.db")
        before, calls = rows(tmp_path / "gateway.db"), len(there.cyclr.there.requests)
        for method, path, operation in there.operations():
            for query in named(there.document, operation, there):
                for body in bodies(there, operation):
                    for account in (there.cyclr.account, there.other_account):
                        headers = there.headers(there.other, operation, account)
                        wrong += await _walked(there, method, path, operation, headers, query, body)
        assert [one.path for one in there.cyclr.there.requests[calls:]] == []
        for way, path in (("secrets", "/api/v1/instances"), ("bearer", "/api/partner/accounts")):
            assert (await there.ask("GET", path, there.other[way])).status == 200, "it has shut itself out on its way"
        await _quiet(tmp_path / "gateway.db")
        after = rows(tmp_path / "gateway.db")
        wrong += _changes(there, before, after)
    assert not wrong, "\n".join(wrong)


async def _walked(
    there: Scene,
    method: str,
    path: str,
    operation: Mapping[str, Any],
    headers: dict[str, str],
    query: dict[str, Any],
    body: Any,
) -> list[str]:
    name = operation["operationId"]
    if name == ENDLESS and "instance_id" not in query:
        return []
    form = "application/x-www-form-urlencoded" in operation.get("requestBody", {}).get("content", {})
    sent = {} if body is None else {"data" if form else "json": body}
    answered = await there.ask(method, there.filled(path), headers, params=query, **sent)
    place = f"{method} {path} {query} {body}: {of(answered)}"
    if answered.status >= 500:
        return [place]
    own = f"{answered.body.decode('utf-8', 'replace')} {dict(answered.headers)}"
    if MARK in own.replace(_echoed(query, body), ""):
        return [f"tells of the first partner: {place}"]
    is_named = "{" in path and not path.removeprefix("/elements/api-v2").startswith(_NOBODYS)
    if is_named and answered.status < 400:
        return [f"was not refused: {place}"]
    return []


def _echoed(query: Mapping[str, Any], body: Any) -> str:
    del body
    return MARK if MARK in query.values() else "\x00"


def _changes(there: Scene, before: Counter[tuple[str, str]], after: Counter[tuple[str, str]]) -> list[str]:
    """Rows that are gone or other than they were, and new ones that name the first partner or its accounts."""
    owners = (
        there.ids["/api/v1/partners", "id"],
        there.ids["/api/v1/accounts", "account_id"],
        there.cyclr.account.replace("-", ""),
    )
    gone = [f"gone: {table} {row}" for table, row in before - after]
    new = [f"new: {table} {row}" for table, row in after - before if any(str(one) in row for one in owners)]
    return gone + new


async def _quiet(file: Path) -> None:
    """Wait until nothing is under way any more."""
    last = rows(file)
    for _ in range(100):
        await asyncio.sleep(0.2)
        now = rows(file)
        if now == last:
            return
        last = now
    raise AssertionError("the gateway does not come to rest")
