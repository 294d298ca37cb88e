"""One request as it came from a vendor."""

from collections.abc import Mapping

import msgspec

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import Sources


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request: names of headers in lower case, the body as it came, maybe compressed.

    `url` is built from the configured public address and never from the Host header; header values keep their
    bytes (surrogateescape), and repeated headers are joined by a comma and a space.
    """

    method: str
    url: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    remote: str


def as_confirmed(received: Received, confirmed: bytes) -> Received:
    """The request with the vendor's own words about the object in place of what was sent."""
    headers = {name: value for name, value in received.headers.items() if name != "content-encoding"}
    return msgspec.structs.replace(
        received, method="POST", headers={**headers, "content-type": "application/json"}, body=confirmed
    )


def sources_of(connector: Connector, config: ConfigView, received: Received) -> Sources:
    """The request as locators and templates see it."""
    return Sources(
        config=config,
        defaults=connector.value_defaults,
        method=received.method,
        url=received.url,
        query_text=received.query,
        headers=received.headers,
        raw=received.body,
    )
