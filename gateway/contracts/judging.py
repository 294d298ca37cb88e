"""Whether a connector answers a fixture's delivery as the fixture says."""

from typing import Any

from gateway.catalogue.change import Change
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.inbound.handshake import Reply, handshake
from gateway.inbound.normalise import Malformed, normalise
from gateway.proofs.diagnosis import diagnose
from gateway.proofs.fixtures import Delivery, Told
from gateway.proofs.proof import Rejected, Verified, Wanted
from gateway.proofs.received import Received, as_confirmed
from gateway.proofs.verify import verify

MAX_BODY = 8 << 20


def judged(connector: Connector, one: Delivery) -> list[str]:
    """What a connector does otherwise than the fixture says; nothing where all is as told."""
    early = handshake(connector, one.config, one.received, verified=False)
    if one.told.expect == "handshake":
        return _answered(early, one.told)
    if early is not None:
        return [f"expected {one.told.expect}; it was answered as a handshake, before verification"]
    verdict = proved(connector, one)
    if one.told.expect == "rejected":
        return _refused(verdict, one.told)
    if not isinstance(verdict, Verified):
        return [f"expected accepted, got {said(explained(connector, one.config, one.received, one.told.now, verdict))}"]
    return _taken(connector, one, verdict)


def proved(connector: Connector, one: Delivery, now: float | None = None) -> Verified | Rejected | Wanted:
    """The verdict on a delivery, at the fixture's time or at another one."""
    at = one.told.now if now is None else now
    return verify(connector, one.config, one.received, at, one.keys)


def said(verdict: Verified | Rejected | Wanted) -> str:
    """A verdict in words."""
    if isinstance(verdict, Verified):
        return "accepted"
    if isinstance(verdict, Wanted):
        return f"key_unavailable: it needs the key of {verdict.source.where!r}, which keys does not have"
    return f"{verdict.check}: {verdict.detail}"


def explained(
    connector: Connector, config: ConfigView, received: Received, now_s: float, verdict: Rejected | Wanted
) -> Rejected | Wanted:
    """A refusal with what is wrong with the delivery, or with how it is checked, where that can be found out."""
    found = diagnose(connector, config, received, now_s, verdict) if isinstance(verdict, Rejected) else None
    return found or verdict


def _refused(verdict: Verified | Rejected | Wanted, told: Told) -> list[str]:
    check = verdict.check if isinstance(verdict, Rejected) else "key_unavailable"
    if isinstance(verdict, Verified) or check != told.check:
        return [f"expected {told.check}, got {said(verdict)}"]
    return []


def _taken(connector: Connector, one: Delivery, verified: Verified) -> list[str]:
    reply = handshake(connector, one.config, one.received, verified=True)
    if reply is not None or one.told.handshake is not None:
        return _answered(reply, one.told)
    received = one.received if verified.confirmed is None else as_confirmed(one.received, verified.confirmed)
    changes = normalise(connector, one.config, received, connector.max_body or MAX_BODY)
    if isinstance(changes, Malformed):
        if one.told.changes is None and one.told.origin.startswith("public"):
            return []  # a published vector proves a signature, and need not be anything that the vendor sends
        return [f"verified, but unusable: {changes.check}: {changes.detail}"]
    return [] if one.told.changes is None else _compared(changes, one.told.changes)


def _answered(reply: Reply | None, told: Told) -> list[str]:
    if told.handshake is None:
        return ["it was answered as a handshake; say with handshake what is answered"]
    if reply is None:
        return ["expected a handshake; no [[webhook.handshake]] is meant by it"]
    found = []
    if (reply.status, reply.body) != (told.handshake.status, told.handshake.body.encode()):
        found.append(
            f"expected the answer {told.handshake.status} {told.handshake.body!r}, got {reply.status} {reply.body!r}"
        )
    sent = {name.lower(): value for name, value in reply.headers}
    for name, value in told.handshake.headers.items():
        if sent.get(name.lower()) != value:
            found.append(f"handshake.headers.{name}: expected {value!r}, got {sent.get(name.lower())!r}")
    return found + _kept(reply, told)


def _kept(reply: Reply, told: Told) -> list[str]:
    found = []
    if told.saves is not None and dict(reply.saves) != told.saves:
        found.append(f"saves: expected {told.saves!r}, got {dict(reply.saves)!r}")
    if told.confirms is not None and reply.confirm != told.confirms:
        found.append(f"confirms: expected {told.confirms!r}, got {reply.confirm!r}")
    return found


def _compared(changes: tuple[Change, ...], told: list[dict[str, Any]]) -> list[str]:
    if len(changes) != len(told):
        return [f"changes: expected {len(told)}, got {len(changes)}"]
    found = []
    for number, (change, expected) in enumerate(zip(changes, told, strict=True)):
        for key, value in expected.items():
            got = getattr(change, key)
            got = got.decode("utf-8", "replace") if isinstance(got, bytes) else got
            if got != value or type(got) is not type(value):
                found.append(f"changes[{number}].{key}: expected {value!r}, got {got!r}")
    return found
