"""What a caller asks of a vendor, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector

Why = Literal["rate_limited", "unreachable", "late", "no_credentials", "forbidden"]
Kind = Literal["ok", "rate_limited", "reauth", "retry", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What a caller gives to a method; the body is as it came."""

    params: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    content_type: str = ""
    #: The caller's own key against doing something twice, where the vendor knows such keys.
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """For whom a call is made: the vendor, the instance's opened configuration, and the token of a login."""

    connector: Connector
    config: ConfigView
    #: What a login gave, where the way to authenticate needs one.
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A request as it will be sent, but for the proof of who sends it."""

    verb: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an answer means; `wait_s` is how long the vendor wants to be left alone."""

    kind: Kind
    message: str | None = None
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """There is no answer of the vendor, and why."""

    why: Why
    message: str
    wait_s: float | None = None
    #: Whether the request went out all the same, or may have.
    sent: bool = False
