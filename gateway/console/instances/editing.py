"""`/console/instances/{id}/edit`: names and configuration, and what another person has changed meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from multidict import MultiDict

from gateway.calls.authenticate import way_of
from gateway.calls.model import Access
from gateway.catalogue.call_model import Auth
from gateway.catalogue.config_view import ConfigView
from gateway.console.connectors import catalogue, entries
from gateway.console.connectors.login import takes_code
from gateway.console.forms import Form, posted
from gateway.console.instances.place import ONE, asked_for, path_of
from gateway.console.instances.versions import Overtaken, Versions, versions
from gateway.console.page import onwards, page
from gateway.console.recording import latest, recorded
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import text
from gateway.errors import Conflict, Invalid, VendorDown, VendorRefused
from gateway.provisioning import draft as drafts
from gateway.provisioning import instances
from gateway.provisioning.details import Details
from gateway.provisioning.draft import Draft

LONGEST_DESCRIPTION = 1_000
NAME, TAGS, DESCRIPTION = OWN = "instance.name", "instance.tags", "instance.description"
_HIDDEN = ("secret", "sealed-long")


@dataclass(frozen=True, slots=True)
class Other:
    """A field that somebody else has changed: what stands there now, and whether it was typed into here as well."""

    label: str
    now: str
    both: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the form is about: the instance, a way to authenticate, and the fields that this one needs."""

    found: Details
    way: Auth | None
    fields: tuple[entries.Field, ...]

    @property
    def is_other_way(self) -> bool:
        """Whether the way is not the one in use."""
        return self.way is not None and self.way != _way(self.found, "")

    @property
    def current(self) -> dict[str, str]:
        """What the form begins with, and the secrets that it never shows."""
        record, stored = self.found.instance, self.found.stored
        own = {NAME: record.name, TAGS: ", ".join(record.tags), DESCRIPTION: record.description}
        return own | {one.key: stored.get(one.key, "") if one.kind in _HIDDEN else one.value for one in self.fields}


def routes() -> list[web.AbstractRouteDef]:
    """The form."""
    return [web.get(ONE + "/edit", show), web.post(ONE + "/edit", save)]


async def show(request: web.Request) -> web.Response:
    """`GET …/edit?way=`."""
    who = await visitor(request, "change")
    return _page(request, _sheet(await asked_for(request, who), request.query.get("way", "")), Form())


async def save(request: web.Request) -> web.Response:
    """`POST …/edit`: all of it or nothing; what was typed stays where something is wrong."""
    who, form = await posted(request)
    sheet = _sheet(await asked_for(request, who), form.get(entries.WAY))
    draft, marks, given = _draft(form, sheet), _versions(request), form.typed("version")
    if not form.ok:
        return _page(request, sheet, form, status=400)

    def agreed(now: Details) -> None:
        marks.refuse_overtaken(given, _sheet(now, form.get(entries.WAY)).current)

    try:
        after = await instances.change(services(request), who.caller, sheet.found.instance.id, draft, agreed=agreed)
    except Overtaken as overtaken:
        return await _overtaken(request, who, form, overtaken.keys)
    except (Invalid, Conflict) as problem:
        form.refused_by(problem, prefixes=("configuration.",))
        return _page(request, sheet, form, status=400 if isinstance(problem, Invalid) else 409)
    except (VendorRefused, VendorDown) as problem:
        said = f" {text('instances.refused.vendor', said=problem.provider)}" if problem.provider else ""
        form.refuse("", f"{problem}{said}")
        return _page(request, sheet, form, status=400)
    return await _saved(request, who, sheet, after, draft)


async def _saved(request: web.Request, who: Visitor, sheet: Sheet, after: Details, draft: Draft) -> web.Response:
    instance, before, now = after.instance, sheet.current, _sheet(after, "").current
    changed = [key for key in OWN if now[key] != before[key]]
    changed += sorted(draft.configuration or {})
    if changed:
        await recorded(request, who, "instance.changed", "instance", instance.id, instance.name, changed=changed)
    notice = "instances.done.changed" if changed else "instances.done.unchanged"
    below = ("sign-in",) if draft.unfinished else ()
    return onwards(services(request).runtime.config, path_of(instance.id, *below), notice, name=instance.name)


def _sheet(found: Details, named: str) -> Sheet:
    way = _way(found, named)
    return Sheet(found=found, way=way, fields=entries.fields(found.connector, way, found.stored))


def _way(found: Details, named: str) -> Auth | None:
    """The way to authenticate of this name; the one in use where there is none."""
    return found.connector.auth.get(named) or way_of(Access(connector=found.connector, config=ConfigView(found.values)))


def _draft(form: Form, sheet: Sheet) -> Draft:
    """What the form wants; what is wrong with its shape is said at its fields."""
    configuration = entries.configuration(form, sheet.fields, sheet.found.stored)
    if sheet.is_other_way and sheet.way is not None:
        configuration[entries.WAY] = sheet.way.id
    tags = [tag for part in form.get(TAGS).split(",") if (tag := part.strip())]
    try:
        draft = drafts.read({"name": form.get(NAME), "tags": tags, "configuration": configuration})
    except Invalid as problem:
        for one in problem.problems:
            form.refuse(f"instance.{one.field}" if f"instance.{one.field}" in OWN else one.field, one.message)
        return Draft()
    description = form.typed(DESCRIPTION).replace("\r\n", "\n").strip()
    odd = any(not one.isprintable() and one not in "\n\t" for one in description)
    if len(description) > LONGEST_DESCRIPTION or odd:
        form.refuse(DESCRIPTION, text("instances.edit.description_problem", most=LONGEST_DESCRIPTION))
    # Who goes over to a login by code signs in on the next page.
    return replace(draft, description=description, unfinished=sheet.is_other_way and takes_code(sheet.way))


async def _overtaken(request: web.Request, who: Visitor, form: Form, keys: Sequence[str]) -> web.Response:
    """The form once more: fields that nobody touched here are as they are now, the others as they were typed."""
    sheet = _sheet(await asked_for(request, who), form.get(entries.WAY))
    marks, given, now = _versions(request), form.typed("version"), sheet.current
    by_key = {one.key: one for one in sheet.fields}
    fields, others = MultiDict(form.items()), list[Other]()
    for key in keys:
        field = by_key.get(key)
        if field is None and key not in OWN:
            continue
        hidden = field is not None and field.kind in _HIDDEN
        typed = _typed(form, key, field)
        both = bool(typed) if hidden else not marks.is_untouched(given, key, typed)
        if not both and not hidden:
            fields[key] = now.get(key, "")
        others.append(Other(_label(key, field), _shown(now.get(key, ""), hidden=hidden), both))
    again = Form(fields)
    again.refuse("", text("instances.edit.overtaken"))
    by, version = await _last_changed(request, who, sheet), marks.of(now)
    return _page(request, sheet, again, status=409, others=others, changed_by=by, version=version)


def _typed(form: Form, key: str, field: entries.Field | None) -> str:
    if field is not None and field.kind == "box":
        return "true" if form.ticked(key) else "false"
    return form.typed(key).replace("\r\n", "\n").strip()


def _label(key: str, field: entries.Field | None) -> str:
    return text(f"instances.edit.{key.removeprefix('instance.')}") if field is None else field.entry.name


def _shown(value: str, *, hidden: bool) -> str:
    if hidden:
        return text("instances.edit.secret_changed")
    return value[:500] or text("instances.edit.emptied")


async def _last_changed(request: web.Request, who: Visitor, sheet: Sheet) -> tuple[str, int] | None:
    """Who changed the instance last, and when, as far as the audit log knows."""
    found = await latest(request, who, "instance", sheet.found.instance.id, "instance.changed")
    return None if found is None else (found.username, found.at)


def _versions(request: web.Request) -> Versions:
    keys = services(request).runtime.config.security.encryption_keys
    return versions(keys[0] if keys else "")


def _page(request: web.Request, sheet: Sheet, form: Form, *, status: int = 200, **more: Any) -> web.Response:
    shown = [one.key for one in sheet.fields]
    version = form.typed("version") or _versions(request).of(sheet.current)
    return page(
        request,
        "instances/edit.html",
        status=status,
        sheet=sheet,
        form=form,
        groups=entries.grouped(sheet.fields),
        shown={"", *OWN, *shown},
        ways=catalogue.ways(sheet.found.connector),
        now=sheet.current,
        **{"others": (), "changed_by": None, "version": version, **more},
    )
