"""`/console/settings/audit`: who changed what, the newest first."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts.audit import store
from gateway.accounts.audit.model import Entry, Wanted, period
from gateway.api import read
from gateway.console.forms import Form, asked
from gateway.console.page import page
from gateway.console.settings.accounts import names
from gateway.console.visitor import Visitor, services, visitor
from gateway.console.wording import has, text, texts

PATH = "/console/settings/audit"
SIZE = 50
_ACTS = "audit.acts."
_TEXTS = ("username", "act", "subject", "subject_id", "account_id")
_ID = re.compile(r"[0-9a-f]{32}")


def routes() -> list[web.AbstractRouteDef]:
    """The log."""
    return [web.get(PATH, show)]


async def show(request: web.Request) -> web.Response:
    """`GET /console/settings/audit?username=&act=&subject=&subject_id=&account_id=&since=&until=&before=`."""
    who, form = await visitor(request, "people"), asked(request)
    wanted = _wanted(request, who, form)
    before = form.get("before")
    if not _ID.fullmatch(before):
        before = ""
    # An account's people see their account; who rules the partner, all of it.
    caller = replace(who.caller, account_id=None) if who.may("partner") else who.caller
    database = services(request).runtime.database
    found = store.Page([], None)
    if form.ok:
        found = await store.page(database, caller, wanted, before=before, size=SIZE)
    ids = {one.account_id for one in found.items} - {""}
    return page(
        request,
        "settings/audit.html",
        status=200 if form.ok else 400,
        form=form,
        entries=found.items,
        older=_link(form, found.before),
        newest=_link(form, "") if before else None,
        filtered=any(form.get(name) for name in (*_TEXTS, "since", "until")),
        accounts=await names(request, who, ids) if who.may("partner") else {},
        acts=[(name, text(_ACTS + name)) for name in _names(_ACTS)],
        subjects=[(name, text("audit.subjects." + name)) for name in _names("audit.subjects.")],
        act_of=_act,
        details_of=_details,
    )


def _wanted(request: web.Request, who: Visitor, form: Form) -> Wanted:
    given = {name: read.text(request, name, longest=200) for name in _TEXTS}
    found = period(form.get("since"), form.get("until"), who.zone)
    if found.problems:
        for problem in found.problems:
            form.refuse(problem.field, problem.message)
        return Wanted()
    return Wanted(**given, since=found.since, until=found.until)


def _link(form: Form, before: str | None) -> str | None:
    if before is None:
        return None
    kept = {name: form.get(name) for name in (*_TEXTS, "since", "until") if form.get(name)}
    query = urlencode(kept | ({"before": before} if before else {}))
    return f"{PATH}?{query}" if query else PATH


def _names(begin: str) -> list[str]:
    return [name.removeprefix(begin) for name in texts() if name.startswith(begin)]


def _act(entry: Entry) -> str:
    """What was done, in words; one that an earlier version knew stays as it was kept."""
    return text(_ACTS + entry.act) if has(_ACTS + entry.act) else entry.act


def _details(entry: Entry) -> list[tuple[str, str]]:
    return [(_detail(name), _value(value)) for name, value in entry.details.items() if value not in ("", None, [])]


def _detail(name: str) -> str:
    known = f"audit.details.{name}"
    return text(known) if has(known) else name


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
