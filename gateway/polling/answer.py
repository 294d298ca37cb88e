"""One answer of a vendor to a poll: its records, byte for byte as they came, or what kind of failure it is; pure."""

from gateway.calls.perform import Called, Unsent
from gateway.catalogue.document import Document, read
from gateway.polling.asking import Ask
from gateway.polling.model import Failure, FailureKind, Page

_KINDS: dict[str, FailureKind] = {
    "rate_limited": "waits",
    "unreachable": "unavailable",
    "late": "unavailable",
    "no_credentials": "reauth",
    "forbidden": "configuration",
}


def unsent(outcome: Unsent) -> Failure:
    """Why there is no answer."""
    return Failure(_KINDS[outcome.why], outcome.message, _ms(outcome.wait_s))


def refused(outcome: Called) -> Failure:
    """Why an answer is no list."""
    verdict, said = outcome.verdict, outcome.verdict.message or f"status {outcome.status}"
    if verdict.kind == "rate_limited":
        return Failure("rate_limited", said, _ms(verdict.wait_s))
    if verdict.kind == "retry" or (verdict.kind == "fail" and outcome.status >= 500):
        return Failure("unavailable", said, _ms(verdict.wait_s))
    return Failure("reauth" if verdict.kind == "reauth" else "configuration", f"{outcome.status}: {said}"[:500])


def page_of(ask: Ask, outcome: Called, raw: bytes) -> Page | Failure:
    """The page that an answer holds."""
    if not raw.strip():
        return Page([], outcome.headers)
    document = read(raw)
    if not isinstance(document, Document):
        what = "is nested too deep" if document.reason == "too_deep" else "is no JSON"
        return Failure("malformed", f"the vendor's answer {what}")
    records = _records(ask, outcome, document)
    return records if isinstance(records, Failure) else Page(records, outcome.headers, document)


def _records(ask: Ask, outcome: Called, document: Document) -> list[Document] | Failure:
    where, sources = ask.plan.poll.records, ask.sources()
    sources.headers = outcome.headers
    sources.read_as(document)
    place = where.chosen(sources)
    if place is None:
        # Some vendors leave an empty list out; where there is another one, the file looks at the wrong place.
        return [] if not _lists(document.value) else Failure("malformed", _elsewhere(where.source_text, document))
    if not isinstance(place.find(sources), list):
        return Failure("malformed", f"the records at {where.source_text[:80]!r} are no list")
    return document.elements(place.path_in(sources))


def _lists(value: object) -> list[str]:
    """Where a body holds lists of objects."""
    if isinstance(value, list):
        return ["the body itself"] if value else []
    if not isinstance(value, dict):
        return []
    found = [name for name, one in value.items() if isinstance(one, list) and one and isinstance(one[0], dict)]
    return [repr(name[:40]) for name in found]


def _elsewhere(path: str, document: Document) -> str:
    return f"there are no records at {path[:80]!r}; there is a list at {', '.join(_lists(document.value)[:3])}"


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(1000 * seconds)
