"""The request of a 3rd-party connector as it is sent: made of the event, signed as notifications are."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.delivery import sign
from gateway.delivery.attempt import MAX_ANSWER, REPLAY_HEADER, Unsendable
from gateway.delivery.notification import render as notification
from gateway.egress.model import Request
from gateway.events.model import Event
from gateway.thirdparty.masking import secrets_of
from gateway.thirdparty.model import SigningSecret, ThirdParty
from gateway.thirdparty.render import Unrenderable, effort
from gateway.thirdparty.render import request as rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class ToThirdParty:
    """One request of a 3rd-party connector."""

    event: Event
    hub: str
    #: Of the event's own instance; empty where that was deleted.
    instance_name: str
    connector: ThirdParty
    replay_id: str | None
    timeout_s: float
    keeps: bool

    @property
    def size(self) -> int:
        payload = len(self.event.payload)
        return payload + effort(self.connector.definition, payload)

    def request(self, at: int) -> Request | Unsendable:
        """The request as it is sent at a time."""
        definition, event = self.connector.definition, self.event
        made = rendered(definition, event, self.instance_name, lambda: notification(event, self.hub))
        if isinstance(made, Unrenderable):
            return Unsendable(made.field, made.message)
        return Request(
            method=made.method,
            url=made.url,
            headers=(*self._signature(made.body, at), *made.headers),
            body=made.body,
            timeout=self.timeout_s,
            max_answer=MAX_ANSWER,
        )

    def secrets(self, request: Request) -> tuple[str, ...]:
        """Its own credentials, as they were entered and as they were sent."""
        return secrets_of(self.connector.definition, request.headers)

    def _signature(self, body: bytes, at: int) -> list[tuple[str, str]]:
        seconds, event_id = at // 1000, self.event.id
        headers = [
            ("webhook-id", event_id),
            ("webhook-timestamp", str(seconds)),
            ("webhook-signature", sign.standard(keys_of(self.connector.signing_secrets, at), event_id, seconds, body)),
        ]
        return headers if self.replay_id is None else [*headers, (REPLAY_HEADER, self.replay_id)]


def keys_of(secrets: Sequence[SigningSecret], at: int) -> list[bytes]:
    """The keys that count at a time, newest first."""
    counting = [one.value for one in secrets if one.expires_at is None or one.expires_at > at]
    return [b64decode(one.removeprefix("whsec_")) for one in counting]
