"""Which addresses a request may name: https, on one of the hosts that the connector's file pins."""

import re

_URL = re.compile(r"https://([a-z0-9.-]{1,253})(?::([0-9]{1,5}))?(?:[/?][!-~]*)?", re.IGNORECASE | re.ASCII)
_LABEL = re.compile(r"[a-z0-9-]+")
_LONGEST = 2048


def host_of(url: str) -> str | None:
    """The host of a plain https URL in lower case, with its port unless that is 443; None for anything else."""
    if len(url) > _LONGEST or "#" in url:
        return None
    match = _URL.fullmatch(url)
    if match is None:
        return None
    host, port = match[1].lower(), match[2]
    if not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return None
    return host if port in (None, "443") else f"{host}:{port}"


def is_pinned(url: str, hosts: tuple[str, ...]) -> bool:
    """Whether a URL is plain https on one of the hosts; a `*` stands for exactly one label."""
    host = host_of(url)
    return host is not None and any(_same(host, pattern) for pattern in hosts)


def _same(host: str, pattern: str) -> bool:
    if "*" not in pattern:
        return host == pattern
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(
        one == label or one == "*" for one, label in zip(wanted, labels, strict=True)
    )
