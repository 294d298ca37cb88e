"""Reads `[webhook]`: mapping, handshakes, answers, registration."""

from typing import Literal

from gateway.catalogue import contexts
from gateway.catalogue.locator import Locator
from gateway.catalogue.read_changes import change_map
from gateway.catalogue.read_request import optional_request, request
from gateway.catalogue.read_verify import verify
from gateway.catalogue.table import Table, nearest, scalar_texts
from gateway.catalogue.template import Template, compile_template
from gateway.catalogue.webhook_model import Compute, Handshake, Respond, Subscribe, Webhook, When
from gateway.catalogue.words import ENCODINGS, HASHES, VERBS


def webhook(table: Table, methods: frozenset[str]) -> Webhook:
    """Everything about deliveries."""
    if not table.has("verify"):
        table.problem("verify", "is missing: a webhook needs at least one [[webhook.verify]]")
    return Webhook(
        changes=change_map(table, contexts.DELIVERY),
        scope=_scope(table),
        account=table.locator("account", contexts.DELIVERY),
        account_config=_account_config(table),
        account_equals=table.template("account_equals", contexts.DELIVERY),
        items=table.locator("items", contexts.DELIVERY, "body"),
        form_field=table.text("form_field"),
        ack=_ack(table),
        ordered=table.flag("ordered"),
        methods=_verbs(table, "methods") or frozenset({"POST"}),
        verify=tuple(verify(one, methods) for one in table.tables("verify", "webhook.verify")),
        handshakes=tuple(_handshake(one) for one in table.tables("handshake", "webhook.handshake")),
        subscribe=_subscribe(table),
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
    registered = [(key, "webhook.subscribe") for key, _ in (hook.subscribe.save if hook.subscribe else ())]
    return registered + [(key, "webhook.handshake") for one in hook.handshakes for key, _ in one.save_once]


def _scope(table: Table) -> Literal["instance", "connector"]:
    if table.choice("scope", ("instance", "connector"), "instance") == "instance":
        return "instance"
    table.need("account", "account_config")
    return "connector"


def _account_config(table: Table) -> str | None:
    key = table.text("account_config")
    if key is not None:
        table.use("account_config", key, secret_allowed=False)
    return key


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
        content_type=table.text("content_type"),
        body=table.template("body", contexts.REPLY),
        json=table.json("json", contexts.REPLY),
        headers=tuple(table.templates("headers", contexts.REPLY).items()),
    )


def _status(table: Table) -> int:
    status = table.whole("status", 200)
    if status is not None and status > 299:
        table.problem("status", f"expected a status of 200 to 299, got {status}")
    return status or 200


def _subscribe(table: Table) -> Subscribe | None:
    inner = table.table("subscribe", "webhook.subscribe")
    if inner is None:
        return None
    inner.need("request")
    return Subscribe(
        request=request(inner, "request", contexts.CALL),
        body=inner.json("body", contexts.REGISTRATION),
        body_type=inner.choice("body_type", ("json", "form"), "json"),
        save=inner.places("save", contexts.ANSWER, "body"),
        expires=_expiry(inner),
        renew=optional_request(inner, "renew", contexts.CALL),
        renew_before=inner.duration("renew_before"),
        delete=optional_request(inner, "delete", contexts.CALL),
    )


def _expiry(table: Table) -> Locator | int | None:
    text = table.text("expires")
    if text is None or ":" in text:
        return table.locator("expires", contexts.ANSWER)
    return table.duration("expires")
