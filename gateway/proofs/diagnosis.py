"""Why a delivery was refused: which other rule, key, body or address would have let it pass; for operators alone."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.dates import date_reader
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify
from gateway.catalogue.words import ENCODINGS, HASHES, KEY_ENCODINGS
from gateway.proofs.encodings import key_bytes
from gateway.proofs.proof import Rejected, Verified
from gateway.proofs.received import Received, sources_of
from gateway.proofs.reencoded import reencoded
from gateway.proofs.signed import MAX_COMPARISONS, candidates, setting, signature_texts
from gateway.proofs.verify import verify

MOST_BODY = 256 << 10
#: Digests for what may be wrong with the delivery, and for secrets that are not the instance's now.
MOST_OWN = 40
MOST_OTHER = 24
DIAGNOSED = frozenset(
    {"signature_mismatch", "credentials_mismatch", "body_digest_mismatch", "timestamp_stale", "missing_header"}
)
_KEYED = ("hmac", "digest")
_SHOWN = ("token", "basic")
_MARKS = (None, "whsec_")
_SCHEMES = ("Bearer ", "bearer ", "Token ", "Basic ")
_VERSIONS = ("v1=", "v0=")
_TIMES = {"s": "epoch_s", "ms": "epoch_ms", "iso": "iso8601"}


@dataclass(frozen=True, slots=True)
class Others:
    """Secrets that do not count: former ones of the instance by entry, and those of its account's other instances."""

    former: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instances: Mapping[int, ConfigView] = field(default_factory=dict)


@dataclass(slots=True)
class _Case:
    """The refused delivery, and how many digests may still be made for it."""

    connector: Connector
    config: ConfigView
    received: Received
    now_s: float
    #: The rules that apply to the instance, and the rest.
    meant: list[Verify]
    unmeant: list[Verify]
    left: int

    def passes(self, rule: Verify, *, config: ConfigView | None = None, received: Received | None = None) -> bool:
        """Whether it would have passed by this rule alone, whatever the time."""
        webhook, given, came = self.connector.webhook, config or self.config, received or self.received
        if webhook is None or not self._can(rule, given, came):
            return False
        alone = replace(webhook, verify=(replace(rule, conditions=(), tolerance=None),))
        return isinstance(verify(replace(self.connector, webhook=alone), given, came, self.now_s), Verified)

    def _can(self, rule: Verify, config: ConfigView, received: Received) -> bool:
        """Whether a signature of the right length is there to be compared, and its digests can be afforded."""
        if rule.scheme not in _KEYED:
            return True
        if not rule.per_item:
            sources = sources_of(self.connector, config, received)
            texts = signature_texts(rule, sources)
            found = [] if isinstance(texts, Rejected) else candidates(rule, texts, sources, MAX_COMPARISONS)
            if hashlib.new(rule.hash).digest_size not in map(len, found):
                return False
        cost = sum(len(config.secrets(key)) for key in rule.secret) * (2 if "url" in rule.words_signed else 1)
        self.left -= cost
        return self.left >= 0


Trial = Callable[[_Case, Verify], Rejected | None]


def diagnose(
    connector: Connector, config: ConfigView, received: Received, now_s: float, rejected: Rejected
) -> Rejected | None:
    """What is wrong with the delivery or with how it is checked, in words for operators; None where that is unknown."""
    case = _case(connector, config, received, now_s, rejected, MOST_OWN)
    if case is None:
        return None
    for trial in _TRIALS:
        for rule in case.meant:
            found = trial(case, rule)
            if found is not None:
                return found
        found = _other_rule(case) if trial is _stale else None
        if found is not None:
            return found
    return None


def compare(
    connector: Connector, config: ConfigView, received: Received, now_s: float, rejected: Rejected, others: Others
) -> Rejected | None:
    """Whose secret the delivery is proved with, where it is none that counts; None where it is nobody's known here."""
    case = _case(connector, config, received, now_s, rejected, MOST_OTHER)
    if case is None:
        return None
    return next(filter(None, (_former(case, rule, others) for rule in case.meant)), None) or _foreign(case, others)


def _case(
    connector: Connector, config: ConfigView, received: Received, now_s: float, rejected: Rejected, most: int
) -> _Case | None:
    if connector.webhook is None or rejected.check not in DIAGNOSED or len(received.body) > MOST_BODY:
        return None
    rules = [rule for rule in connector.webhook.verify if rule.scheme in (*_KEYED, *_SHOWN)]
    sources = sources_of(connector, config, received)
    meant = [rule for rule in rules if all(sources.setting(one.key) in one.values for one in rule.conditions)]
    others = [rule for rule in rules if rule not in meant]
    return _Case(connector, config, received, now_s, meant, others, most)


def _entries(rule: Verify) -> tuple[str, ...]:
    return rule.secret if rule.password is None else (rule.password,)


def _stale(case: _Case, rule: Verify) -> Rejected | None:
    if rule.timestamp is None or rule.tolerance is None or not case.passes(rule):
        return None
    sources = sources_of(case.connector, case.config, case.received)
    signature_texts(rule, sources)
    at = date_reader(_TIMES[rule.timestamp_unit], "UTC")(rule.timestamp.text(sources) or "")
    if at is None or abs(at - case.now_s * 1000) <= rule.tolerance:
        return None
    ahead = at / 1000 - case.now_s
    side = "ahead of" if ahead > 0 else "behind"
    return Rejected(
        "timestamp_stale",
        f"the signature is right, but its time is {abs(ahead):.0f} s {side} this clock, {rule.tolerance // 1000} s "
        "are allowed: it is an old delivery, or one of the clocks is wrong",
    )


def _other_rule(case: _Case) -> Rejected | None:
    for rule in case.unmeant:
        if case.passes(rule):
            wanted = " and ".join(f"{one.key} = {' or '.join(sorted(one.values))}" for one in rule.conditions)
            return Rejected("wrong_algorithm", f"it matches the rule for {wanted}: the instance is set up for another")
    return None


def _hash(case: _Case, rule: Verify) -> Rejected | None:
    if rule.scheme not in _KEYED:
        return None
    for name in HASHES:
        for prefix in dict.fromkeys((rule.prefix, rule.prefix and rule.prefix.replace(rule.hash, name))):
            other = replace(rule, hash=name, prefix=prefix, prefix_optional=f"{name}=")
            if name != rule.hash and case.passes(other):
                return Rejected("wrong_algorithm", f"it is signed with {name}, expected {rule.hash}")
    return None


def _key(case: _Case, rule: Verify) -> Rejected | None:
    trimmed = _trimmed(case.config, rule)
    if trimmed is not None and case.passes(rule, config=trimmed):
        return Rejected("wrong_key_encoding", "the configured secret has white space around it")
    if rule.scheme != "hmac":
        return None
    seen = {_keys(case, rule)}
    for encoding in KEY_ENCODINGS:
        for mark in dict.fromkeys((*_MARKS, rule.secret_prefix)):
            other = replace(rule, secret_encoding=encoding, secret_prefix=mark)
            keys = _keys(case, other)
            if any(keys) and keys not in seen and case.passes(other):
                without = f", without {mark!r} in front" if mark else ""
                return Rejected("wrong_key_encoding", f"it matches with the secret taken as {encoding}{without}")
            seen.add(keys)
    return None


def _keys(case: _Case, rule: Verify) -> tuple[bytes | None, ...]:
    sources = sources_of(case.connector, case.config, case.received)
    encoding = setting(rule.secret_encoding, sources)
    return tuple(
        key_bytes(secret, rule.secret_prefix, encoding) for key in rule.secret for secret in case.config.secrets(key)
    )


def _trimmed(config: ConfigView, rule: Verify) -> ConfigView | None:
    """The configuration without white space around what this rule compares; None where there is none."""
    values = dict(config.values)
    for key in (*_entries(rule), *((rule.username,) if rule.username else ())):
        values[key] = values.get(key, "").strip()
    return ConfigView(values) if any(values[key] != config.values.get(key, "") for key in values) else None


def _signature(case: _Case, rule: Verify) -> Rejected | None:
    if rule.scheme == "token":
        for scheme in _SCHEMES:
            if case.passes(replace(rule, prefix=None, prefix_optional=scheme)):
                return Rejected("wrong_signature_encoding", f"the token comes with {scheme.strip()!r} in front")
        return None
    if rule.scheme not in _KEYED:
        return None
    for prefix in dict.fromkeys((rule.prefix, None, f"{rule.hash}=", *_VERSIONS)):
        for encoding in ENCODINGS:
            other = replace(rule, prefix=prefix, encoding=encoding)
            if other != rule and case.passes(other):
                front = f"with {prefix!r}" if prefix else f"without {rule.prefix!r}"
                told = f", {front} in front" if prefix != rule.prefix else ""
                return Rejected("wrong_signature_encoding", f"the signature is written in {encoding}{told}")
    return None


def _body(case: _Case, rule: Verify) -> Rejected | None:
    if rule.scheme not in _KEYED or not ("raw" in rule.words_signed or rule.body_digest):
        return None
    for words, body in reencoded(case.received, MOST_BODY):
        if case.passes(rule, received=msgspec.structs.replace(case.received, body=body)):
            return Rejected(
                "body_reencoded", f"the body was changed on the way: it matches {words}; a proxy re-encodes it"
            )
    return None


def _url(case: _Case, rule: Verify) -> Rejected | None:
    if rule.scheme not in _KEYED or not rule.words_signed & {"url", "url_base"}:
        return None
    for words, url in _addresses(case.received):
        if case.passes(rule, received=msgspec.structs.replace(case.received, url=url)):
            return Rejected("wrong_url", f"it is signed for another address, {words}: check server.public_url")
    return None


def _addresses(received: Received) -> Iterator[tuple[str, str]]:
    scheme, _, rest = received.url.partition("://")
    host, slash, path = rest.partition("/")
    hosts = dict.fromkeys((host, received.headers.get("host", ""), received.headers.get("x-forwarded-host", "")))
    for name in hosts:
        for kind in ("https", "http"):
            if name and (kind, name) != (scheme, host):
                yield f"{kind}://{name}", f"{kind}://{name}{slash}{path}"
    base, question, query = received.url.partition("?")
    other = base.removesuffix("/") if base.endswith("/") else base + "/"
    yield "with or without the slash at its end", other + question + query
    if question:
        yield "without its query", base


def _former(case: _Case, rule: Verify, others: Others) -> Rejected | None:
    former = {key: others.former.get(key, ()) for key in _entries(rule)}
    values = {key: value for key, value in case.config.values.items() if key not in former}
    if not any(former.values()) or not case.passes(rule, config=ConfigView(values, former)):
        return None
    return Rejected("old_secret", "it matches a secret of this instance that does not count any more")


def _foreign(case: _Case, others: Others) -> Rejected | None:
    for number, config in others.instances.items():
        for rule in case.meant:
            theirs = {key: config.values.get(key, "") for key in (*_entries(rule), rule.username) if key}
            foreign = ConfigView({**case.config.values, **theirs}, config.previous)
            if any(theirs.values()) and case.passes(rule, config=foreign):
                return Rejected(
                    "other_secret", f"it matches the secret of instance {number}: the vendor sends to the wrong address"
                )
    return None


_TRIALS: tuple[Trial, ...] = (_stale, _hash, _key, _signature, _url, _body)
