"""Prebuilt requests of a vendor: 1 KiB of JSON with some nulls, signed as GitHub signs."""

import hashlib
import hmac

import orjson

SIZE = 1024


def body(number: int, size: int = SIZE) -> bytes:
    """One delivery's body, as dense as vendors' are; `seq` is how the sink knows it again."""
    labels: list[object] = []
    document = {
        "seq": number,
        "action": "opened",
        "issue": {"id": number, "title": f"Issue {number}", "body": None, "closed_at": None, "labels": labels},
        "repository": {"id": 1, "full_name": "octo/hello", "license": None, "private": False},
        "sender": {"login": "octocat", "name": None},
        "padding": "",
    }
    while len(orjson.dumps(document)) < size - 100:
        one = len(labels) + 1
        labels.append({"id": one, "name": f"label {one}", "color": "fc2929", "description": None if one % 3 else "bug"})
    document["padding"] = "x" * max(0, size - len(orjson.dumps(document)))
    return orjson.dumps(document)


def request(path: str, secret: str, number: int, run: str, size: int = SIZE) -> bytes:
    """A whole HTTP request."""
    content = body(number, size)
    digest = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: gateway.test\r\nUser-Agent: GitHub-Hookshot/abc\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: {run}-{number}\r\n"
        f"X-Hub-Signature-256: sha256={digest}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
