"""From a real delivery to a fixture: its secrets replaced by made-up ones, proved afresh, other credentials masked."""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify
from gateway.contracts.disguise import REPROVED, Disguise, Unrecordable, disguised_config, secret_entries
from gateway.contracts.disguise import shown as shown_as
from gateway.contracts.judging import MAX_BODY
from gateway.inbound.handshake import Reply, handshake
from gateway.inbound.normalise import normalise
from gateway.proofs.anatomy import with_only
from gateway.proofs.bodies import Malformed
from gateway.proofs.fixtures import KnownKeys
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received, as_confirmed
from gateway.proofs.signing import signed_by
from gateway.proofs.verify import verify

_CHANGE = ("type", "action", "object_type", "object_id", "version", "occurred_at", "vendor_event_id", "identity")


def recorded(
    connector: Connector,
    values: Mapping[str, str],
    received: Received,
    now_s: float,
    keys: KnownKeys,
    disguise: Disguise,
    name: str,
) -> dict[str, Any] | Unrecordable:
    """The fixture of a delivery or handshake that the connector takes; secrets of the vendor's are replaced."""
    early = handshake(connector, ConfigView(values), received, verified=False)
    rule = None if early is not None else _passed(connector, ConfigView(values), received, now_s, keys)
    if early is None and rule is None:
        return Unrecordable("it is not verified")
    if rule is not None and rule.scheme == "jwt" and rule.secret:
        return Unrecordable("its token is made with a shared secret, which cannot be replaced; write this one by hand")
    for key, value in early.saves if early is not None else ():
        disguise.of(value, *secret_entries(connector, values).get(key, ("text", None)))
    config = disguised_config(connector, values, disguise)
    if isinstance(config, Unrecordable):
        return config
    shown = shown_as(connector, rule, ConfigView(values), received, disguise)
    if isinstance(shown, Unrecordable):
        return shown
    view = ConfigView(config)
    if rule is not None and rule.scheme in REPROVED:
        proved = signed_by(connector, rule, view, shown, now_s)
        if proved is None:
            return Unrecordable("it could not be proved again with made-up secrets; write this one by hand")
        shown = proved
    told = _told(connector, config, shown, now_s, keys, name, early is not None)
    # The last look, whatever was replaced on the way here.
    text = json.dumps(told, ensure_ascii=False)
    return Unrecordable("a secret would have stayed in the file") if disguise.gives_away(text) else told


def write(path: Path, key: str, deliveries: Iterable[Mapping[str, Any]]) -> None:
    """Adds deliveries to a fixture file, which is made where it is not there; names stay distinct."""
    content: dict[str, Any] = {"connector": key, "deliveries": []}
    if path.exists():
        content = json.loads(path.read_text("utf-8"))
    names = {one["name"] for one in content["deliveries"]}
    for one in deliveries:
        name, number = one["name"], 1
        while name in names:
            number += 1
            name = f"{one['name']} ({number})"
        names.add(name)
        content["deliveries"].append({**one, "name": name})
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".json.new")
    beside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    os.replace(beside, path)


def needed(connector: Connector, values: Mapping[str, str]) -> list[str]:
    """The entries that a proof needs and nobody gave, of the first rule that applies; none where a rule has all."""
    hook = connector.webhook
    saved = {key for one in (hook.handshakes if hook else ()) for key, _ in one.save_once}
    view, first = ConfigView(values), None
    for rule in hook.verify if hook else ():
        chosen = all(
            (view.get(one.key) or connector.value_defaults.get(one.key)) in one.values for one in rule.conditions
        )
        if not chosen:
            continue
        lacking = [key for key in _keys_of(rule) if not view.get(key) and not connector.value_defaults.get(key)]
        alternatives = len(rule.secret) > 1 and any(view.get(key) for key in rule.secret)
        if not lacking or alternatives or set(lacking) <= saved:
            return []
        first = first or lacking
    return first or []


def _keys_of(rule: Verify) -> list[str]:
    given = [key for key in (rule.username, rule.password) if key]
    given += [one.path for loc in (rule.key.locators if rule.key else ()) for one in loc.alternatives if one.config_key]
    return [*rule.secret, *given]


def _passed(
    connector: Connector, config: ConfigView, received: Received, now_s: float, keys: KnownKeys
) -> Verify | None:
    for rule in connector.webhook.verify if connector.webhook else ():
        if isinstance(verify(with_only(connector, rule), config, received, now_s, keys), Verified):
            return rule
    return None


def _told(
    connector: Connector,
    config: Mapping[str, str],
    received: Received,
    now_s: float,
    keys: KnownKeys,
    name: str,
    early: bool,
) -> dict[str, Any]:
    view = ConfigView(config)
    reply = handshake(connector, view, received, verified=not early)
    request: dict[str, Any] = {"method": received.method, "url": received.url, "query": received.query}
    request["headers"] = dict(received.headers)
    try:
        request["body"] = received.body.decode()
    except UnicodeDecodeError:
        request["body_base64"] = base64.b64encode(received.body).decode()
    told: dict[str, Any] = {"name": name, "origin": f"recorded from {connector.name}, its secrets replaced"}
    told["config"] = dict(config)
    if keys.texts:
        told["keys"] = dict(keys.texts)
    told |= {"now": now_s, "request": request, "expect": "handshake" if early else "accepted"}
    if reply is not None:
        return told | _told_reply(reply)
    verdict = verify(connector, view, received, now_s, keys)
    confirmed = verdict.confirmed if isinstance(verdict, Verified) else None
    read = received if confirmed is None else as_confirmed(received, confirmed)
    changes = normalise(connector, view, read, connector.max_body or MAX_BODY)
    if not isinstance(changes, Malformed):
        told["changes"] = [{key: getattr(one, key) for key in _CHANGE} for one in changes]
    return told


def _told_reply(reply: Reply) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": reply.status, "body": reply.body.decode("utf-8", "replace")}
    headers = {
        name: value for name, value in reply.headers if name.lower() not in ("content-type", "x-content-type-options")
    }
    told: dict[str, Any] = {"handshake": answer | ({"headers": headers} if headers else {})}
    if reply.saves:
        told["saves"] = dict(reply.saves)
    return told | ({"confirms": reply.confirm} if reply.confirm is not None else {})
