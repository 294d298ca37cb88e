"""The vendor: signs and sends as GitHub does, with the empty fields that vendors' webhooks are full of."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from aiohttp import web

from gateway.egress.model import Client, Outcome, Request

End = Literal["acknowledged", "duplicate", "refused"]

CREDENTIAL = "demo"
_REPOSITORY = {"id": 1296269, "full_name": "octo/hello", "description": None, "homepage": None}
_ADA = {"login": "ada", "name": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One webhook of the story, and how it has to end."""

    title: str
    event: str
    delivery: str
    body: bytes
    end: End = "acknowledged"
    forged: bool = False


def steps() -> list[Step]:
    """The webhooks of the story, in order."""
    issue = _body(
        action="opened",
        issue={
            "id": 2791, "number": 17, "title": "Empty fields everywhere", "body": None, "assignee": None,
            "milestone": None, "labels": [{"name": "bug", "description": None}], "updated_at": "2026-01-05T09:00:00Z",
        },
    )  # fmt: skip
    pull = _body(
        action="closed",
        pull_request={
            "id": 81, "merged": True, "score": 1.10, "requested_reviewers": [None, _ADA], "auto_merge": None,
            "head": {"ref": "nulls", "repo": None}, "body": "", "updated_at": "2026-01-05T09:01:00Z",
        },
    )  # fmt: skip
    release = _body(action="published", release={"id": 5, "tag_name": "v1", "name": None, "body": None})
    comment = orjson.dumps({"action": "created", "comment": {"id": 9, "body": "No empty field here."}})
    return [
        Step(title="An issue is opened", event="issues", delivery="d-1", body=issue),
        Step(title="A pull request is merged", event="pull_request", delivery="d-2", body=pull),
        Step(title="The first webhook comes again", event="issues", delivery="d-1", body=issue, end="duplicate"),
        Step(
            title="Somebody without the secret sends one",
            event="issues",
            delivery="d-3",
            body=issue,
            end="refused",
            forged=True,
        ),
        Step(title="A release is published; the consumer stumbles", event="release", delivery="d-4", body=release),
        Step(title="A comment without an empty field", event="issue_comment", delivery="d-5", body=comment),
    ]


@asynccontextmanager
async def api() -> AsyncIterator[str]:
    """The address of the vendor's API, as far as a new instance asks it: whose token this is."""
    app = web.Application()
    app.router.add_get("/user", _user)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _user(request: web.Request) -> web.Response:
    known = request.headers.get("Authorization") == f"Bearer {CREDENTIAL}"
    body = _ADA if known else {"message": "Bad credentials"}
    return web.Response(status=200 if known else 401, body=orjson.dumps(body), content_type="application/json")


async def send(client: Client, url: str, secret: str, step: Step) -> Outcome:
    """Send one webhook, signed under the secret, or under a wrong one where it is forged."""
    key = "not the secret" if step.forged else secret
    headers = (
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", step.event),
        ("X-GitHub-Delivery", step.delivery),
        ("X-Hub-Signature-256", "sha256=" + hmac.new(key.encode(), step.body, hashlib.sha256).hexdigest()),
    )
    return await client.send(Request(method="POST", url=url, headers=headers, body=step.body, timeout=10))


def _body(**parts: Any) -> bytes:
    return orjson.dumps({**parts, "repository": _REPOSITORY, "organization": None, "sender": _ADA})
