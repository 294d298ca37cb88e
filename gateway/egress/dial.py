"""A new connection: resolve, judge every address, dial one of exactly those, and shake hands in the host's name."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from gateway.egress import fault
from gateway.egress.guard import Guard
from gateway.egress.model import Fault, Resolver
from gateway.egress.resolve import vetted
from gateway.egress.target import Target

P = TypeVar("P", bound=asyncio.Protocol)


class Dialler:
    """Makes connections that the guard has let through."""

    def __init__(self, guard: Guard, resolver: Resolver, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._resolver = resolver
        self._tls = tls

    async def dial(self, target: Target, deadline: float, make: Callable[[], P]) -> P | Fault:
        """A connected protocol, or the fault that stood in the way; the caller watches the deadline."""
        addresses = await vetted(self._resolver, self._guard, target)
        if isinstance(addresses, Fault):
            return addresses
        sock = await self._first_that_answers(addresses, target.port, deadline)
        return sock if isinstance(sock, Fault) else await self._speak(sock, target, make)

    async def _first_that_answers(self, addresses: Sequence[str], port: int, deadline: float) -> socket.socket | Fault:
        loop = asyncio.get_running_loop()
        outcome: socket.socket | Fault = Fault("dns", "there is no address")
        for tried, address in enumerate(addresses):
            left = len(addresses) - tried
            # A silent address must leave time for the ones after it.
            until = None if left == 1 else loop.time() + (deadline - loop.time()) / left
            outcome = await self._connected(address, port, until)
            if isinstance(outcome, socket.socket):
                break
        return outcome

    async def _connected(self, address: str, port: int, until: float | None) -> socket.socket | Fault:
        refusal = self._guard.refuses_address(address)
        if refusal is not None:
            return Fault("forbidden_address", refusal)
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout_at(until):
                await asyncio.get_running_loop().sock_connect(sock, (address, port))
        except TimeoutError:
            sock.close()
            return Fault("connect", f"{fault.place(address, port)} did not accept a connection in time")
        except OSError as error:
            sock.close()
            return fault.of_dialling(fault.place(address, port), error)
        except asyncio.CancelledError:
            sock.close()
            raise
        return sock

    async def _speak(self, sock: socket.socket, target: Target, make: Callable[[], P]) -> P | Fault:
        secure = target.scheme == "https"
        loop = asyncio.get_running_loop()
        try:
            _, protocol = await loop.create_connection(
                make, sock=sock, ssl=self._tls if secure else None, server_hostname=target.host if secure else None
            )
        except OSError as error:
            return fault.of_handshake(target.host, error)
        except asyncio.CancelledError:
            # The socket belongs to a transport now, which may be too young to notice that it is not wanted any more.
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            raise
        return protocol
