"""Under which of its names somebody asks for an event: the text may be any of them; pure."""

import re
from collections.abc import Iterator, Sequence

from gateway.history.fates.model import Fate, Question
from gateway.history.filter import LONGEST_TEXT, EventFilter, parse
from gateway.ids import body_hash

_HALF = re.compile(r"[0-9a-fA-F]{32}")
_WHOLE = re.compile(r"[0-9a-fA-F]{64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: How much of a body's hash is kept.
_KEPT = 32


def questions(text: str) -> Sequence[Question]:
    """All that a text may be a name by; none where it can be no name."""
    if not isinstance(parse({"vendor_event_id": text}), EventFilter):
        return ()
    return tuple(_questions(text))


def _questions(text: str) -> Iterator[Question]:
    digits = text.replace("-", "").lower()
    if _HALF.fullmatch(text) or _UUID.fullmatch(text):
        yield Question("event_id", digits)
    if _HALF.fullmatch(text) or _WHOLE.fullmatch(text):
        yield Question("body_hash", digits[:_KEPT])
    yield Question("vendor_event_id", text)
    yield Question("object_id", text)


def hashes(body: str) -> Sequence[str]:
    """What the hash of a pasted body may be: browsers end lines in their own way, and files end with one more."""
    plain = body.replace("\r\n", "\n")
    forms = (plain, plain.rstrip("\n"), plain.strip(), plain.rstrip("\n") + "\n", body)
    return tuple(dict.fromkeys(body_hash(one.encode("utf-8", "replace")) for one in forms))


def is_name(text: str) -> bool:
    """Whether a text is rather a name than a body."""
    return len(text) <= LONGEST_TEXT and "\n" not in text and not text.startswith(("{", "["))


def newest(pages: Sequence[Sequence[Fate]], most: int) -> list[Fate]:
    """What was found under several names, each once, the newest first."""
    every = {one.id: one for page in pages for one in page}
    return sorted(every.values(), key=lambda one: one.id, reverse=True)[:most]
