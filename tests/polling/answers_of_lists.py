"""What vendors answer that list their objects by their last change."""

from tests.polling.shapes import Asked, Row, Shape


def _issue(number: int, created: str, updated: str) -> Row:
    return {
        "id": number, "node_id": f"I_{number}", "number": number, "title": "Found a bug", "state": "open",
        "user": {"login": "octocat", "id": 1}, "labels": [], "comments": 0, "created_at": created,
        "updated_at": updated, "closed_at": None, "author_association": "MEMBER", "body": None,
    }  # fmt: skip


def _contact(number: int, created: str, updated: str) -> Row:
    return {
        "id": str(number), "properties": {"email": "a@example.com", "lastmodifieddate": updated, "createdate": created},
        "createdAt": created, "updatedAt": updated, "archived": False,
    }  # fmt: skip


def _order(number: int, created: str, updated: str) -> Row:
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/Order/{number}", "created_at": created,
        "updated_at": updated, "total_price": "409.94", "currency": "USD", "line_items": [], "customer": None,
    }  # fmt: skip


def _account(number: int, created: str, updated: str, *, deleted: bool = False) -> Row:
    id_ = f"001D{number:011d}IAZ"
    return {
        "attributes": {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{id_}"}, "Id": id_,
        "IsDeleted": deleted, "Name": "Acme", "CreatedDate": created, "SystemModstamp": updated,
    }  # fmt: skip


def _jira(number: int, created: str, updated: str) -> Row:
    return {
        "id": str(number), "key": f"ED-{number}", "self": f"https://acme.atlassian.net/rest/api/3/issue/{number}",
        "fields": {"summary": "Main order flow", "created": created, "updated": updated, "assignee": None},
    }  # fmt: skip


def _ticket(number: int, created: str, updated: str) -> Row:
    return {
        "id": number, "result_type": "ticket", "url": f"https://acme.zendesk.com/api/v2/tickets/{number}.json",
        "subject": "Help", "status": "open", "created_at": created, "updated_at": updated, "custom_fields": [],
    }  # fmt: skip


SEARCH = {
    "filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1779969480000"}]}],
    "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
    "limit": 100,
}
ISSUES = {"state": "all", "sort": "updated", "direction": "asc", "per_page": "100"}
ORDERS = {"status": "any", "order": "updated_at asc", "limit": "250"}
SOQL = "SELECT FIELDS(STANDARD) FROM Account WHERE SystemModstamp >= 2026-05-28T11:58:00Z ORDER BY SystemModstamp, Id"


LISTS = (
    Shape(
        connector="github",
        poll="issues",
        asked=(
            Asked(path="/repos/octo/hello/issues", query={**ISSUES, "since": "2026-05-28T11:59:00Z"}),
            # Pages by number slide while issues change: it goes on from the last record.
            Asked(path="/repos/octo/hello/issues", query={**ISSUES, "since": "2026-05-28T12:01:00Z"}),
        ),
        answers=(
            [_issue(1, "2026-05-28T12:00:59Z", "2026-05-28T12:01:00Z")],
            [
                _issue(1, "2026-05-28T12:00:59Z", "2026-05-28T12:01:00Z"),
                # A pull request is in the list of issues too, under another id than its own.
                {**_issue(3, "2026-05-28T12:01:29Z", "2026-05-28T12:01:30Z"), "pull_request": {"url": "https://x"}},
                _issue(2, "2011-04-22T13:33:48Z", "2026-05-28T12:02:00Z"),
            ],
        ),
        links=('<{url}/repositories/1/issues?page=2>; rel="next", <{url}/repositories/1/issues?page=2>; rel="last"',),
        changes=(("issues.created", "CREATED", "issues", "1"), ("issues.updated", "UPDATED", "issues", "2")),
    ),
    Shape(
        connector="github",
        poll="pulls",
        asked=(Asked(path="/repos/octo/hello/pulls", query={**ISSUES, "direction": "desc"}),),
        answers=(
            [
                _issue(6, "2026-05-28T12:02:29Z", "2026-05-28T12:02:30Z"),
                _issue(5, "2011-04-22T13:33:48Z", "2026-05-28T12:02:00Z"),
                _issue(4, "2011-04-22T13:33:48Z", "2026-05-28T11:00:00Z"),
            ],
        ),
        changes=(
            ("pull_request.updated", "UPDATED", "pull_request", "5"),
            ("pull_request.created", "CREATED", "pull_request", "6"),
        ),
    ),
    Shape(
        connector="hubspot",
        poll="objects",
        asked=(
            Asked(verb="POST", path="/crm/v3/objects/contacts/search", body=SEARCH),
            # The search ends at 10,000 records: it goes on from the last one, and not by its cursor.
            Asked(
                verb="POST",
                path="/crm/v3/objects/contacts/search",
                body={
                    **SEARCH,
                    "filterGroups": [
                        {"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1779969661123"}]}
                    ],
                },
            ),
        ),
        answers=(
            {
                "total": 2,
                "results": [_contact(151, "2026-05-28T12:01:00.500Z", "2026-05-28T12:01:01.123Z")],
                "paging": {"next": {"after": "100", "link": "?after=100"}},
            },
            {"total": 1, "results": [_contact(152, "2025-01-01T00:00:00Z", "2026-05-28T12:01:30Z")]},
        ),
        changes=(
            ("contacts.created", "CREATED", "contacts", "151"),
            ("contacts.updated", "UPDATED", "contacts", "152"),
        ),
    ),
    Shape(
        connector="shopify",
        poll="orders",
        base="/admin/api/2026-04",
        asked=(
            Asked(path="/admin/api/2026-04/orders.json", query={**ORDERS, "updated_at_min": "2026-05-28T11:58:00Z"}),
            Asked(path="/admin/api/2026-04/orders.json", query={**ORDERS, "updated_at_min": "2026-05-28T12:01:00Z"}),
        ),
        answers=(
            {"orders": [_order(450789469, "2026-05-28T08:00:58-04:00", "2026-05-28T08:01:00-04:00")]},
            {"orders": [_order(450789470, "2026-05-01T08:00:58-04:00", "2026-05-28T08:02:00-04:00")]},
        ),
        links=('<{url}/admin/api/2026-04/orders.json?limit=250&page_info=eyJsYXN0>; rel="next"',),
        changes=(
            ("orders/created", "CREATED", "orders", "450789469"),
            ("orders/updated", "UPDATED", "orders", "450789470"),
        ),
    ),
    Shape(
        connector="shopify",
        poll="products",
        base="/admin/api/2026-04",
        asked=(
            Asked(
                path="/admin/api/2026-04/products.json",
                query={"limit": "250", "updated_at_min": "2026-05-28T11:58:00Z"},
            ),
            Asked(path="/admin/api/2026-04/products.json", query={"limit": "250", "page_info": "eyJsYXN0"}),
        ),
        answers=(
            {"products": [_order(1, "2026-05-28T12:00:58Z", "2026-05-28T12:01:00Z")]},
            {"products": [_order(2, "2026-05-01T12:00:58Z", "2026-05-28T12:00:30Z")]},
        ),
        links=('<{url}/admin/api/2026-04/products.json?limit=250&page_info=eyJsYXN0>; rel="next"',),
        changes=(("products/updated", "UPDATED", "products", "2"), ("products/created", "CREATED", "products", "1")),
    ),
    Shape(
        connector="sfdc",
        poll="accounts",
        base="/services/data/v62.0",
        token="00D-token",
        asked=(
            Asked(path="/services/data/v62.0/queryAll", query={"q": SOQL}),
            Asked(path="/services/data/v62.0/query/01gD0000002HU6KIAW-2000"),
        ),
        answers=(
            {
                "totalSize": 2,
                "done": False,
                "nextRecordsUrl": "/services/data/v62.0/query/01gD0000002HU6KIAW-2000",
                "records": [_account(1, "2026-05-28T12:00:58.000+0000", "2026-05-28T12:01:00.000+0000")],
            },
            {
                "totalSize": 2,
                "done": True,
                "records": [_account(2, "2025-05-28T12:00:58.000+0000", "2026-05-28T12:02:00.000+0000", deleted=True)],
            },
        ),
        changes=(
            ("Account.created", "CREATED", "Account", "001D00000000001IAZ"),
            ("Account.deleted", "DELETED", "Account", "001D00000000002IAZ"),
        ),
    ),
    Shape(
        connector="jira",
        poll="issues",
        asked=(
            Asked(
                path="/rest/api/3/search/jql",
                query={
                    "jql": "updated >= 1779969480000 ORDER BY updated ASC, id ASC",
                    "fields": "*navigable",
                    "maxResults": "100",
                },
            ),
            Asked(
                path="/rest/api/3/search/jql",
                query={
                    "jql": "updated >= 1779969480000 ORDER BY updated ASC, id ASC",
                    "fields": "*navigable",
                    "maxResults": "100",
                    "nextPageToken": "CAEaAggD",
                },
            ),
        ),
        answers=(
            {
                "issues": [_jira(10001, "2026-05-28T14:00:59.100+0200", "2026-05-28T14:01:00.123+0200")],
                "nextPageToken": "CAEaAggD",
                "isLast": False,
            },
            {"issues": [_jira(10002, "2025-05-28T14:01:00.000+0200", "2026-05-28T14:02:00.000+0200")], "isLast": True},
        ),
        changes=(
            ("jira:issue.created", "CREATED", "jira:issue", "10001"),
            ("jira:issue.updated", "UPDATED", "jira:issue", "10002"),
        ),
    ),
    Shape(
        connector="zendesk",
        poll="tickets",
        base="/api/v2",
        asked=(
            Asked(
                path="/api/v2/search/export.json",
                query={"query": "updated>=2026-05-28T11:50:00Z", "filter[type]": "ticket", "page[size]": "100"},
            ),
            Asked(
                path="/api/v2/search/export.json",
                query={
                    "query": "updated>=2026-05-28T11:50:00Z",
                    "filter[type]": "ticket",
                    "page[size]": "100",
                    "page[after]": "eyJmaWVsZCI6",
                },
            ),
        ),
        answers=(
            {
                "results": [_ticket(35436, "2026-05-28T12:01:00Z", "2026-05-28T12:01:00Z")],
                "facets": None,
                "links": {"prev": None, "next": "https://acme.zendesk.com/api/v2/search/export.json?page[after]=x"},
                "meta": {"has_more": True, "after_cursor": "eyJmaWVsZCI6", "before_cursor": None},
            },
            {
                "results": [_ticket(20057, "2009-07-20T22:55:29Z", "2026-05-28T12:00:30Z")],
                "facets": None,
                "links": {"prev": None, "next": None},
                "meta": {"has_more": False, "after_cursor": "eyJmaWVsZCI7", "before_cursor": None},
            },
        ),
        changes=(
            ("zen:event-type:ticket.updated", "UPDATED", "zen:event-type:ticket", "20057"),
            ("zen:event-type:ticket.created", "CREATED", "zen:event-type:ticket", "35436"),
        ),
    ),
    Shape(
        connector="generic",
        poll="records",
        base="/v2",
        config={"poll.path": "crm/people", "poll.records": "items", "poll.date.format": "epoch_ms"},
        asked=(
            Asked(path="/v2/crm/people", query={"updated_since": "1779969480000"}),
            Asked(path="/v2/crm/people", query={"updated_since": "1779969480000", "page": "2"}),
        ),
        answers=(
            {"items": [{"id": 7, "created_at": "2026-05-28T12:00:59Z", "updated_at": "2026-05-28T12:01:00Z"}]},
            {"items": [{"id": 8, "created_at": "2020-05-28T12:00:59Z", "updated_at": "2026-05-28T12:02:00Z"}]},
        ),
        links=('</v2/crm/people?updated_since=1779969480000&page=2>; rel="next"',),
        changes=(("record.created", "CREATED", "record", "7"), ("record.updated", "UPDATED", "record", "8")),
    ),
)
