"""Reads `[auth.<id>]`: how calls prove who they are."""

from collections.abc import Callable, Mapping
from typing import Literal

from gateway.catalogue import contexts
from gateway.catalogue.call_model import Auth, Follow, Inject, OAuth, Session
from gateway.catalogue.locator import Locator, compile_locator
from gateway.catalogue.read_request import request, secure
from gateway.catalogue.table import Findings, Table
from gateway.catalogue.template import compile_template
from gateway.catalogue.words import AUTH_TYPES, GRANTS

_NOTHING = compile_template("", contexts.AUTH)


def auth(found: list[tuple[str, Mapping[str, object]]], findings: Findings) -> dict[str, Auth]:
    """The declared ways by id, the preferred one first."""
    return {id_: _one(id_, data, findings) for id_, data in found}


def saved(ways: Mapping[str, Auth]) -> list[tuple[str, str]]:
    """Which entries a login fills, and by which way."""
    targets = []
    for way in ways.values():
        if way.oauth is not None:
            after = way.oauth.after.save if way.oauth.after else ()
            targets += [(key, f"auth.{way.id}") for key, _ in (*way.oauth.save, *after)]
    return targets


def _one(id_: str, data: Mapping[str, object], findings: Findings) -> Auth:
    kind = data.get("type")
    make = _MAKERS.get(kind) if isinstance(kind, str) else None
    table = Table(data, f"auth.{id_}", f"auth.{kind}" if make else "auth.none", findings)
    if make is None:
        table.choice("type", AUTH_TYPES)
        table.need("type")
        return Auth(id=id_, type="none")
    return make(id_, table)


def _none(id_: str, _table: Table) -> Auth:
    return Auth(id=id_, type="none")


def _api_key(id_: str, table: Table) -> Auth:
    table.need("name", "value")
    return Auth(
        id=id_,
        type="api_key",
        place=_place(table.choice("in", ("header", "query"), "header")),
        name=table.template("name", contexts.AUTH),
        value=table.template("value", contexts.AUTH),
    )


def _basic(id_: str, table: Table) -> Auth:
    table.need("username")
    return Auth(
        id=id_,
        type="basic",
        username=table.template("username", contexts.AUTH),
        password=table.template("password", contexts.AUTH),
    )


def _bearer(id_: str, table: Table) -> Auth:
    table.need("token")
    return Auth(id=id_, type="bearer", token=table.template("token", contexts.AUTH))


def _jwt(id_: str, table: Table) -> Auth:
    table.need("alg", "key", "claims")
    return Auth(
        id=id_,
        type="jwt",
        algorithm=table.text("alg"),
        key=table.template("key", contexts.AUTH),
        claims=table.json("claims", contexts.AUTH),
    )


def _session(id_: str, table: Table) -> Auth:
    table.need("request", "token")
    session = Session(
        request=request(table, "request", contexts.CALL),
        body=table.json("body", contexts.AUTH),
        token=_answer(table, "token", "token"),
        expires=_expiry(table),
        inject=_inject(table),
    )
    return Auth(id=id_, type="session", session=session)


def _oauth2(id_: str, table: Table) -> Auth:
    table.need("grant", "token_url")
    grant = table.choice("grant", GRANTS)
    if grant == "authorization_code":
        table.need("authorize_url")
    return Auth(id=id_, type="oauth2", oauth=_oauth(table, grant))


def _oauth(table: Table, grant: str) -> OAuth:
    never = table.data.get("expires") == "never"
    if table.has("expires") and not never:
        table.problem("expires", "expected 'never', or no such key")
    return OAuth(
        grant=grant,
        authorize_url=secure(table, "authorize_url", contexts.LOGIN),
        token_url=secure(table, "token_url", contexts.LOGIN) or _NOTHING,
        revoke_url=secure(table, "revoke_url", contexts.LOGIN),
        scopes=table.texts("scopes"),
        scope_separator=table.text("scope_separator") or " ",
        pkce=table.flag("pkce", True),
        client_auth=table.choice("client_auth", ("body", "basic"), "body"),
        body_format=table.choice("body_format", ("form", "json"), "form"),
        authorize_params=table.templates("authorize_params", contexts.AUTH),
        token_params=table.templates("token_params", contexts.AUTH),
        token_headers=table.templates("token_headers", contexts.AUTH),
        token=_answer(table, "token", "access_token"),
        refresh=_answer(table, "refresh", "refresh_token"),
        expires_in=_answer(table, "expires_in", "expires_in"),
        never_expires=never,
        inject=_inject(table),
        save=table.places("save", contexts.ANSWER, "body"),
        after=_after(table),
    )


def _after(table: Table) -> Follow | None:
    inner = table.table("after", "after")
    if inner is None:
        return None
    inner.need("request", "save")
    return Follow(request(inner, "request", contexts.CALL), inner.places("save", contexts.ANSWER, "body"))


def _inject(table: Table) -> Inject | None:
    inner = table.table("inject", "inject")
    if inner is None:
        return None
    inner.need("value")
    if inner.has("header") == inner.has("query"):
        inner.problem("header", "expected either header or query")
    place = "header" if inner.has("header") else "query"
    return Inject(_place(place), inner.text(place) or "", inner.template("value", contexts.AUTH) or _NOTHING)


def _answer(table: Table, key: str, usual: str) -> Locator:
    return table.locator(key, contexts.ANSWER, "body") or compile_locator(usual, contexts.ANSWER.sources, "body")


def _expiry(table: Table) -> Locator | int | None:
    text = table.text("expires")
    if text is None or ":" in text:
        return table.locator("expires", contexts.ANSWER)
    return table.duration("expires")


def _place(word: str) -> Literal["header", "query"]:
    return "query" if word == "query" else "header"


_MAKERS: Mapping[str, Callable[[str, Table], Auth]] = {
    "none": _none,
    "api_key": _api_key,
    "basic": _basic,
    "bearer": _bearer,
    "oauth2": _oauth2,
    "session": _session,
    "jwt": _jwt,
}
