"""Accounts on this wire: how they are shown, and what a body says of one."""

from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from gateway.accounts.directory.store import LONGEST_ID
from gateway.accounts.metering import periods
from gateway.accounts.model import Account, ErrorWebhook
from gateway.api.cyclr.wire import ABSENT, Given, dashed, moment, whole, wrong
from gateway.errors import Invalid

LONGEST_NAME = 255
LONGEST_TEXT = 4_000
MOST_HOURS = 744
_LONGEST_URL = 2_048
_WEBHOOK = "TransactionErrorWebhook"
_HOURS = {"success_hours": "StepDataSuccessRetentionHours", "errored_hours": "StepDataErroredRetentionHours"}


def shape(account: Account, now: int) -> dict[str, Any]:
    """An account; its id is the partner's own one where it has one."""
    webhook = account.error_webhook
    return {
        "CreatedDate": moment(account.created_at),
        "Id": account.external_id or dashed(account.id),
        "Name": account.name,
        "Description": account.description,
        "AuditInfo": account.audit_info,
        "TaskAuditInfo": account.task_audit_info,
        "Timezone": account.timezone,
        "NextBillDateUtc": moment(periods.of_account(account, now).next),
        "StepDataSuccessRetentionHours": account.success_hours,
        "StepDataErroredRetentionHours": account.errored_hours,
        "TransactionErrorWebhookEnabled": webhook.enabled,
        "TransactionErrorWebhookUrl": webhook.url,
        "TransactionErrorWebhookIncludeWarnings": webhook.include_warnings,
    }


def external_id(body: Given) -> str | None:
    """The partner's own id; None where the gateway's is to do."""
    given = (body.text("Id", longest=LONGEST_ID) or "").strip()
    if given and not given.isprintable():
        raise wrong("Id", f"must be a text of at most {LONGEST_ID} printable characters")
    return given or None


def changed(account: Account, body: Given) -> Account:
    """The account as a body wants it; what is absent stays, an empty text clears, Invalid says what cannot be."""
    return replace(
        account,
        name=_name(account, body),
        description=_text(body, "Description", account.description) or "",
        timezone=timezone(body) or account.timezone,
        audit_info=_text(body, "AuditInfo", account.audit_info),
        task_audit_info=_text(body, "TaskAuditInfo", account.task_audit_info),
        success_hours=_hours(body, _HOURS["success_hours"], account.success_hours),
        errored_hours=_hours(body, _HOURS["errored_hours"], account.errored_hours),
        error_webhook=_webhook(body, account.error_webhook),
    )


def timezone(body: Given) -> str | None:
    """The name of a time zone; None where there is none."""
    given = body.text("Timezone", longest=100)
    if not given:
        return None
    known = _zones().get(given.casefold())
    if known is None:
        raise Invalid(f"Timezone '{given}' is not known; give a name such as Europe/London.")
    return known


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def _name(account: Account, body: Given) -> str:
    given = body.text("Name", longest=LONGEST_NAME)
    name = account.name if given is None else given.strip()
    if not name:
        raise Invalid("Name is required")
    return name


def _text(body: Given, name: str, current: str | None) -> str | None:
    given = body.text(name, longest=LONGEST_TEXT, lines=True)
    return current if given is None else given


def _hours(body: Given, name: str, current: int | None) -> int | None:
    """Hours; null is the usual, a text that is no number is passed over, and nothing is kept longer than a month."""
    value = body.raw(name)
    if value is ABSENT:
        return current
    if value is None:
        return None
    found = whole(value)
    if found is None:
        return current
    if found < 0:
        raise Invalid(f"{name} ({found}): must be non negative")
    return min(found, MOST_HOURS)


def _webhook(body: Given, current: ErrorWebhook) -> ErrorWebhook:
    enabled, warnings = body.flag(f"{_WEBHOOK}Enabled"), body.flag(f"{_WEBHOOK}IncludeWarnings")
    given = body.text(f"{_WEBHOOK}Url", longest=_LONGEST_URL)
    if enabled and not given:
        raise Invalid("Transaction Error Webhook enabled: Transaction Error Webhook URL must be defined")
    url = current.url if body.raw(f"{_WEBHOOK}Url") is ABSENT else _url(given)
    return ErrorWebhook(
        enabled=current.enabled if enabled is None else enabled,
        url=url,
        include_warnings=current.include_warnings if warnings is None else warnings,
    )


def _url(given: str | None) -> str | None:
    if not given:
        return None
    url = given if given.lower().startswith(("http://", "https://")) else f"https://{given}"
    try:
        parts = urlsplit(url)
        is_one = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or any(character.isspace() for character in url):
        raise Invalid(f"{url} is not a valid URL")
    return url
