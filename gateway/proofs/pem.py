"""PEM texts as they really come: in lines, in one line, or with the line breaks spelled out."""

import base64

_BEGIN = "-----BEGIN "
_DASHES = "-----"
_MOST_BLOCKS = 10
_LONGEST = 256 << 10


def is_pem(text: str) -> bool:
    """Whether a text is meant to be PEM."""
    return text.lstrip().startswith(_BEGIN)


def blocks(text: str) -> list[tuple[str, bytes]]:
    """The labels and contents of a PEM text, the first ten; empty where any of them is broken."""
    found: list[tuple[str, bytes]] = []
    at = text.find(_BEGIN) if len(text) <= _LONGEST else -1
    while at >= 0 and len(found) < _MOST_BLOCKS:
        begin = at + len(_BEGIN)
        label_end = text.find(_DASHES, begin)
        end = text.find("-----END ", label_end + len(_DASHES)) if label_end >= 0 else -1
        content = _decoded(text[label_end + len(_DASHES) : end]) if end >= 0 else None
        if content is None:
            return []
        found.append((text[begin:label_end], content))
        at = text.find(_BEGIN, end)
    return found


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.replace("\\r", "").replace("\\n", "").split()), validate=True)
    except ValueError:
        return None
