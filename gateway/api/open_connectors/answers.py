"""From a vendor's answer to ours: records out of their envelope, fields chosen, nulls filtered, failures worded."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.access.logins import SEALED
from gateway.api.surface import Failure, clean
from gateway.calls.perform import MOST_HELD, Called, Unsent
from gateway.catalogue.call_model import Method
from gateway.catalogue.core import CORE_SECRETS
from gateway.catalogue.document import Document, Unreadable, read, walk
from gateway.catalogue.sources import Sources
from gateway.instances.view import InstanceView
from gateway.nulls import filter_nulls

FAILED = "Request failed"
_JSON = "application/json"
_MASK = "********"
_SHORTEST_SECRET = 6
_LONGEST_PROVIDER = 2_000
#: What a rule of the connector makes of an answer whose own status says that all is well.
_STATUS_OF: Mapping[str, int] = {"rate_limited": 429, "reauth": 401, "retry": 503, "fail": 400}
_WHY: Mapping[str, tuple[int, str]] = {
    "rate_limited": (429, "The vendor takes no further call now"),
    "unreachable": (502, "The vendor cannot be reached"),
    "late": (504, "The vendor does not answer in time"),
    "no_credentials": (403, "The instance needs to be authenticated again at the vendor"),
    "forbidden": (502, "The gateway may not call this address"),
}
_PASSED_ON = ("content-type", "content-disposition", "etag", "last-modified")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_UNDONE = frozenset({"gzip", "x-gzip", "deflate", "identity", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body that is ours to send; `count` where it is a list."""

    body: bytes
    content_type: str
    count: int | None = None
    value: object = None


def failure_of(view: InstanceView, outcome: Called | Unsent) -> Failure | None:
    """What went wrong with a call; None where the vendor says that all is well."""
    if isinstance(outcome, Unsent):
        status, sentence = _WHY[outcome.why]
        return Failure(status, clean(f"{sentence}: {scrubbed(view, outcome.message)}."), headers=_retry(outcome.wait_s))
    verdict = outcome.verdict
    if verdict.kind == "ok" and not 300 <= outcome.status < 400:
        return None
    status = outcome.status if 400 <= outcome.status < 600 else 502
    if outcome.status < 300 or verdict.kind == "rate_limited":
        status = _STATUS_OF.get(verdict.kind, status)
    told = verdict.message or f"The vendor answered with status {outcome.status}."
    wait = _retry(verdict.wait_s) if status in (429, 503) else ()
    return Failure(status, FAILED, headers=wait, provider=clean(scrubbed(view, told)))


def content_of(
    view: InstanceView, method: Method, called: Called, fields: tuple[str, ...], *, is_list: bool
) -> Content | Failure:
    """What is answered for a body that is held."""
    raw, kind = called.body or b"", called.headers.get("content-type", "")
    filters = view.filter_nulls and b"null" in raw
    if method.records is None and not fields and not (filters and _says_json(kind)):
        return Content(body=raw, content_type=_type_of(kind, raw))
    document = read(raw)
    if isinstance(document, Unreadable):
        if method.records is None and not fields:
            return Content(body=raw, content_type=_type_of(kind, raw))
        said = raw[:_LONGEST_PROVIDER].decode("utf-8", "replace")
        return Failure(502, "The vendor's answer is not JSON.", provider=clean(scrubbed(view, said)))
    found = _unwrapped(method, document, is_list=is_list)
    if isinstance(found, Failure):
        return found
    body = _projected(found, fields) if fields else found.raw
    count = len(found.value) if isinstance(found.value, list) else None
    return Content(
        body=filter_nulls(body) if filters else body,
        content_type=_JSON if count is not None or not kind else _clean(kind),
        count=count,
        value=document.value,
    )


def too_large(view: InstanceView, method: Method, called: Called, fields: tuple[str, ...]) -> Failure | None:
    """Why a body that was not held cannot be passed on as it is; None where it can."""
    is_json = _says_json(called.headers.get("content-type", ""))
    if method.records is None and not fields and not (is_json and view.filter_nulls):
        return None
    way = "ask for a smaller page (pageSize) or fewer fields"
    if method.records is None and not fields:
        way += ", or set filter.response.nulls to false"
    return Failure(
        502, f"The vendor's answer is larger than the {MOST_HELD >> 20} MiB that are read as a whole; {way}."
    )


def passed_on(headers: Mapping[str, str], *, whole: bool) -> dict[str, str]:
    """The headers of the vendor that go on to the caller; `whole` where the body is the vendor's to the byte."""
    found = {name: _clean(headers[name]) for name in _PASSED_ON if name in headers}
    # Whatever a vendor sends, it is no page of this origin.
    found["content-security-policy"] = "default-src 'none'; sandbox"
    coding = headers.get("content-encoding", "").strip().lower()
    if not whole:
        found.pop("etag", None)
    elif coding not in _UNDONE:
        found["content-encoding"] = _clean(coding)
    length = headers.get("content-length", "")
    if whole and coding in ("", "identity") and length.isascii() and length.isdigit():
        found["content-length"] = length
    return found


def scrubbed(view: InstanceView, text: str) -> str:
    """A text of the vendor's without the instance's secrets in it."""
    declared = {entry.key for entry in view.connector.entries.values() if entry.secret or entry.sealed}
    for key in declared | CORE_SECRETS | SEALED:
        value = view.config.get(key) or ""
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, _MASK)
    return text


def _unwrapped(method: Method, document: Document, *, is_list: bool) -> Document | Failure:
    if method.records is None:
        return document
    sources = Sources(raw=document.raw)
    sources.read_as(document)
    place = method.records.chosen(sources) or method.records.alternatives[0]
    path = place.path_in(sources)
    part, value = document.part(path), walk(document.value, path)
    if part is None or (is_list and not isinstance(value, list | None)):
        said = document.raw[:_LONGEST_PROVIDER].decode("utf-8", "replace")
        return Failure(502, f"The vendor's answer has no {place.path or 'records'}.", provider=clean(said))
    if value is None:
        return Document(b"[]", []) if is_list else Failure(404, FAILED, provider="The vendor has no such object.")
    return Document(part, value)


def _projected(found: Document, fields: tuple[str, ...]) -> bytes:
    if isinstance(found.value, list):
        return b"[" + b",".join([_members(one, fields) for one in found.elements(())]) + b"]"
    return _members(found, fields)


def _members(record: Document, fields: tuple[str, ...]) -> bytes:
    if not isinstance(record.value, dict):
        return record.raw
    wanted = [name for name in record.value if name in fields]
    return b"{" + b",".join([orjson.dumps(name) + b":" + (record.part((name,)) or b"null") for name in wanted]) + b"}"


def _type_of(kind: str, raw: bytes) -> str:
    if kind:
        return _clean(kind)
    return _JSON if isinstance(read(raw), Document) else "application/octet-stream"


def _says_json(kind: str) -> bool:
    name = kind.partition(";")[0].strip().lower()
    return not name or name.endswith(("/json", "+json"))


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", text)


def _retry(wait_s: float | None) -> tuple[tuple[str, str], ...]:
    return () if wait_s is None else (("Retry-After", str(max(1, math.ceil(wait_s)))),)
