"""What vendors answer that keep a log, or remember how far one has read."""

from typing import Any

from tests.polling.shapes import Asked, Row, Shape


def _close(number: int, action: str, kind: str, at: str) -> Row:
    return {
        "id": f"ev_{number}", "organization_id": "orga_1", "user_id": "user_1", "request_id": "req_1",
        "date_created": at, "date_updated": at, "action": action, "object_type": kind, "object_id": f"{kind}_{number}",
        "lead_id": "lead_1", "changed_fields": ["name"], "meta": {}, "previous_data": {"name": "Before"},
        "data": {} if action == "deleted" else {"id": f"{kind}_{number}", "name": "After"},
    }  # fmt: skip


def _stripe(number: int, kind: str, at: int, **data: Any) -> Row:
    return {
        "id": f"evt_{number}", "object": "event", "api_version": "2025-03-31.basil", "created": at, "livemode": False,
        "pending_webhooks": 0, "request": {"id": None, "idempotency_key": None}, "type": kind, "data": {"object": data},
    }  # fmt: skip


def _message(ts: str, **more: Any) -> Row:
    return {"type": "message", "user": "U012AB3CDE", "text": "Hello", "ts": ts, **more}


def _file(number: int, at: str) -> Row:
    return {
        ".tag": "file", "id": f"id:{number}", "name": "a.txt", "path_lower": "/a.txt", "path_display": "/a.txt",
        "client_modified": at, "server_modified": at, "rev": f"015f{number:012d}", "size": 7, "is_downloadable": True,
    }  # fmt: skip


LOGS = (
    Shape(
        connector="closeio",
        poll="events",
        base="/api/v1",
        asked=(
            Asked(path="/api/v1/event/", query={"date_updated__gte": "2026-05-28T11:58:00Z", "_limit": "50"}),
            Asked(path="/api/v1/event/", query={"_cursor": "WzEsMl0", "_limit": "50"}),
        ),
        answers=(
            {
                "data": [
                    _close(3, "deleted", "contact", "2026-05-28T12:03:00.125000"),
                    _close(2, "updated", "lead", "2026-05-28T12:02:00.000001"),
                ],
                "cursor_next": "WzEsMl0",
                "cursor_previous": None,
            },
            {
                "data": [_close(1, "created", "lead", "2026-05-28T12:01:00")],
                "cursor_next": None,
                "cursor_previous": "W",
            },
        ),
        changes=(
            ("lead.created", "CREATED", "lead", "lead_1"),
            ("lead.updated", "UPDATED", "lead", "lead_2"),
            ("contact.deleted", "DELETED", "contact", "contact_3"),
        ),
    ),
    Shape(
        connector="stripe",
        poll="events",
        base="/v1",
        asked=(
            Asked(path="/v1/events", query={"created[gte]": "1779969480", "limit": "100"}),
            Asked(path="/v1/events", query={"created[gte]": "1779969480", "limit": "100", "starting_after": "evt_2"}),
        ),
        answers=(
            {
                "object": "list",
                "url": "/v1/events",
                "has_more": True,
                "data": [_stripe(2, "customer.subscription.deleted", 1779969700, id="sub_1", object="subscription")],
            },
            {
                "object": "list",
                "url": "/v1/events",
                "has_more": False,
                "data": [_stripe(1, "customer.created", 1779969650, id="cus_1", object="customer")],
            },
        ),
        changes=(
            ("customer.created", "CREATED", "customer", "cus_1"),
            ("customer.subscription.deleted", "DELETED", "subscription", "sub_1"),
        ),
    ),
    Shape(
        connector="slack",
        poll="messages",
        base="/api",
        config={"channel": "C012AB3CD"},
        asked=(
            Asked(
                path="/api/conversations.history",
                query={"channel": "C012AB3CD", "oldest": "1779969570", "inclusive": "true", "limit": "200"},
            ),
            Asked(
                path="/api/conversations.history",
                query={
                    "channel": "C012AB3CD",
                    "oldest": "1779969570",
                    "inclusive": "true",
                    "limit": "200",
                    "cursor": "bmV4dF90czo=",
                },
            ),
        ),
        answers=(
            {
                "ok": True,
                "messages": [_message("1779969700.000300", client_msg_id="c3a1")],
                "has_more": True,
                "pin_count": 0,
                "response_metadata": {"next_cursor": "bmV4dF90czo="},
            },
            {"ok": True, "messages": [_message("1779969650.000200")], "has_more": False, "pin_count": 0},
        ),
        changes=(
            ("message", "CREATED", "message", "1779969650.000200"),
            ("message", "CREATED", "message", "c3a1"),
        ),
    ),
    Shape(
        connector="dropbox",
        poll="entries",
        base="/2",
        before="AAEcursor1",
        token="sl.token",
        asked=(
            Asked(verb="POST", path="/2/files/list_folder/continue", body={"cursor": "AAEcursor1"}),
            Asked(verb="POST", path="/2/files/list_folder/continue", body={"cursor": "AAEcursor2"}),
        ),
        answers=(
            {"entries": [_file(1, "2026-05-28T12:01:00Z")], "cursor": "AAEcursor2", "has_more": True},
            {
                "entries": [{".tag": "deleted", "name": "b.txt", "path_lower": "/b.txt", "path_display": "/b.txt"}],
                "cursor": "AAEcursor3",
                "has_more": False,
            },
        ),
        changes=(("entry.updated", "UPDATED", "entry", "id:1"), ("entry.deleted", "DELETED", "entry", "/b.txt")),
    ),
)
