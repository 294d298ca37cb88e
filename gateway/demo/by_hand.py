"""What to try by hand while the demo runs: commands that are pasted into a shell as they are."""

import shlex
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the commands need to know."""

    gateway: str
    instance_id: int
    webhook_url: str
    webhook_secret: str
    authorization: str
    consumer: str
    elements_key: str


def commands(facts: Facts) -> list[tuple[str, str]]:
    """What each command shows, and the command."""
    return [
        ("First, what the commands below use", _variables(facts)),
        ("Send a webhook of your own, signed as the vendor signs", _SEND),
        ("Look at the events and what became of them", _events(facts)),
        ("Make another instance: the answer tells its webhookUrl, webhookSecret and signingSecret", _create(facts)),
        ("The ledger and the other numbers", 'curl -s "$GATEWAY/metrics" | grep gateway_'),
    ]


def _variables(facts: Facts) -> str:
    values = {
        "GATEWAY": facts.gateway,
        "AUTH": facts.authorization,
        "WEBHOOK": facts.webhook_url,
        "SECRET": facts.webhook_secret,
    }
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


_SEND = """\
BODY='{"action":"opened","issue":{"id":4711,"title":"By hand","body":null,"assignee":null}}'
SIGNATURE=$(printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/^.* //')
curl -i "$WEBHOOK" -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' \\
  -H "X-GitHub-Delivery: by-hand-$(date +%s)" -H "X-Hub-Signature-256: sha256=$SIGNATURE" --data-binary "$BODY\""""


def _events(facts: Facts) -> str:
    address = f'"$GATEWAY/instances/{facts.instance_id}/events"'
    return f'curl -s {address} -H "Authorization: $AUTH"\n' + (
        f'curl -s {address[:-1]}/dispositions" -H "Authorization: $AUTH"'
    )


def _create(facts: Facts) -> str:
    body = {
        "element": {"key": "github"},
        "name": "by hand",
        "configuration": {
            "token": "any",
            "owner": "octo",
            "repo": "hello",
            "event.notification.enabled": True,
            "event.notification.callback.url": facts.consumer,
            "event.notification.signature.key": facts.elements_key,
        },
    }
    data = shlex.quote(orjson.dumps(body).decode())
    return (
        f'curl -s "$GATEWAY/instances" -H "Authorization: $AUTH" -H \'Content-Type: application/json\' \\\n  -d {data}'
    )
