"""The configuration file that `gateway init` writes: the manual, with fresh secrets in their places."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

_LINE = re.compile(r"^(?P<key>[a-z_]+) = (?P<value>\"\"|\[\]|[^#\n]*?)(?P<comment>\s+#.*)?$")


def manual() -> str:
    """The text of config.example.toml, wherever the package was installed from."""
    beside = Path(__file__).resolve().parent.parent / "config.example.toml"
    if beside.is_file():
        return beside.read_text("utf-8")
    return resources.files("gateway").joinpath("config.example.toml").read_text("utf-8")


def example(secrets: dict[str, dict[str, Any]]) -> str:
    """The manual with these values, by section and key, in place of the defaults."""
    section, lines = "", []
    for line in manual().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        lines.append(_filled(line, secrets.get(section, {})))
    return "\n".join(lines) + "\n"


def _filled(line: str, values: dict[str, Any]) -> str:
    match = _LINE.match(line)
    if match is None or match["key"] not in values:
        return line
    return f"{match['key']} = {msgspec.json.encode(values[match['key']]).decode()}{match['comment'] or ''}"
