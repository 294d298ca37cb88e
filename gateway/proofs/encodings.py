"""Keys and signatures from the texts that they are written in; what is not exactly so written is none."""

import base64
import binascii


def key_bytes(secret: str, prefix: str | None, encoding: str) -> bytes | None:
    """The key that a secret stands for; None where it cannot be read, or is empty."""
    if encoding == "text":
        text = secret.removeprefix(prefix) if prefix else secret
        return text.encode("utf-8", "surrogatepass") or None
    text = secret.strip()
    text = text.removeprefix(prefix) if prefix else text
    return signature_bytes(text, encoding) or (_unpadded(text) if encoding == "base64" else None) or None


def signature_bytes(text: str, encoding: str) -> bytes | None:
    """The bytes of a signature in hex of any case, or in canonical base64."""
    try:
        if encoding == "hex":
            return binascii.unhexlify(text)
        if encoding == "base64":
            return _canonical(text)
    except ValueError:
        return None
    return None


def _canonical(text: str) -> bytes | None:
    decoded = base64.b64decode(text, validate=True)
    # Two texts can decode to the same bytes: only the one that an encoder writes counts.
    return decoded if base64.b64encode(decoded).decode() == text else None


def _unpadded(text: str) -> bytes | None:
    """People paste keys without the padding, or in the alphabet for URLs."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded.translate(_FROM_URL), validate=True)
    except ValueError:
        return None


_FROM_URL = str.maketrans("-_", "+/")
