"""A real request without its secrets: made-up ones in their place, other credentials masked."""

import base64
import json
import re
import secrets as random
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote_plus

from msgspec.structs import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.locator import Alternative
from gateway.catalogue.model import Connector
from gateway.catalogue.sources import octets
from gateway.catalogue.webhook_model import Verify
from gateway.contracts.judging import MAX_BODY
from gateway.proofs.anatomy import Anatomy
from gateway.proofs.bodies import Malformed, unpacked
from gateway.proofs.received import Received
from gateway.proofs.rewriting import Place

ADDRESS = "https://gateway.example/in/t0ken"
MASK = "masked"
SHORTEST = 6
REPROVED = ("hmac", "digest", "token", "basic")
_INFRASTRUCTURE = re.compile(
    r"host|connection|content-length|transfer-encoding|accept(-.*)?|via|forwarded|x-forwarded-.*|x-real-ip|"
    r"true-client-ip|cf-.*|cdn-loop|x-amzn-.*|x-envoy-.*|x-cloud-trace-context|trace.*|baggage|b3|x-b3-.*|ngrok-.*|"
    r"fly-.*|fastly-.*|x-original-.*|remote-addr|client-ip|x-client-ip|x-cluster-client-ip|expect|te|upgrade"
)
_CREDENTIAL = re.compile(r"auth|cookie|token|secret|passw|api-?key|session|credential|signature|hmac|hash|-sig|jwt")
_MEMBER = re.compile(
    r'(?P<before>"(?P<name>[a-z_]*token|[a-z_]*secret|password|api_?key|authorization)"\s*:\s*")'
    r'(?P<value>(?:[^"\\]|\\.)+)"',
    re.IGNORECASE,
)


@dataclass
class Disguise:
    """The made-up secrets of one recording: the same real one becomes the same made-up one throughout."""

    known: dict[str, str] = field(default_factory=dict)

    def of(self, secret: str, encoding: str, prefix: str | None) -> str:
        """The made-up secret in place of a real one, written in the same form."""
        if secret not in self.known:
            self.known[secret] = _made_up(secret, encoding, prefix)
        return self.known[secret]

    def text(self, text: str) -> str:
        """A text in which no real secret occurs, however it is written."""
        for real, made in sorted(self.known.items(), key=lambda pair: -len(pair[0])):
            for there, here in zip(_spellings(real), _spellings(made), strict=True):
                text = text.replace(there, here)
        return text

    def gives_away(self, text: str) -> bool:
        """Whether a real secret occurs in a text."""
        return any(spelling in text for real in self.known for spelling in _spellings(real))


@dataclass(frozen=True, slots=True)
class Unrecordable:
    """Why a delivery cannot be kept as a fixture."""

    reason: str


def disguised_config(
    connector: Connector, values: Mapping[str, str], disguise: Disguise
) -> dict[str, str] | Unrecordable:
    """The configuration with a made-up value for everything secret in it."""
    found = dict(values)
    for key, (encoding, prefix) in secret_entries(connector, values).items():
        if not (stored := values.get(key)):
            continue
        listed = ConfigView(values).secrets(key)
        short = [one for one in listed if len(one) < SHORTEST]
        if short:
            return Unrecordable(f"{key}: a secret of fewer than {SHORTEST} characters cannot be found and replaced")
        made = [disguise.of(one, encoding, prefix) for one in listed]
        found[key] = json.dumps(made) if stored != listed[0] else made[0]
    return found


def shown(
    connector: Connector, rule: Verify | None, config: ConfigView, received: Received, disguise: Disguise
) -> Received | Unrecordable:
    """The request as it may be shown; what a signature of the vendor covers stays as it came."""
    kept = rule is not None and rule.scheme not in REPROVED
    opened = unpacked(received.body, received.headers.get("content-encoding", ""), MAX_BODY)
    body = b"" if isinstance(opened, Malformed) else opened
    hidden = body != received.body and disguise.gives_away(body.decode("utf-8", "surrogateescape"))
    if hidden or (kept and disguise.gives_away(received.body.decode("utf-8", "surrogateescape"))):
        return Unrecordable("a secret stands in its body, where it cannot be replaced")
    anatomy = Anatomy(connector, rule, config, received) if rule else None
    proof = (
        {one.path.partition("#")[0].lower() for one in _proof(anatomy) if one.source == "header"} if anatomy else set()
    )
    read = _read_by(connector)
    wanted = proof | {one.path.partition("#")[0].lower() for one in read if one.source == "header"}
    members = {one.path.rpartition(".")[2] for one in read if one.source in ("body", "item")}
    headers = {name: value for name, value in received.headers.items() if not _INFRASTRUCTURE.fullmatch(name)}
    headers = {
        name: disguise.text(value) if name in wanted or not _CREDENTIAL.search(name) else MASK
        for name, value in headers.items()
    }
    base = received.url.partition("?")[0] if kept and rule and rule.words_signed & {"url", "url_base"} else ADDRESS
    asked = {one.path for one in read if one.source == "query"}
    asked |= {one.path for one in _proof(anatomy) if one.source == "query"} if anatomy else set()
    query = received.query if kept else _masked_query(received.query, disguise, asked)
    text = (
        received.body if kept else octets(_masked(received.body.decode("utf-8", "surrogateescape"), disguise, members))
    )
    url = f"{base}?{query}" if query else base
    return replace(received, url=url, query=query, headers=headers, body=text)


def _masked_query(query: str, disguise: Disguise, wanted: Set[str]) -> str:
    """A query without the secrets, and without parameters whose names say that they hold one; those wanted stay."""
    made = set(disguise.known.values())

    def masked(parameter: str) -> str:
        name, _, value = parameter.partition("=")
        plain = unquote_plus(name)
        stays = plain in wanted or unquote_plus(value) in made
        tells = plain.lower() == "sig" or _CREDENTIAL.search(plain.lower())
        return f"{name}={MASK}" if tells and value and not stays else parameter

    return "&".join(map(masked, disguise.text(query).split("&")))


def _masked(body: str, disguise: Disguise, members: Set[str]) -> str:
    """A body without the secrets, and without members whose names say that they hold one; those that are read stay."""
    made = set(disguise.known.values())

    def masked(match: re.Match[str]) -> str:
        stays = match["value"] in made or match["name"] in members
        return match[0] if stays else f'{match["before"]}{MASK}"'

    return _MEMBER.sub(masked, disguise.text(body))


def _proof(anatomy: Anatomy) -> list[Place]:
    rule = anatomy.rule
    found = anatomy.places(rule.token, rule.envelope, rule.key_id, rule.cert_url, *rule.signature)
    found += anatomy.signed
    return found + (anatomy.places(rule.body_digest.value) if rule.body_digest else [])


def _read_by(connector: Connector) -> list[Alternative]:
    """What mapping and handshakes look at."""
    hook = connector.webhook
    if hook is None:
        return []
    changes = hook.changes
    locators = [changes.action, changes.object_type, changes.object_id, changes.version, changes.date, hook.account]
    locators += [*changes.type.locators, *(changes.dedupe.locators if changes.dedupe else ())]
    locators += [locator for one in hook.handshakes for locator, _ in one.when.fields]
    locators += [locator for one in hook.handshakes for locator, _ in one.check]
    locators += [locator for one in hook.handshakes for _, locator in one.save_once]
    return [one for locator in locators if locator for one in locator.alternatives]


def secret_entries(connector: Connector, values: Mapping[str, str]) -> dict[str, tuple[str, str | None]]:
    """Every entry that is a secret, with the form that its values are written in."""
    view = ConfigView(values)
    found: dict[str, tuple[str, str | None]] = {
        entry.key: ("text", None) for entry in connector.entries.values() if entry.secret or entry.sealed
    }
    hook = connector.webhook
    for one in hook.handshakes if hook else ():
        for key in [key for key, _ in one.save_once] + (
            [one.compute.secret] if one.compute and one.compute.secret else []
        ):
            found[key] = ("text", None)
    for rule in hook.verify if hook else ():
        encoding = rule.secret_encoding
        if encoding.startswith("@"):
            encoding = view.get(encoding[1:]) or connector.value_defaults.get(encoding[1:]) or "text"
        for key in (*rule.secret, *([rule.password] if rule.password else [])):
            found[key] = (encoding, rule.secret_prefix)
    return found


def _made_up(secret: str, encoding: str, prefix: str | None) -> str:
    head = prefix if prefix and secret.startswith(prefix) else ""
    size = len(secret) - len(head)
    if encoding == "hex":
        return head + random.token_hex(max(8, size // 2))
    if encoding == "base64":
        return head + base64.b64encode(random.token_bytes(max(8, size * 3 // 4))).decode()
    return f"{head}made-up-{random.token_hex(12)}"


def _json(secret: str) -> list[str]:
    return [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]


def _spellings(secret: str) -> list[str]:
    """The ways in which a secret may be written in a request."""
    raw = octets(secret)
    written = [
        secret,
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    ]
    return [*written, base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), raw.hex()]
