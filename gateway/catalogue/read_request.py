"""Reads requests (`VERB /path`) and addresses; nothing but https leaves the gateway."""

import re

from gateway.catalogue.call_model import Request
from gateway.catalogue.table import Table, nearest
from gateway.catalogue.template import Context, Template, compile_template
from gateway.catalogue.words import VERBS

_REQUEST = re.compile(r"(\{verb\}|[A-Za-z]+) (\S.*)")
_AUTHORITY = re.compile(r"https://((?:\{[^{}]*\}|[^/?#{}])*)")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?")


def request(table: Table, key: str, context: Context) -> Request:
    """A verb and a path; the verb may be the parameter `{verb}`."""
    text = table.text(key) or ""
    match = _REQUEST.fullmatch(text)
    if match is None:
        if table.has(key):
            table.problem(key, f"expected a verb and a path such as 'GET /items/{{id}}', got {text!r}")
        return Request("GET", compile_template("", context))
    verb, path = match[1], match[2]
    if verb != "{verb}" and verb not in VERBS:
        table.problem(key, f"expected one of {', '.join(VERBS)}, got {verb!r}{nearest(verb, VERBS)}")
    if not path.startswith(("/", "{", "https://")):
        table.problem(key, f"expected a path that begins with /, or an https address, got {path!r}")
    _check_authority(table, key, path)
    return Request(verb, table.worded(key, path, context) or compile_template("", context))


def optional_request(table: Table, key: str, context: Context) -> Request | None:
    """A verb and a path, or nothing."""
    return request(table, key, context) if table.has(key) else None


def secure(table: Table, key: str, context: Context) -> Template | None:
    """An https address, or one that a configuration entry says."""
    text = table.text(key)
    if text is None:
        return None
    if not text.startswith(("https://", "{config:")):
        table.problem(key, f"expected an address that begins with https://, got {text!r}")
    _check_authority(table, key, text)
    return table.worded(key, text, context)


def authority(address: str) -> str | None:
    """The host of an https address as it is written, placeholders and all; None where it begins with something else."""
    match = _AUTHORITY.match(address)
    return match[1] if match else None


def _check_authority(table: Table, key: str, address: str) -> None:
    host = authority(address)
    if host is not None and not _HOST.fullmatch(PLACEHOLDER.sub("x", host)):
        table.problem(key, f"expected a host behind https://, with at most a port behind it, got {host!r}")
