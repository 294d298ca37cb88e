"""Between the domain and `/api/partner`: ids of 32 hex digits, dates in UTC without a zone."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from gateway.accounts.metering import periods
from gateway.accounts.metering.model import Used
from gateway.accounts.metering.periods import Period
from gateway.accounts.model import Account
from gateway.config import Config, PricePlan

MASK = "********"
#: The picture of who has configured none.
ICON = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAgMAAADxkFD+AAAACVBMVEX///8fTnn///99mzY/AAAAA3RSTlMA//9EUNYhAA"
    "AAeUlEQVR42mNgYA0FgwAGBsZQKHCACYKERWHMEBzMUDhAZ2athDGjVq1aCmVmrVq1EspcBQQQZtiqqUAEZkYBZbOWgpkgCsQFMYGSYRjMVQjbVoEtWUUs"
    "E6YNu7lIFiM5B8mRSE5H9hCSN5E8jyV0CAYqUgQgRQsisgBhbpV1PH3vDAAAAABJRU5ErkJggg=="
)


def account(found: Account, plans: Sequence[PricePlan], now: int) -> dict[str, Any]:
    """An account in the partner's list."""
    bills = periods.of_account(found, now)
    return {
        "Id": found.id,
        "Name": found.name,
        "Description": found.description,
        "PricePlanId": plan_of(found, plans),
        "LastBillDate": moment(bills.last),
        "NextBillDate": moment(bills.next),
        "AuditInfo": found.audit_info or "",
    }


def plan_of(found: Account, plans: Sequence[PricePlan]) -> int | None:
    """The account's price plan; the first there is, where nobody gave it one."""
    usual = plans[0].id if plans else None
    return usual if found.price_plan is None else found.price_plan


def details(config: Config) -> dict[str, Any]:
    """Who the partner is to its people; secrets are masked."""
    partner = config.partner
    return {
        "AnonymousAccountsEnabled": partner.anonymous_accounts_enabled,
        "ApplicationDisplayName": partner.application_display_name,
        "ApplicationIcon": partner.application_icon or ICON,
        "AppStyle": partner.app_style or None,
        "ComingSoonConnectorsEnabled": partner.coming_soon_connectors_enabled,
        "CustomConnectorsEnabled": partner.custom_connectors_enabled,
        "CycleNoun": partner.cycle_noun,
        "CycleSharingEnabled": partner.cycle_sharing_enabled,
        "Domain": partner.domain or urlsplit(config.public_url).hostname or "",
        "IntercomAPIKey": MASK if partner.intercom_api_key else None,
        "IntercomAppId": partner.intercom_app_id or None,
        "IntercomSecretKey": MASK if partner.intercom_secret_key else None,
        "HeaderHtml": partner.header_html or None,
        "FooterHtml": partner.footer_html or None,
    }


def price_plan(plan: PricePlan) -> dict[str, Any]:
    """A price plan; here its id is a text."""
    return {"Id": str(plan.id), "Name": plan.name}


def billing(found: Account, period: Period, used: Used, plans: Sequence[PricePlan]) -> dict[str, Any]:
    """What an account used in a period; the period's end is told by its last day."""
    return {
        "TaskCount": used.tasks,
        "CycleCount": used.flows,
        "FromDate": moment(period.start),
        "ToDate": moment(period.last_day),
        "CurrentPricePlanId": plan_of(found, plans),
        "AuditInfo": found.audit_info or "",
    }


def moment(at_ms: int) -> str:
    """A time of the older wire, as `2017-02-09T16:23:08`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
