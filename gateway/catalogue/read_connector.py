"""Reads a whole connector file, and checks what concerns several of its tables."""

import re
from collections.abc import Mapping
from pathlib import Path

from gateway.catalogue.check_hosts import check_hosts
from gateway.catalogue.core import CORE_KEYS, CORE_SECRETS
from gateway.catalogue.model import Connector, Entry
from gateway.catalogue.read_auth import auth
from gateway.catalogue.read_auth import saved as saved_by_login
from gateway.catalogue.read_entries import entries, implicit
from gateway.catalogue.read_http import http, pagination
from gateway.catalogue.read_methods import methods, resources
from gateway.catalogue.read_polls import polls
from gateway.catalogue.read_webhook import ack_deadline, webhook
from gateway.catalogue.read_webhook import saved as saved_by_webhook
from gateway.catalogue.table import Findings, Table, nearest, scalar_texts

_KEY = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
_SEMVER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}(?:[-+][0-9A-Za-z.+-]+)?")
_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB)")
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def connector(data: Mapping[str, object], source: Path, findings: Findings) -> Connector:
    """The connector that a file describes; what is wrong with it stands in the findings."""
    top = Table(data, "", "file", findings)
    _head(top)
    ways = auth(top.named("auth"), findings)
    pages = pagination(top.named("pagination"), findings)
    calls = methods(top.named("methods"), pages, findings)
    hooked = top.table("webhook", "webhook")
    hook = webhook(hooked, frozenset(calls)) if hooked is not None else None
    declared = entries(top.tables("config", "config"), ways)
    all_entries = declared | implicit([*saved_by_webhook(hook), *saved_by_login(ways)], declared)
    polled = polls(top.tables("poll", "poll"), pages)
    reached = http(top.table("http", "http") or Table({}, "http", "http", findings))
    defaults = _defaults(top)
    offered = resources(top.named("resources"), calls, findings)
    _check_entries(all_entries, findings)
    check_hosts(reached, calls.values(), polled, hook.subscribe if hook else None, findings)
    return Connector(
        key=top.text("key") or "",
        name=top.text("name") or "",
        version=top.text("version") or "",
        source=source,
        id=top.whole("id", 1),
        hub=top.text("hub") or "general",
        description=top.text("description") or "",
        docs=top.text("docs") or "",
        tags=top.texts("tags"),
        categories=top.texts("categories"),
        api_version=top.text("api_version"),
        max_body=_size(top, "max_body"),
        ack_deadline=top.duration("ack_deadline") or ack_deadline(hooked),
        redelivers=top.flag("redelivers", True),
        entries=all_entries,
        auth=ways,
        http=reached,
        pagination=pages,
        methods=calls,
        resources=offered,
        webhook=hook,
        polls=polled,
        defaults=defaults,
        value_defaults={entry.key: entry.default for entry in declared.values() if entry.default} | defaults,
        warnings=tuple(findings.warnings),
    )


def _head(top: Table) -> None:
    top.need("format", "key", "name", "version")
    if top.has("format") and top.data["format"] != 1:
        top.problem("format", f"expected 1, got {top.data['format']!r}")
    key, version = top.text("key"), top.text("version")
    if key is not None and not _KEY.fullmatch(key):
        top.problem("key", f"expected lower-case letters, digits, - and _, at most 64, got {key!r}")
    if version is not None and not _SEMVER.fullmatch(version):
        top.problem("version", f"expected a semantic version such as 1.0.0, got {version!r}")


def _size(top: Table, key: str) -> int | None:
    value = top.data.get(key)
    if value is None or (type(value) is int and value > 0):
        return value if isinstance(value, int) else None
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        top.problem(key, f"expected a size such as 1MiB or 512KiB, got {value!r}")
        return None
    return int(match[1]) * _UNITS[match[2]]


def _defaults(top: Table) -> dict[str, str]:
    defaults = {}
    for key, value in top.mapping("defaults").items():
        texts = scalar_texts(value)
        if texts is None or isinstance(value, list):
            top.problem(f"defaults.{key}", f"expected a plain value, got {value!r}")
            continue
        defaults[key] = next(iter(texts))
        if key not in CORE_KEYS:
            top.problem(f"defaults.{key}", f"is no core entry{nearest(key, CORE_KEYS)}")
    return defaults


def _check_entries(found: Mapping[str, Entry], findings: Findings) -> None:
    for key in CORE_KEYS & found.keys():
        findings.problem(f"config.{key}", "is a core entry, which the gateway adds; a default goes to [defaults]")
    known = CORE_KEYS | found.keys()
    secrets = CORE_SECRETS | {entry.key for entry in found.values() if entry.secret}
    for use in findings.uses:
        if use.key not in known:
            findings.problem(use.where, f"config entry {use.key!r} is not declared{nearest(use.key, known)}")
        elif use.key in secrets and not use.secret_allowed:
            findings.problem(use.where, f"the secret {use.key!r} may stand only in {_PLACES_OF_SECRETS}")


_PLACES_OF_SECRETS = "auth, webhook.verify, webhook.handshake.compute and webhook.subscribe.body, and in no address"
