"""What a connector offers and asks for, as plain facts for people and their tools."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.catalogue.core import entries_of
from gateway.catalogue.model import Connector, Entry
from gateway.catalogue.webhook_model import Condition, Handshake, Verify, Webhook

Facts = dict[str, Any]


def summary(connector: Connector, shipped: Path) -> Facts:
    """One line's worth of facts."""
    hook = connector.webhook
    return {
        "key": connector.key,
        "name": connector.name,
        "version": connector.version,
        "hub": connector.hub,
        "events": list(connector.event_methods),
        "verification": list(dict.fromkeys(rule.scheme for rule in hook.verify)) if hook else [],
        "methods": len(connector.methods),
        "source": "shipped" if connector.source.parent == shipped else str(connector.source),
    }


def facts(connector: Connector, shipped: Path) -> Facts:
    """Everything that somebody who connects this vendor wants to know."""
    return {
        **summary(connector, shipped),
        "id": connector.id,
        "description": connector.description,
        "docs": connector.docs,
        "categories": list(connector.categories),
        "authentication": [{"id": one.id, "type": one.type} for one in connector.auth.values()],
        "entries": [_entry(connector, one) for one in entries_of(connector).values() if not one.hidden],
        "methods": [
            {"id": one.id, "name": one.name, "request": f"{one.request.verb} {one.request.path.source_text}"}
            for one in connector.methods.values()
        ],
        "resources": list(connector.resources),
        "webhook": _webhook(connector, connector.webhook) if connector.webhook else None,
        "polls": [
            {
                "name": one.name,
                "description": one.description,
                "request": f"{one.request.verb} {one.request.path.source_text}",
                "interval_s": one.interval.default // 1000,
            }
            for one in connector.polls
        ],
    }


def _entry(connector: Connector, entry: Entry) -> Facts:
    known: Mapping[str, Any] = {
        "key": entry.key,
        "name": entry.name,
        "description": entry.description,
        "type": entry.type,
        "required": entry.required,
        "required_for": entry.required_for,
        "secret": entry.secret,
        "default": entry.default,
        "choices": list(entry.choices),
        "only_with": sorted(entry.auth or ()),
        "filled_by": entry.filled_by,
        "generated": entry.generate,
        "core": entry.key not in connector.entries,
    }
    return {name: value for name, value in known.items() if value not in (None, "", [], False)}


def _webhook(connector: Connector, hook: Webhook) -> Facts:
    return {
        "docs": hook.docs,
        "verification": [_rule(rule) for rule in hook.verify],
        "handshakes": [_handshake(one) for one in hook.handshakes],
        "registration": "by the gateway" if hook.subscribe else "by hand, at the vendor",
        "one_url_for_all": hook.scope == "connector",
        "batches": hook.items is not None,
        "ordered": hook.ordered,
        "redelivers": connector.redelivers,
        "ack_deadline_s": connector.ack_deadline / 1000 if connector.ack_deadline else None,
        "notes": list(hook.notes),
    }


def _rule(rule: Verify) -> str:
    where = ", ".join(one.source_text for one in (*rule.signature, *([rule.token] if rule.token else [])))
    limits = f", within {rule.tolerance // 1000} s" if rule.tolerance is not None else ""
    return f"{rule.scheme}{' ' + rule.hash if rule.hash else ''}{' in ' + where if where else ''}{limits}{_if(rule)}"


def _if(rule: Verify) -> str:
    return " where " + " and ".join(map(_condition, rule.conditions)) if rule.conditions else ""


def _condition(one: Condition) -> str:
    return f"{one.key} = {' or '.join(sorted(one.values))}"


def _handshake(one: Handshake) -> str:
    marks = [*sorted(one.when.methods)]
    for locator, values in one.when.fields:
        marks.append(locator.source_text + (f" = {' or '.join(sorted(values))}" if values else ""))
    order = "once verified" if one.verify else "before verification"
    return f"{', '.join(marks)}: answered {one.respond.status}, {order}"


def told(found: Facts) -> str:
    """The facts as a page of text."""
    lines = [
        f"{found['name']} ({found['key']} {found['version']}, {found['hub']})",
        found["description"],
        found["docs"],
    ]
    lines += ["", "Authentication, the first being the default:"]
    lines += [f"  {one['id']} ({one['type']})" for one in found["authentication"]] or ["  none"]
    lines += ["", "Configuration:"]
    for entry in found["entries"]:
        if "core" not in entry:
            lines += _told_entry(entry)
    lines.append(
        f"  and what every connector has: {', '.join(one['key'] for one in found['entries'] if 'core' in one)}"
    )
    lines += ["", *(_told_webhook(found["webhook"]) if found["webhook"] else ["No webhook."]), ""]
    lines += ["Polling:"] if found["polls"] else ["No polling."]
    lines += [
        f"  {one['name']}: {one['request']}, every {one['interval_s']} s. {one['description']}".rstrip()
        for one in found["polls"]
    ]
    lines += ["", f"Methods ({len(found['methods'])}):"]
    lines += [f"  {one['id']}: {one['name']} ({one['request']})" for one in found["methods"]]
    lines += ["", f"Source: {found['source']}"]
    return "\n".join(lines)


def _told_entry(entry: Facts) -> list[str]:
    marks: list[str] = [word for word in ("required", "secret", "generated") if word in entry]
    marks += [f"required for {entry['required_for']}"] if "required_for" in entry else []
    marks += [f"only with {', '.join(entry['only_with'])}"] if "only_with" in entry else []
    marks += [f"filled by {entry['filled_by']}"] if "filled_by" in entry else []
    marks += [f"one of {', '.join(entry['choices'])}"] if "choices" in entry else []
    marks += [f"default {entry['default']}"] if "default" in entry and len(entry["default"]) < 60 else []
    head = f"  {entry['key']}: {entry['name']}{' (' + '; '.join(marks) + ')' if marks else ''}"
    return [head, f"      {entry['description']}"] if "description" in entry else [head]


def _told_webhook(hook: Facts) -> list[str]:
    lines = ["Webhook:", *(f"  proof: {rule}" for rule in hook["verification"])]
    lines += [f"  handshake: {one}" for one in hook["handshakes"]]
    lines.append(
        f"  registered {hook['registration']}{'; one URL for all instances' if hook['one_url_for_all'] else ''}"
    )
    deadline = f"must be answered within {hook['ack_deadline_s']:g} s; " if hook["ack_deadline_s"] else ""
    again = "sent again" if hook["redelivers"] else "sending again is not promised"
    lines.append(f"  {deadline}{again} when that fails")
    lines += [f"  note: {note}" for note in hook["notes"]]
    return lines + ([f"  {hook['docs']}"] if hook["docs"] else [])
