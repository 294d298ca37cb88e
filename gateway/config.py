"""The configuration: defaults, then the file, then the environment; every key checked, errors that name the key."""

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec

from gateway.errors import StartRefused
from gateway.settings import Reading
from gateway.units import Duration, Size

_LONGEST_MS = 3650 * 86_400_000
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - these are recognised here, not listened on
_DATABASES = ("sqlite:///", "postgresql://", "postgres://")
_ICON = re.compile(r"data:image/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}")
_LONGEST_ICON = 1 << 17


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A section of the file."""


class Server(_Section, frozen=True):
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    shutdown_grace: Duration = Duration("20s")
    metrics_token: str = ""


class Storage(_Section, frozen=True):
    data_dir: str = "data"
    url: str = ""
    auto_migrate: bool = True
    min_free: Size = Size("256MiB")


class Egress(_Section, frozen=True):
    allow_http: bool = False
    allow_networks: tuple[str, ...] = ()


class Catalogue(_Section, frozen=True):
    paths: tuple[str, ...] = ()


class Bootstrap(_Section, frozen=True):
    organization_secret: str = ""
    user_secret: str = ""
    client_id: str = ""
    client_secret: str = ""
    admin_username: str = ""
    admin_password: str = ""


class Security(_Section, frozen=True):
    encryption_keys: tuple[str, ...] = ()
    echo_auth_value: bool = False
    password_grant: bool = False


class Delivery(_Section, frozen=True):
    retry_schedule: tuple[Duration, ...] = tuple(
        Duration(step) for step in ("5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h")
    )
    timeout: Duration = Duration("15s")
    concurrency: int = 256
    concurrency_per_destination: int = 16
    retry_after_cap: Duration = Duration("24h")
    client: Literal["lean", "aiohttp"] = "lean"


class Inbound(_Section, frozen=True):
    max_body: Size = Size("1MiB")
    max_body_ceiling: Size = Size("32MiB")
    rate_limit: float = 0
    allow_guessable_urls: bool = False


class Retention(_Section, frozen=True):
    events: Duration = Duration("30d")
    payloads: Duration = Duration("30d")
    answers: bool = True


class Partner(_Section, frozen=True):
    anonymous_accounts_enabled: bool = False
    application_display_name: str = "Connector Gateway"
    application_icon: str = ""
    app_style: str = ""
    coming_soon_connectors_enabled: bool = False
    custom_connectors_enabled: bool = True
    cycle_noun: str = "Cycle"
    cycle_sharing_enabled: bool = False
    domain: str = ""
    intercom_api_key: str = ""
    intercom_app_id: str = ""
    intercom_secret_key: str = ""
    header_html: str = ""
    footer_html: str = ""


class Log(_Section, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class PricePlan(_Section, frozen=True):
    """A plan, and how much of each a period of it holds; 0: as much as there is."""

    id: int
    name: str
    tasks: int = 0
    events: int = 0
    calls: int = 0
    polls: int = 0
    flows: int = 0


class Config(_Section, frozen=True):
    """Everything an operator can set."""

    server: Server = Server()
    storage: Storage = Storage()
    egress: Egress = Egress()
    catalogue: Catalogue = Catalogue()
    bootstrap: Bootstrap = Bootstrap()
    security: Security = Security()
    delivery: Delivery = Delivery()
    inbound: Inbound = Inbound()
    retention: Retention = Retention()
    partner: Partner = Partner()
    log: Log = Log()
    price_plans: tuple[PricePlan, ...] = (PricePlan(id=2, name="Starter"), PricePlan(id=3, name="Pro"))

    @property
    def local_url(self) -> str:
        """The address that this machine reaches the gateway at."""
        host = _ANY_ADDRESS.get(self.server.host, self.server.host)
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.server.port}"

    @property
    def public_url(self) -> str:
        """The address that vendors reach the gateway at, without a slash at its end."""
        return self.server.public_url.rstrip("/") or self.local_url

    @property
    def data_dir(self) -> Path:
        return Path(self.storage.data_dir)

    @property
    def storage_url(self) -> str:
        return self.storage.url or f"sqlite:///{self.data_dir / 'gateway.db'}"


#: Sections that stand there once for each of several things.
_TABLES = {"price_plans": PricePlan}


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """What `path` (None: ./config.toml where it stands) and the environment say; StartRefused names the key."""
    file = path or Path("config.toml")
    if path is None and not file.exists():
        return build({}, environ, "the defaults")
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except OSError as problem:
        raise StartRefused(f"{file} cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:
        raise StartRefused(f"{file} is not valid TOML: {problem}.") from problem
    return build(content, environ, str(file))


def build(content: Mapping[str, Any], environ: Mapping[str, str], source: str) -> Config:
    """Check `content`, laid under the environment, against every key there is; StartRefused lists all that is wrong."""
    sections = {name: kind for name, kind in get_type_hints(Config).items() if name not in _TABLES}
    reading = Reading({name: get_type_hints(kind) for name, kind in sections.items()}, _TABLES)
    reading.file(content, source)
    reading.environment(environ)
    every: dict[str, Any] = {name: kind(**reading.values[name]) for name, kind in sections.items()}
    config = Config(**every | reading.tables)
    problems = reading.problems or [f"{reading.sources.get(key, key)}: {text}." for key, text in _broken_rules(config)]
    if problems:
        raise StartRefused("\n".join(problems))
    return config


def environment() -> Mapping[str, str]:
    """The process environment; nothing else reads it."""
    return os.environ


def _broken_rules(config: Config) -> Iterator[tuple[str, str]]:
    yield from _network_rules(config)
    yield from _limit_rules(config)
    yield from _partner_rules(config)
    for name in ("organization_secret", "user_secret"):
        if any(letter in ", " or not letter.isprintable() for letter in getattr(config.bootstrap, name)):
            yield f"bootstrap.{name}", "stands in a header, so it may hold no space, comma or control character"


def _network_rules(config: Config) -> Iterator[tuple[str, str]]:
    server = config.server
    if not server.host.strip():
        yield "server.host", "must name an address, such as 127.0.0.1 or 0.0.0.0"
    if not 0 <= server.port <= 65535:
        yield "server.port", "must be 0 (a free one) to 65535"
    if server.public_url and not _is_base_url(server.public_url):
        yield "server.public_url", "must be an address such as https://hooks.example.com, without query or user"
    if config.storage.url and not config.storage.url.startswith(_DATABASES):
        yield "storage.url", "must begin with sqlite:/// or postgresql://"
    networks = {"server.trusted_proxies": server.trusted_proxies, "egress.allow_networks": config.egress.allow_networks}
    for key, cidrs in networks.items():
        for problem in filter(None, map(_network_problem, cidrs)):
            yield key, problem


def _limit_rules(config: Config) -> Iterator[tuple[str, str]]:
    delivery, inbound = config.delivery, config.inbound
    if not delivery.retry_schedule:
        yield "delivery.retry_schedule", "needs at least one step"
    if not 1 <= delivery.concurrency <= 10_000:
        yield "delivery.concurrency", "must be 1 to 10000"
    if not 1 <= delivery.concurrency_per_destination <= 10_000:
        yield "delivery.concurrency_per_destination", "must be 1 to 10000"
    if inbound.max_body.bytes > inbound.max_body_ceiling.bytes:
        yield "inbound.max_body", "is above inbound.max_body_ceiling"
    if not (inbound.rate_limit >= 0 and math.isfinite(inbound.rate_limit)):
        yield "inbound.rate_limit", "must be 0 (no limit) or more"
    for key, duration, may_be_zero in _durations(config):
        if not (0 if may_be_zero else 1) <= duration.ms <= _LONGEST_MS:
            yield key, "must be more than 0s and at most 3650d" if not may_be_zero else "must be at most 3650d"


def _partner_rules(config: Config) -> Iterator[tuple[str, str]]:
    partner = config.partner
    for name in ("application_display_name", "cycle_noun"):
        text = getattr(partner, name)
        if not (text.strip() and text.isprintable() and len(text) <= 100):
            yield f"partner.{name}", "must be a text of 1 to 100 characters on one line"
    icon = partner.application_icon
    if icon and not (len(icon) <= _LONGEST_ICON and _ICON.fullmatch(icon)):
        yield "partner.application_icon", "must be an image as a data: URI in base64, of at most 128 KiB"
    if partner.domain and urlsplit(f"//{partner.domain}").netloc != partner.domain:
        yield "partner.domain", "must be the name of a host, such as connectors.example.com"
    ids = [plan.id for plan in config.price_plans]
    if len(set(ids)) != len(ids):
        yield "price_plans", "two of them have the same id"
    if not all(0 < plan.id < 1 << 31 and plan.name.strip() and plan.name.isprintable() for plan in config.price_plans):
        yield "price_plans", "each needs an id from 1 to 2147483647 and a name"
    for name in ("tasks", "events", "calls", "polls", "flows"):
        if not all(0 <= getattr(plan, name) < 1 << 53 for plan in config.price_plans):
            yield "price_plans", f"{name} must be 0 (no limit) or more"


def _durations(config: Config) -> Iterator[tuple[str, Duration, bool]]:
    for step in config.delivery.retry_schedule:
        yield "delivery.retry_schedule", step, False
    yield "delivery.timeout", config.delivery.timeout, False
    yield "delivery.retry_after_cap", config.delivery.retry_after_cap, True
    yield "server.shutdown_grace", config.server.shutdown_grace, True
    yield "retention.events", config.retention.events, False
    yield "retention.payloads", config.retention.payloads, False


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - asking is the check
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and parts.hostname and text.isascii() and text.isprintable()
    return bool(whole) and " " not in text and "@" not in parts.netloc and "?" not in text and "#" not in text


def _network_problem(cidr: str) -> str | None:
    try:
        ip_network(cidr)
    except ValueError as problem:
        return f"{cidr!r} is not a network such as 10.0.0.0/8: {problem}"
    return None
