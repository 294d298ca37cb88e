"""Connectors found by what people call them: the name or the key in any case, and the version of the vendor's API."""

from collections.abc import Iterable, Sequence

from gateway.catalogue.model import Connector


def named(connectors: Iterable[Connector], name: str, version: str | None = None) -> Sequence[Connector]:
    """Those of this name and, where one is given, of this version; those without a version first."""
    wanted = name.strip().casefold()
    found = [one for one in connectors if wanted in (one.name.casefold(), one.key.casefold())]
    if version is not None:
        found = [one for one in found if (one.api_version or "").casefold() == version.strip().casefold()]
    return sorted(found, key=lambda one: (one.api_version is not None, one.key))


def only(connectors: Iterable[Connector], name: str, version: str | None = None) -> Connector | None:
    """The one that is meant: the one without a version, or the only one; None where that is nobody or several."""
    found = named(connectors, name, version)
    is_clear = len(found) == 1 or (found and found[0].api_version is None)
    return found[0] if found and is_clear else None
