"""Where an instance may be pointed at: hosts that its connector declares, and what the operator lets through."""

import asyncio
from collections.abc import Mapping

from gateway.calls import hosts
from gateway.catalogue.model import Connector
from gateway.egress.guard import Guard
from gateway.egress.model import Fault
from gateway.egress.resolve import SystemResolver
from gateway.egress.target import Target
from gateway.errors import Invalid, Problem

RESOLVE_S = 2.0


async def permitted(
    guard: Guard, connector: Connector, stored: Mapping[str, str], changed: Mapping[str, str | None]
) -> None:
    """Invalid where a changed base.url leads to a host that neither the connector nor the operator names."""
    url = changed.get(hosts.BASE_URL)
    if url is None or url == stored.get(hosts.BASE_URL):
        return
    problem = await _problem(guard, connector, url)
    if problem is not None:
        raise Invalid(f"Invalid configuration: {hosts.BASE_URL}: {problem}.", (Problem(hosts.BASE_URL, problem),))


async def _problem(guard: Guard, connector: Connector, url: str) -> str | None:
    target = guard.admit(url)
    if isinstance(target, Fault):
        return target.detail
    if hosts.declares(connector, target.host) and (target.scheme == "https" or connector.http.base_url is None):
        return None
    if await _is_explicitly_allowed(guard, target):
        return None
    known = " or ".join(sorted(_declared(connector)))
    return f"{connector.name} is called at https addresses of {known}, or in egress.allow_networks"


async def _is_explicitly_allowed(guard: Guard, target: Target) -> bool:
    """Whether all addresses of the host lie in networks that the operator has named."""
    if target.literal is not None:
        return guard.explicitly_allows(target.host)
    addresses = guard.loopback_of(target.host) or await _addresses(target)
    return bool(addresses) and all(map(guard.explicitly_allows, addresses))


async def _addresses(target: Target) -> tuple[str, ...]:
    resolver = SystemResolver()
    try:
        async with asyncio.timeout(RESOLVE_S):
            return tuple(await resolver.resolve(target.host, target.port))
    except (OSError, TimeoutError):
        return ()
    finally:
        await resolver.close()


def _declared(connector: Connector) -> set[str]:
    """The hosts of the file, for people: a placeholder stands for a part of the name."""
    template = connector.http.base_url
    own = template.source_text.partition("://")[2].partition("/")[0] if template is not None else ""
    return {*connector.http.hosts, own} - {""}
