"""The contents that vendors sign and no template can spell: sorted form fields, a checksum, a list of members."""

import zlib
from collections.abc import Callable, Mapping

from gateway.catalogue.sources import Sources, pairs

_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_MEMBERS = {
    "Notification": _NOTICE,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_OPTIONAL = "Subject"
_SEVERAL_LINES = frozenset({"Message", "Subject"})

SNS_MEMBERS = frozenset(_NOTICE + _CONFIRMATION)


def form_sorted(sources: Sources) -> str:
    """Every field of a form as name and value, sorted, none twice."""
    text = sources.raw.decode("utf-8", "surrogateescape")
    try:
        fields = set(pairs(text))
    except ValueError:
        return text
    # A body without any field is signed as it stands: it must not pass for the empty one, of which signatures exist.
    return "".join([name + value for name, value in sorted(fields)]) or text


def crc32(sources: Sources) -> str:
    """The CRC-32 of the body, in decimal."""
    return str(zlib.crc32(sources.raw))


def sns_fields(sources: Sources) -> str | None:
    """The signed members of a notification or confirmation, each on two lines; None where one is missing."""
    body = sources.body
    if not isinstance(body, dict):
        return None
    kind = body.get("Type")
    lines = []
    for name in _MEMBERS.get(kind, ()) if isinstance(kind, str) else ():
        value = body.get(name)
        if value is None and name == _OPTIONAL:
            continue
        # A line break would let one member pass for several.
        if not isinstance(value, str) or ("\n" in value and name not in _SEVERAL_LINES):
            return None
        lines.append(f"{name}\n{value}\n")
    return "".join(lines) or None


CONTENTS: Mapping[str, Callable[[Sources], str | None]] = {
    "crc32": crc32,
    "form_sorted": form_sorted,
    "sns_fields": sns_fields,
}
