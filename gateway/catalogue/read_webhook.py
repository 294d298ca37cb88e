"""Reads `[webhook]`: mapping, handshakes, answers."""

import re
from typing import Literal

from gateway.catalogue import contexts
from gateway.catalogue.check_verify import is_place
from gateway.catalogue.locator import Locator
from gateway.catalogue.read_changes import change_map
from gateway.catalogue.read_subscribe import subscribe
from gateway.catalogue.read_verify import verify
from gateway.catalogue.table import Table, nearest, scalar_texts
from gateway.catalogue.template import Template, compile_template
from gateway.catalogue.webhook_model import Compute, Handshake, Respond, Tenant, Webhook, When
from gateway.catalogue.words import ENCODINGS, HASHES, VERBS

_KIND = re.compile(r"[\x20-\x7e]+")


def webhook(table: Table, methods: frozenset[str]) -> Webhook:
    """Everything about deliveries."""
    if not table.has("verify"):
        table.problem("verify", "is missing: a webhook needs at least one [[webhook.verify]]")
    account = table.locator("account", contexts.DELIVERY)
    entry, equals = _account_config(table), table.template("account_equals", contexts.DELIVERY)
    return Webhook(
        changes=change_map(table, contexts.DELIVERY),
        docs=table.text("docs") or "",
        notes=table.texts("notes"),
        scope=_scope(table),
        account=account,
        account_config=entry,
        account_equals=equals,
        tenant=_tenant(table, account, entry, equals),
        items=table.locator("items", contexts.DELIVERY, "body"),
        form_field=table.text("form_field"),
        ack=_ack(table),
        ordered=table.flag("ordered"),
        methods=_methods(table),
        verify=tuple(verify(one, methods) for one in table.tables("verify", "webhook.verify")),
        handshakes=tuple(_handshake(one) for one in table.tables("handshake", "webhook.handshake")),
        subscribe=subscribe(table),
    )


def ack_deadline(table: Table | None) -> int | None:
    """The vendor's time limit, where `ack` is written as a duration instead of an answer."""
    if table is None or not isinstance(table.data.get("ack"), str):
        return None
    return table.duration("ack")


def saved(hook: Webhook | None) -> list[tuple[str, str]]:
    """Which entries the registration and the handshakes fill."""
    if hook is None:
        return []
    registered = [(key, "webhook.subscribe") for key in (hook.subscribe.saved if hook.subscribe else ())]
    return registered + [(key, "webhook.handshake") for one in hook.handshakes for key, _ in one.save_once]


def _scope(table: Table) -> Literal["instance", "connector"]:
    if table.choice("scope", ("instance", "connector"), "instance") == "instance":
        return "instance"
    table.need("account")
    return "connector"


def _account_config(table: Table) -> str | None:
    key = table.text("account_config")
    if key is not None:
        table.use("account_config", key, secret_allowed=False)
    return key


def _tenant(table: Table, account: Locator | None, entry: str | None, equals: Template | None) -> Tenant | None:
    if not (table.has("account") or table.has("account_config") or table.has("account_equals")):
        return None
    table.need("account")
    if table.has("account_config") == table.has("account_equals"):
        table.problem("account_config", "expected either account_config or account_equals beside account")
    if account is None:
        return None
    if equals is not None:
        return _between(table, account, equals)
    return Tenant(account, entry) if entry else None


def _between(table: Table, account: Locator, equals: Template) -> Tenant | None:
    """The one entry of a template, and what stands before and behind it: only so an account leads back to its entry."""
    places = [at for at, part in enumerate(equals.parts) if not isinstance(part, str)]
    keys = [one.alternatives[0].path for one in equals.locators if _is_setting(one)]
    if len(places) != 1 or len(keys) != 1:
        table.problem("account_equals", "expected a text with exactly one {config:<entry>} in it")
        return None
    before, after = equals.parts[: places[0]], equals.parts[places[0] + 1 :]
    return Tenant(account, keys[0], "".join(map(str, before)), "".join(map(str, after)))


def _is_setting(locator: Locator) -> bool:
    [first, *others] = locator.alternatives
    return not others and first.source == "config" and not first.path.startswith("@")


def _ack(table: Table) -> Respond | None:
    # Written as a duration it is the time limit, which `ack_deadline` reads.
    if isinstance(table.data.get("ack"), str):
        return None
    inner = table.table("ack", "respond")
    return None if inner is None else _respond(inner)


def _verbs(table: Table, key: str) -> frozenset[str]:
    verbs = table.texts(key)
    for verb in verbs:
        if verb not in VERBS:
            table.problem(key, f"expected one of {', '.join(VERBS)}, got {verb!r}{nearest(verb, VERBS)}")
    return frozenset(verbs)


def _methods(table: Table) -> frozenset[str]:
    verbs = _verbs(table, "methods") or frozenset({"POST"})
    # Who takes a GET takes a HEAD (RFC 9110 §9.1).
    return verbs | {"HEAD"} if "GET" in verbs else verbs


def _handshake(table: Table) -> Handshake:
    table.need("when")
    handshake = Handshake(
        when=_when(table),
        check=_check(table),
        verify=table.flag("verify"),
        compute=_compute(table),
        save_once=table.places("save_once", contexts.REPLY),
        confirm_url=table.locator("confirm_url", contexts.REPLY),
        confirm_hosts=table.texts("confirm_hosts"),
        respond=_respond(
            table.table("respond", "respond") or Table({}, table.at("respond"), "respond", table.findings)
        ),
    )
    if handshake.confirm_url is not None and not handshake.confirm_hosts:
        table.problem("confirm_hosts", "is missing: anybody could have the gateway fetch any address")
    for host in handshake.confirm_hosts:
        if not is_place(host):
            table.problem("confirm_hosts", f"expected names such as api.example.com or sns.*.example.com, got {host!r}")
    if not (handshake.when.methods or handshake.when.fields):
        table.problem("when", "is empty: every delivery would be a handshake")
    return handshake


def _when(table: Table) -> When:
    inner = table.table("when", "when")
    if inner is None:
        return When(frozenset(), ())
    fields: list[tuple[Locator, frozenset[str] | None]] = []
    for source in ("header", "query", "body"):
        fields += _marks(inner, source)
    return When(_verbs(inner, "method"), tuple(fields))


def _marks(table: Table, source: str) -> list[tuple[Locator, frozenset[str] | None]]:
    marks = []
    for name, value in table.mapping(source).items():
        key = f"{source}.{name}"
        locator, texts = table.compiled(key, f"{source}:{name}", contexts.REPLY), scalar_texts(value)
        if texts is None:
            table.problem(key, f"expected a plain value, a list of them, or '*', got {value!r}")
        elif locator is not None:
            marks.append((locator, None if texts == {"*"} else texts))
    return marks


def _check(table: Table) -> tuple[tuple[Locator, Template], ...]:
    made = []
    for place, expected in table.mapping("check").items():
        key = f"check.{place}"
        if not isinstance(expected, str):
            table.problem(key, f"expected a text, got {expected!r}")
            continue
        locator = table.compiled(key, place, contexts.REPLY)
        template = table.worded(key, expected, contexts.COMPUTE)
        if locator is not None and template is not None:
            made.append((locator, template))
    return tuple(made)


def _compute(table: Table) -> Compute | None:
    inner = table.table("compute", "compute")
    if inner is None:
        return None
    inner.need("input")
    if inner.has("hash") == inner.has("hmac"):
        inner.problem("hash", "expected either hash or hmac")
    keyed = inner.has("hmac")
    if keyed:
        inner.need("secret")
    return Compute(
        kind="hmac" if keyed else "hash",
        hash=inner.choice("hmac" if keyed else "hash", HASHES, "sha256"),
        secret=inner.entry("secret"),
        input=inner.template("input", contexts.COMPUTE) or compile_template("", contexts.COMPUTE),
        encoding=inner.choice("encoding", ENCODINGS, "hex"),
    )


def _respond(table: Table) -> Respond:
    if table.has("body") and table.has("json"):
        table.problem("json", "expected either body or json")
    return Respond(
        status=_status(table),
        content_type=_content_type(table),
        body=table.template("body", contexts.REPLY),
        json=table.json("json", contexts.REPLY),
        headers=tuple(table.headers("headers", contexts.REPLY).items()),
    )


def _content_type(table: Table) -> str | None:
    kind = table.text("content_type")
    if kind is not None and not _KIND.fullmatch(kind):
        table.problem("content_type", f"expected a media type such as text/plain, got {kind!r}")
    return kind


def _status(table: Table) -> int:
    status = table.whole("status", 200)
    if status is not None and status > 299:
        table.problem("status", f"expected a status of 200 to 299, got {status}")
    return status or 200
