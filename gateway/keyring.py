"""Secrets that nobody gave: made at the first start, kept in the data directory, readable by its owner only."""

import errno
import os
import tomllib
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from gateway import ids, seal
from gateway.config import Bootstrap, Config, Security
from gateway.errors import StartRefused
from gateway.settings import Reading

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
    try:
        return _fill(config, _kept(path, missing)), path
    except OSError as problem:
        raise StartRefused(f"{path} cannot be used ({problem.strerror}); set storage.data_dir.") from problem


def found(config: Config) -> Config:
    """The configuration with the secrets that the first start made; StartRefused where it has not been yet."""
    missing = _missing(config)
    path = config.data_dir / FILE
    try:
        kept = _read(path)
    except OSError as problem:
        raise StartRefused(f"{path} cannot be read: {problem.strerror}.") from problem
    if any(key not in kept.get(section, {}) for section, key in missing):
        raise StartRefused(f"{path} does not hold the secrets yet: they are made when `gateway serve` starts first.")
    return _fill(config, kept)


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
    kept, made = _read(path), fresh()
    lacking = [(section, key) for section, key in missing if key not in kept.get(section, {})]
    for section, key in lacking:
        kept.setdefault(section, {})[key] = made[section][key]
    if lacking:
        try:
            write(path, kept, over=path.exists())
        except FileExistsError:
            # Two nodes began at the same moment; the other one's secrets count.
            return _kept(path, missing)
    return kept


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except ValueError as problem:
        raise StartRefused(f"{path} is not valid TOML: {problem}. Restore it from a copy.") from problem
    reading = Reading({"bootstrap": get_type_hints(Bootstrap), "security": get_type_hints(Security)})
    reading.file(content, str(path))
    if reading.problems:
        raise StartRefused("\n".join(reading.problems))
    return {section: values for section, values in reading.values.items() if values}


def write(path: Path, sections: dict[str, dict[str, Any]], *, over: bool) -> None:
    """Write sections of texts and lists of texts as TOML, for the owner's eyes only."""
    lines = ["# Made by the gateway at its first start. Keep a copy: without the keys, stored credentials stay closed."]
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    write_text(path, "\n".join(lines) + "\n", over=over)


def write_text(path: Path, text: str, *, over: bool) -> None:
    """Write a file that only its owner may read, whole or not at all; FileExistsError where it may not be replaced."""
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if over:
            draft.replace(path)
        else:
            _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError as problem:
        # A file system without links: what is left is to look first.
        if path.exists():
            raise FileExistsError(str(path)) from problem
        draft.replace(path)


def _toml(value: str | list[str] | tuple[str, ...]) -> str:
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
