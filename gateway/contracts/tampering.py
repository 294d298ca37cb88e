"""What becomes of an accepted delivery that somebody changes: derived from the rule that it passed, nothing else."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec.structs import replace as rewritten

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.contents import SNS_MEMBERS
from gateway.catalogue.dates import date_reader
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify
from gateway.contracts.judging import proved, said
from gateway.proofs.anatomy import Anatomy, mapped, parts, with_only
from gateway.proofs.fixtures import Delivery, KnownKeys
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received
from gateway.proofs.rewriting import Place, put, with_url

MANY = 300
_SAMPLE = 8
_TIME = {unit: date_reader(form, "UTC") for unit, form in (("s", "epoch_s"), ("ms", "epoch_ms"), ("iso", "iso8601"))}
_ELSEWHERE = "203.0.113.250"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery with one thing about it changed, and whether it must still be accepted."""

    what: str
    passes: bool
    received: Received
    config: ConfigView
    keys: KnownKeys
    now: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many attempts were made on a delivery, and what went otherwise than it must."""

    attempts: int
    failures: tuple[str, ...]


def tampered(connector: Connector, one: Delivery) -> Outcome:
    """Tries everything that applies to the rules that an accepted delivery passes, each rule for itself."""
    number, failures = 0, []
    for rule in connector.webhook.verify if connector.webhook else ():
        alone = with_only(connector, rule)
        if rule.scheme in ("none", "api_confirm") or not isinstance(proved(alone, one), Verified):
            continue
        for attempt in attempts(alone, rule, one):
            number += 1
            verdict = proved(alone, replace(one, received=attempt.received, config=attempt.config, keys=attempt.keys),
                             attempt.now)  # fmt: skip
            if isinstance(verdict, Verified) is not attempt.passes:
                wanted = "accepted" if attempt.passes else "rejected"
                failures.append(f"{attempt.what}: must be {wanted}, was {said(verdict)}")
    return Outcome(number, tuple(failures))


def attempts(connector: Connector, rule: Verify, one: Delivery) -> Iterator[Attempt]:
    """Everything that can be changed about a delivery that this rule accepts."""
    about = _About(connector, rule, one)
    for what, received in _changed_requests(about):
        yield about.attempt(what, received=received)
    for what, config in _changed_configs(about):
        yield about.attempt(what, config=config)
    for what, keys in _changed_keys(about):
        yield about.attempt(what, keys=keys)
    for what, now, passes in _changed_clocks(about):
        yield about.attempt(what, now=now, passes=passes)
    for what, received in _other_spellings(about):
        yield about.attempt(what, received=received, passes=True)


class _About(Anatomy):
    """The anatomy of a fixture's delivery."""

    def __init__(self, connector: Connector, rule: Verify, one: Delivery) -> None:
        super().__init__(connector, rule, one.config, one.received)
        self.one = one

    def attempt(
        self,
        what: str,
        *,
        received: Received | None = None,
        config: ConfigView | None = None,
        keys: KnownKeys | None = None,
        now: float | None = None,
        passes: bool = False,
    ) -> Attempt:
        """The delivery but for what is given."""
        one = self.one
        at = one.told.now if now is None else now
        return Attempt(what, passes, received or one.received, config or one.config, keys or one.keys, at)


def _changed_requests(about: _About) -> Iterator[tuple[str, Received]]:
    if about.whole_body:
        yield from _flipped(about.received)
    yield from _signed_elsewhere(about)
    yield from _proof_taken_away(about)
    yield from _forged(about)
    if about.items is not None:
        yield "no item", put(about.received, Place("body", about.items), [])
        for place in about.signature:
            wrong = mapped(about.rule, about.text(place), changed)
            yield f"{place.source}:{place.path} alone another", put(about.received, place, wrong)
    if about.rule.networks:
        yield "another sender's address", rewritten(about.received, remote=_ELSEWHERE)


def _flipped(received: Received) -> Iterator[tuple[str, Received]]:
    body, last = received.body, len(received.body)
    for at in sorted(
        {*range(min(last, _SAMPLE)), *range(max(0, last - _SAMPLE), last), *range(0, last, last // 32 + 1)}
    ):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        yield f"byte {at} of the body flipped", rewritten(received, body=changed)
    yield "a byte added to the body", rewritten(received, body=body + b"x")
    if body:
        yield "the last byte of the body left out", rewritten(received, body=body[:-1])


def _signed_elsewhere(about: _About) -> Iterator[tuple[str, Received]]:
    """What is signed beside the body, or of it: each part changed."""
    words, received = about.rule.words_signed, about.received
    base, mark, query = received.url.partition("?")
    if words & {"url", "url_base"}:
        yield "another path", with_url(received, f"{base}x{mark}{query}")
    if "url" in words:
        yield "another query", with_url(received, f"{received.url}{'&' if mark else '?'}x=1")
    if "method" in words:
        yield "another method", rewritten(received, method="PUT" if received.method != "PUT" else "POST")
    signed = about.signed
    if "sns_fields" in words:
        signed += [Place("body", name) for name in sorted(SNS_MEMBERS) if about.text(Place("body", name))]
    for place in signed:
        if about.text(place) and not (place.source in ("body", "form") and about.whole_body):
            yield f"{place.source}:{place.path} changed", put(received, place, changed(about.text(place)))


def _proof_taken_away(about: _About) -> Iterator[tuple[str, Received]]:
    rule = about.rule
    whole = [*about.signature, *about.places(rule.token, rule.envelope, rule.cert_url, rule.key_id)]
    if rule.scheme == "basic":
        whole.append(Place("header", "authorization"))
    if rule.body_digest is not None:
        whole += about.places(rule.body_digest.value)
    yield from _fields_taken_away(about)
    for value, how in ((None, "missing"), ("", "empty")):
        if about.signature:
            received = about.received
            for place in about.signature:
                received = put(received, place, value)
            yield f"every signature {how}", received
        alone = about.signature if len(about.signature) == 1 else []
        for place in dict.fromkeys([*alone, *(one for one in whole if one not in about.signature), *_headers(about)]):
            yield f"{place.source}:{place.path} {how}", put(about.received, Place(place.source, _name(place)), value)


def _fields_taken_away(about: _About) -> Iterator[tuple[str, Received]]:
    """What a header such as `t=1,v1=…` says beside the signature."""
    names = {one.path for locator in about.rule.required for one in locator.alternatives if one.source == "sig"}
    for place in about.signature if about.rule.envelope is None else []:
        for name in sorted(names):
            kept = [part for part in parts(about.rule, about.text(place)) if not part.strip().startswith(f"{name}=")]
            yield f"sig:{name} missing", put(about.received, place, (about.rule.split or ",").join(kept))


def _headers(about: _About) -> list[Place]:
    return [one for one in about.signed if one.source == "header" and about.text(one)]


def _name(place: Place) -> str:
    return place.path.partition("#")[0] if place.source == "header" else place.path


def _forged(about: _About) -> Iterator[tuple[str, Received]]:
    """Signatures and tokens that are others, and more of them than anybody compares."""
    rule, received = about.rule, about.received
    forged = received
    for place in about.signature:
        forged = put(forged, place, mapped(rule, about.text(place), changed))
    if about.signature:
        yield "every signature another", forged
    for place in about.places(rule.token):
        yield "another token", put(received, place, changed(about.text(place)))
        yield "a token that begins with the right one", put(received, place, about.text(place) + "x")
    for place in about.places(rule.envelope):
        yield "another signature in the envelope", put(received, place, _other_envelope(about, place))
    if rule.scheme == "basic":
        yield "another password", put(received, Place("header", "authorization"), _other_basic(about))
    if rule.scheme == "jwt":
        yield from _unsigned_tokens(about)
    if rule.split and len(about.signature) == 1:
        [place] = about.signature
        wrong = mapped(rule, about.text(place), changed)
        yield (
            f"{MANY} signatures before the right one",
            put(received, place, rule.split.join([*[wrong] * MANY, about.text(place)])),
        )


def _unsigned_tokens(about: _About) -> Iterator[tuple[str, Received]]:
    for place in about.places(about.rule.token):
        before, _, token = about.text(place).rpartition(" ")
        parts = token.split(".")
        if len(parts) != 3:
            continue
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        for what, made in (
            ("alg none, signature kept", (none, parts[1], parts[2])),
            ("alg none, no signature", (none, parts[1], "")),
            ("no signature", (parts[0], parts[1], "")),
            ("other claims", (parts[0], changed(parts[1]), parts[2])),
        ):
            yield f"a token with {what}", put(about.received, place, f"{before} {'.'.join(made)}".strip())


def _changed_configs(about: _About) -> Iterator[tuple[str, ConfigView]]:
    rule, values = about.rule, dict(about.one.config.values)
    secrets = [*rule.secret, *([rule.password] if rule.password else [])]
    secrets += [key for locator in (rule.key.locators if rule.key else ()) for key in _entries(locator)]
    bound = [key for locator in (rule.signed.locators if rule.signed else ()) for key in _entries(locator)]
    bound += [key for template in (rule.issuer, rule.audience) if template for key in _entries_of(template.locators)]
    if secrets:
        other = {
            key: another(values[key], about.word(rule.secret_encoding), rule.secret_prefix)
            for key in secrets
            if key in values
        }
        yield "another instance's secret", ConfigView({**values, **other})
        for empty in ("", "[]", '[""]'):
            yield f"the secret {empty!r}", ConfigView({**values, **dict.fromkeys(secrets, empty)})
        yield "no secret", ConfigView({key: value for key, value in values.items() if key not in secrets})
    if rule.username:
        yield "another user name", ConfigView({**values, rule.username: "somebody else"})
        if rule.username not in about.sources.defaults:
            yield "no user name", ConfigView({key: value for key, value in values.items() if key != rule.username})
    for key in bound:
        if values.get(key):
            yield f"another {key}", ConfigView({**values, key: changed(values[key])})


def _entries(locator: Locator) -> list[str]:
    return [one.path for one in locator.alternatives if one.source == "config"]


def _entries_of(locators: tuple[Locator, ...]) -> list[str]:
    return [key for locator in locators for key in _entries(locator)]


def _changed_keys(about: _About) -> Iterator[tuple[str, KnownKeys]]:
    rule = about.rule
    if about.one.keys.texts and (rule.cert_url or rule.jwks_url or rule.key_api):
        yield "the vendor's key not known", KnownKeys({})
        yield "what is no key", KnownKeys(dict.fromkeys(about.one.keys.texts, "{}"))


def _changed_clocks(about: _About) -> Iterator[tuple[str, float, bool]]:
    rule = about.rule
    if rule.timestamp is not None and rule.tolerance is not None:
        at = _TIME[rule.timestamp_unit](rule.timestamp.text(about.sources) or "")
        if at is not None:
            yield "as old as is allowed", (at + rule.tolerance) / 1000, True
            yield "as far ahead as is allowed", (at - rule.tolerance) / 1000, True
            yield "an old timestamp", (at + rule.tolerance) / 1000 + 1, False
            yield "a timestamp of the future", (at - rule.tolerance) / 1000 - 1, False
    if rule.scheme == "jwt" and rule.max_age is not None:
        yield "an old token", about.one.told.now + 2 * rule.max_age / 1000 + 3600, False


def _other_spellings(about: _About) -> Iterator[tuple[str, Received]]:
    """Changes that change nothing: what must stay accepted."""
    rule, received = about.rule, about.received
    if rule.scheme in ("hmac", "digest", "public_key") and about.word(rule.encoding) == "hex":
        upper = received
        for place in about.signature:
            upper = put(upper, place, mapped(rule, about.text(place), str.upper))
        yield "hexadecimal digits as capitals", upper
    if rule.split and len(about.signature) == 1:
        [place] = about.signature
        text = about.text(place)
        wrong = _candidates_only(rule, mapped(rule, text, changed))
        yield "a wrong signature behind the right one", put(received, place, rule.split.join([text, wrong]))
        yield "a wrong signature before the right one", put(received, place, rule.split.join([wrong, text]))
    for name in _free_headers(about):
        wrong = mapped(rule, about.text(about.signature[0]), changed)
        yield f"a wrong signature in {name}", put(received, Place("header", name), wrong)


def _free_headers(about: _About) -> list[str]:
    """Further headers that a signature may stand in."""
    if not about.signature or about.items is not None or any(one.source != "header" for one in about.signature):
        return []
    names = [one.path.lower() for locator in about.rule.signature for one in locator.alternatives[:1]]
    free = [name.replace("*", "zz") for name in names if "#" not in name and not name.startswith("@")]
    # The first text is the one that `sig:` reads: a wrong one before it would be another delivery.
    used = [names.index(name) for name in about.received.headers if name in names]
    return [name for n, name in enumerate(free) if name not in about.received.headers and n >= max(used, default=0)]


def _candidates_only(rule: Verify, text: str) -> str:
    kept = [part for part in parts(rule, text) if rule.prefix is None or part.strip().startswith(rule.prefix)]
    return (rule.split or "").join(kept)


def changed(text: str) -> str:
    """A text of the same shape that is another one; its middle letter or digit is replaced by the next."""
    at = next((at for at in _from_the_middle(len(text)) if text[at].isascii() and text[at].isalnum()), None)
    if at is None:
        return text + "x"
    following = {"9": "0", "z": "a", "Z": "A", "f": "a", "F": "A"}.get(text[at]) or chr(ord(text[at]) + 1)
    return text[:at] + following + text[at + 1 :]


def _from_the_middle(length: int) -> list[int]:
    return [*range(length // 2, length), *reversed(range(length // 2))]


def another(secret: str, encoding: str, prefix: str | None = None) -> str:
    """A secret of the same form that nobody chose."""
    if secret.startswith("["):
        return json.dumps([another(secret[1:-1], encoding, prefix)])
    digest = hashlib.sha512(secret.encode("utf-8", "surrogatepass")).digest()
    head = prefix if prefix and secret.startswith(prefix) else ""
    if encoding == "hex":
        return head + digest.hex()[: max(2, len(secret) - len(head)) // 2 * 2]
    if encoding == "base64":
        return head + base64.b64encode(digest[:32]).decode()
    return head + digest.hex()[:32]


def _other_envelope(about: _About, place: Place) -> str:
    """Base64 of the JSON object in which the signature is another one."""
    names = [one.path for locator in about.rule.signature for one in locator.alternatives if one.source == "sig"]
    try:
        fields = json.loads(base64.b64decode(about.text(place)))
    except ValueError:
        return ""
    fields |= {name: changed(str(fields.get(name, ""))) for name in names}
    return base64.b64encode(json.dumps(fields).encode()).decode()


def _other_basic(about: _About) -> str:
    scheme, _, encoded = about.sources.headers.get("authorization", "").partition(" ")
    try:
        return f"{scheme} {base64.b64encode(base64.b64decode(encoded) + b'x').decode()}"
    except ValueError:
        return f"{scheme} x"
