"""Names into addresses that may be dialled: all of them are judged, and one that is forbidden spoils the answer."""

import socket
from collections.abc import Sequence

import aiodns

from gateway.egress import fault
from gateway.egress.guard import Guard
from gateway.egress.model import Fault, Resolver
from gateway.egress.target import Target


class SystemResolver:
    """Asks the name servers and the hosts file of this machine, on no thread that others wait for."""

    def __init__(self) -> None:
        self._dns = aiodns.DNSResolver()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host, the preferred one first; OSError when there is none."""
        try:
            found = await self._dns.getaddrinfo(host, socket.AF_UNSPEC, port, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as error:
            raise OSError(*error.args) from None
        return [node.addr[0].decode() for node in found.nodes]

    async def close(self) -> None:
        """Stop asking."""
        await self._dns.close()


async def vetted(resolver: Resolver, guard: Guard, target: Target) -> Sequence[str] | Fault:
    """The addresses to dial, the preferred one first, or the fault of the name."""
    if target.literal is None:
        return await vetted_name(resolver, guard, target.host, target.port)
    return guard.refuses_answer(target.host, (target.host,)) or (target.host,)


async def vetted_name(resolver: Resolver, guard: Guard, host: str, port: int) -> Sequence[str] | Fault:
    """The same for a host that is a name."""
    try:
        addresses = guard.loopback_of(host) or await resolver.resolve(host, port)
    except OSError as error:
        return fault.of_resolving(host, error)
    return guard.refuses_answer(host, addresses) or tuple(dict.fromkeys(addresses))
