"""What the history keeps of a vendor's request beside its payload."""

import orjson

from gateway import redact
from gateway.instances.view import InstanceView
from gateway.proofs.received import Received

#: The path of a URL that many instances share ends with a name, which is shorter and no secret.
_SHORTEST_TOKEN = 32


def kept_request(view: InstanceView, received: Received) -> str:
    """Method, query, headers and sender as JSON; what opens something is left out, and so is the path."""
    secrets = (*view.secrets, *_token(received))
    told = {
        "method": received.method,
        "query": redact.query(received.query, secrets),
        "headers": redact.headers(received.headers.items(), secrets),
        "remote": received.remote,
    }
    try:
        return orjson.dumps(told).decode().replace("\\u0000", "\\ufffd")
    except orjson.JSONEncodeError:
        # A header need not be text; what is not is shown as far as it can be.
        return orjson.dumps(_text_of(told)).decode().replace("\\u0000", "\\ufffd")


def _token(received: Received) -> tuple[str, ...]:
    """What opens the URL; proxies write the path into headers of their own."""
    last = received.url.partition("?")[0].rpartition("/")[2]
    return (last,) if len(last) >= _SHORTEST_TOKEN else ()


def _text_of(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _text_of(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_text_of(one) for one in value]
    return value
