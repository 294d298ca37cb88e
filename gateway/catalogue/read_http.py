"""Reads `[http]` and `[pagination.<id>]`."""

import re
from collections.abc import Mapping
from typing import Literal

from gateway.catalogue import contexts
from gateway.catalogue.call_model import ErrorRule, Http, Limits, Pagination, Request
from gateway.catalogue.read_request import request, secure
from gateway.catalogue.table import Findings, Table, scalar_texts
from gateway.catalogue.words import ERROR_ACTIONS, PAGE_TYPES

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def http(table: Table) -> Http:
    """How the vendor's API is reached."""
    return Http(
        base_url=secure(table, "base_url", contexts.CALL),
        headers=table.headers("headers", contexts.CALL),
        timeout=table.duration("timeout"),
        idempotency_header=table.text("idempotency_header"),
        hosts=_hosts(table),
        check=_check(table),
        limits=limits(table, "limits"),
        errors=tuple(_error(rule) for rule in table.tables("error", "http.error")),
    )


def limits(table: Table, key: str) -> Limits | None:
    """What the vendor allows."""
    inner = table.table(key, "limits")
    if inner is None:
        return None
    return Limits(
        requests=inner.whole("requests", 1),
        per=inner.duration("per"),
        burst=inner.whole("burst", 1),
        concurrency=inner.whole("concurrency", 1),
        scope=_scope(inner),
        status=inner.wholes("status"),
        retry_after=inner.locators("retry_after", contexts.ANSWER),
        reset_at=inner.locators("reset_at", contexts.ANSWER),
        reset_unit=inner.choice("reset_unit", ("s", "ms", "iso"), "s"),
        remaining=inner.locator("remaining", contexts.ANSWER),
        used=inner.locator("used", contexts.ANSWER),
    )


def pagination(found: list[tuple[str, Mapping[str, object]]], findings: Findings) -> dict[str, Pagination]:
    """The declared ways of paging by id."""
    return {id_: _page(id_, Table(data, f"pagination.{id_}", "pagination", findings)) for id_, data in found}


def _page(id_: str, table: Table) -> Pagination:
    table.need("type")
    where: Literal["query", "body"] = "body" if table.choice("where", ("query", "body"), "query") == "body" else "query"
    return Pagination(
        id=id_,
        type=table.choice("type", PAGE_TYPES, "none"),
        param=table.text("param"),
        where=where,
        next=table.locator("next", contexts.ANSWER),
        rel=table.text("rel"),
        more=table.locator("more", contexts.ANSWER),
        size_param=table.text("size_param"),
        size=table.whole("size", 1),
        offset_param=table.text("offset_param"),
        first=table.whole("first"),
        max_pages=table.whole("max_pages", 1) or 100,
        max_records=table.whole("max_records", 1),
        omit=table.texts("omit"),
        drop_params=table.flag("drop_params"),
    )


def _hosts(table: Table) -> tuple[str, ...]:
    hosts = table.texts("hosts")
    for host in hosts:
        if not _HOST.fullmatch(host):
            table.problem("hosts", f"expected plain host names, got {host!r}")
    return hosts


def _check(table: Table) -> Request | None:
    inner = table.table("check", "http.check")
    if inner is None:
        return None
    inner.need("request")
    return request(inner, "request", contexts.CALL)


def _scope(table: Table) -> str:
    text = table.text("scope") or "credential"
    if text.startswith("config:"):
        table.use("scope", text[7:], secret_allowed=False)
    elif text not in ("credential", "connector"):
        table.problem("scope", f"expected credential, connector or config:<entry>, got {text!r}")
    return text


def _error(table: Table) -> ErrorRule:
    table.need("action")
    return ErrorRule(
        status=frozenset(table.wholes("status")),
        header=_expected(table, "header"),
        body=_expected(table, "body"),
        body_contains=table.text("body_contains"),
        action=table.choice("action", ERROR_ACTIONS, "fail"),
        message=table.locator("message", contexts.ANSWER),
    )


def _expected(table: Table, key: str) -> Mapping[str, frozenset[str]]:
    expected = {}
    for name, value in table.mapping(key).items():
        texts = scalar_texts(value)
        if texts is None:
            table.problem(f"{key}.{name}", f"expected a plain value or a list of them, got {value!r}")
        else:
            expected[name] = texts
    return expected
