"""Secrets that nobody gave: made at the first start, kept in the data directory, readable by its owner only."""

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from gateway import ids, seal
from gateway.config import Bootstrap, Config
from gateway.errors import StartRefused

FILE = "secrets.toml"


def complete(config: Config) -> tuple[Config, Path | None]:
    """The configuration with every secret in place, and the file that holds those nobody gave.

    On PostgreSQL nothing is made up: every node needs the same secrets, so they must be given.
    """
    missing = _missing(config)
    if not missing:
        return config, None
    if config.storage_url.startswith("postgres"):
        names = ", ".join(f"{section}.{key}" for section, key in missing)
        raise StartRefused(
            f"On PostgreSQL these must be given, the same on every node: {names}. `gateway init` writes them."
        )
    path = config.data_dir / FILE
    return _fill(config, _kept(path, missing)), path


def fresh() -> dict[str, dict[str, Any]]:
    """A new value for every secret, by section and key."""
    return {
        "bootstrap": {
            "organization_secret": ids.hex_token(),
            "user_secret": ids.base64_token(),
            "client_id": ids.hex_token(),
            "client_secret": ids.token(),
            "admin_username": "admin",
            "admin_password": ids.token(),
        },
        "security": {"encryption_keys": [seal.new_key()]},
    }


def _missing(config: Config) -> list[tuple[str, str]]:
    given = {"bootstrap": config.bootstrap, "security": config.security}
    return [(section, key) for section, made in fresh().items() for key in made if not getattr(given[section], key)]


def _kept(path: Path, missing: list[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    try:
        kept: dict[str, dict[str, Any]] = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
        made = fresh()
        lacking = [(section, key) for section, key in missing if key not in kept.get(section, {})]
        for section, key in lacking:
            kept.setdefault(section, {})[key] = made[section][key]
        if lacking:
            write(path, kept)
    except OSError as problem:
        raise StartRefused(f"{path} cannot be used ({problem.strerror}); set storage.data_dir.") from problem
    return kept


def write(path: Path, sections: dict[str, dict[str, Any]]) -> None:
    """Write sections of texts and lists of texts as TOML, for the owner's eyes only."""
    lines = ["# Made by the gateway at its first start. Keep a copy: without the keys, stored credentials stay closed."]
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    write_text(path, "\n".join(lines) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh_file = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh_file.replace(path)


def _toml(value: str | list[str]) -> str:
    return msgspec.json.encode(value).decode()


def _fill(config: Config, kept: dict[str, dict[str, Any]]) -> Config:
    bootstrap = {
        name: getattr(config.bootstrap, name) or kept["bootstrap"][name] for name in Bootstrap.__struct_fields__
    }
    keys = config.security.encryption_keys or tuple(kept["security"]["encryption_keys"])
    return msgspec.structs.replace(
        config,
        bootstrap=Bootstrap(**bootstrap),
        security=msgspec.structs.replace(config.security, encryption_keys=keys),
    )
