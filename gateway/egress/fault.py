"""What the operating system, TLS and the deadline say, put into words for people; names addresses, never values."""

import os
import socket
import ssl

from gateway.egress.limits import MAX_HEADERS
from gateway.egress.model import Fault

_VERDICTS = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate cannot be trusted",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "it speaks only outdated versions of TLS",
}


def of_resolving(host: str, error: OSError) -> Fault:
    """The name could not be turned into addresses."""
    return Fault("dns", f"{host} cannot be resolved: {_said(error)}")


def of_dialling(place: str, error: OSError) -> Fault:
    """No TCP connection to this address."""
    if isinstance(error, ConnectionRefusedError):
        return Fault("connect", f"connection refused by {place}")
    return Fault("connect", f"cannot connect to {place}: {_said(error)}")


def of_handshake(host: str, error: OSError) -> Fault:
    """A TCP connection, but no TLS session."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault("tls", f"the certificate of {host} is refused: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        verdict = _VERDICTS.get(error.reason or "", (error.reason or "unknown error").replace("_", " ").lower())
        return Fault("tls", f"no TLS session with {host}: {verdict}")
    return Fault("tls", f"{host} closed the connection during the TLS handshake")


def of_closing() -> Fault:
    """The client is closed."""
    return Fault("connect", "the gateway is shutting down")


def of_deadline(seconds: float, host: str, stage: str) -> Fault:
    """The time given to a request ran out before something had happened."""
    return Fault("timeout", f"{host}: {stage} within {seconds:g} s")


def place(address: str, port: int) -> str:
    """`203.0.113.5:443`, or with brackets for IPv6."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def of_loss(host: str, complete_head: bool) -> Fault:
    """The peer let go of the connection while its answer was due."""
    when = "before the end of its answer" if complete_head else "before it answered"
    return Fault("reset", f"{host} closed the connection {when}")


def of_protocol(host: str, what: str) -> Fault:
    """The peer does not speak HTTP/1.1 as it is written."""
    return Fault("protocol", f"the answer of {host} is not valid HTTP/1.1: {what}")


def of_too_many_headers(host: str) -> Fault:
    """The header block is longer than anybody needs."""
    return Fault("too_many_headers", f"the answer of {host} has more than {MAX_HEADERS} headers, or 64 KiB of them")


def _said(error: OSError) -> str:
    # The loops put the address into `strerror`, each in its own way.
    if error.errno is not None and error.errno > 0 and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno).lower()
    return error.strerror or str(error) or type(error).__name__
