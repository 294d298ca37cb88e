"""The configuration: defaults, then the file, then the environment; every key checked, errors that name the key."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec
import orjson

from gateway.clock import duration_ms
from gateway.errors import StartRefused

_SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_PREFIX = "GATEWAY_"


class Duration(str):
    """A text such as `15s`; `ms` and `seconds` are its length."""

    __slots__ = ()

    @property
    def ms(self) -> int:
        return duration_ms(self)

    @property
    def seconds(self) -> float:
        return self.ms / 1000


class Size(str):
    """A text such as `1MiB`; `bytes` is its length."""

    __slots__ = ()

    @property
    def bytes(self) -> int:
        return _size(self)


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


class Log(_Section, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


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
    log: Log = Log()

    @property
    def public_url(self) -> str:
        """The address that vendors reach the gateway at, without a slash at its end."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.server.public_url.rstrip("/") or f"http://{host}:{self.server.port}"

    @property
    def data_dir(self) -> Path:
        return Path(self.storage.data_dir)

    @property
    def storage_url(self) -> str:
        return self.storage.url or f"sqlite:///{self.data_dir / 'gateway.db'}"


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration of `path` (None: ./config.toml where it stands) and the environment; StartRefused names the key."""
    file = path or Path("config.toml")
    if path is None and not file.exists():
        return build({}, environ, "the environment")
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except OSError as problem:
        raise StartRefused(f"{file} cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:
        raise StartRefused(f"{file} is not valid TOML: {problem}.") from problem
    return build(content, environ, str(file))


def build(content: Mapping[str, Any], environ: Mapping[str, str], source: str) -> Config:
    """Check `content`, laid under the environment, against every key there is."""
    merged = {name: dict(section) if isinstance(section, dict) else section for name, section in content.items()}
    for name, value in environ.items():
        _overlay(merged, name, value)
    try:
        config = msgspec.convert(merged, Config, dec_hook=_decode)
        _check(config)
    except (msgspec.ValidationError, ValueError) as problem:
        raise StartRefused(f"{source}: {problem}") from problem
    return config


def environment() -> Mapping[str, str]:
    """The process environment; nothing else reads it."""
    return os.environ


def _overlay(merged: dict[str, Any], name: str, value: str) -> None:
    if not name.startswith(_PREFIX) or "__" not in name:
        return
    section, key = name.removeprefix(_PREFIX).lower().split("__", 1)
    if key.endswith("_file"):
        key, value = key.removesuffix("_file"), _read_secret(name, value)
    kind = _kind(section, key, name)
    merged.setdefault(section, {})[key] = _typed(kind, value, name)


def _kind(section: str, key: str, name: str) -> Any:
    struct = get_type_hints(Config).get(section)
    kinds = get_type_hints(struct) if struct else {}
    if key not in kinds:
        raise StartRefused(f"{name} in the environment names no key of the configuration ([{section}] {key}).")
    return kinds[key]


def _typed(kind: Any, value: str, name: str) -> Any:
    if kind in (str, Duration, Size) or getattr(kind, "__origin__", None) is Literal:
        return value
    try:
        return orjson.loads(value.lower() if kind is bool else value)
    except orjson.JSONDecodeError as problem:
        raise StartRefused(f"{name} in the environment is not readable; lists are written as JSON.") from problem


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as problem:
        raise StartRefused(f"{name} names {path}, which cannot be read: {problem.strerror}.") from problem


def _decode(kind: type, value: Any) -> Any:
    if kind is Duration and isinstance(value, str):
        duration_ms(value)
        return Duration(value)
    if kind is Size and isinstance(value, str | int):
        _size(str(value))
        return Size(value)
    raise ValueError(f"expected a text such as {'15s' if kind is Duration else '1MiB'}")


def _size(text: str) -> int:
    for unit, factor in sorted(_SIZES.items(), key=lambda item: -len(item[0])):
        if (
            text.endswith(unit)
            and text.removesuffix(unit).strip().isascii()
            and text.removesuffix(unit).strip().isdigit()
        ):
            return int(text.removesuffix(unit)) * factor
    if text.isascii() and text.isdigit():
        return int(text)
    raise ValueError(f"{text!r} is no size; write a number and a unit, such as 64KiB, 1MiB or 2GiB")


def _check(config: Config) -> None:
    problems = [message for wrong, message in _rules(config) if wrong]
    if problems:
        raise ValueError("; ".join(problems))


def _rules(config: Config) -> list[tuple[bool, str]]:
    server, delivery, inbound = config.server, config.delivery, config.inbound
    public = server.public_url
    return [
        (not 0 <= server.port <= 65535, "server.port must be 0 to 65535"),
        (bool(public) and not public.startswith(("http://", "https://")), "server.public_url must begin with https://"),
        (not delivery.retry_schedule, "delivery.retry_schedule needs at least one step"),
        (delivery.timeout.ms <= 0, "delivery.timeout must be more than 0s"),
        (not 1 <= delivery.concurrency <= 10_000, "delivery.concurrency must be 1 to 10000"),
        (delivery.concurrency_per_destination < 1, "delivery.concurrency_per_destination must be at least 1"),
        (inbound.max_body.bytes > inbound.max_body_ceiling.bytes, "inbound.max_body is above inbound.max_body_ceiling"),
        (inbound.rate_limit < 0, "inbound.rate_limit must be 0 or more"),
    ]
