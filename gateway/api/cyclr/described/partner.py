"""`/api/partner`, the older partner API."""

from gateway.api.cyclr.account_bodies import LONGEST_NAME, LONGEST_TEXT
from gateway.api.cyclr.described.words import (
    HEX_ID,
    LONG_TIME,
    PLAIN_TIME,
    REFUSALS,
    SECURITY,
    WHOLE,
    array_of,
    paging,
)
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import length, maybe, op, query, record, wish

_TEXT = maybe(length(0, LONGEST_TEXT))
_FIELDS: dict[str, Json] = {
    "Name": maybe(length(1, LONGEST_NAME)),
    "Description": _TEXT,
    "Timezone": {"type": ["string", "null"], "description": "A name such as Europe/London."},
    "PricePlanId": {"anyOf": [WHOLE, {"const": ""}, {"type": "null"}]},
    "AuditInfo": _TEXT,
    "NextBillDate": {"type": ["string", "null"], "description": "Such as 2017-03-09 or 2017-03-09T16:23:08."},
}
_ID = record("", Id=HEX_ID)
_KEYS = maybe(length(0, 65_536))
SCHEMAS: dict[str, Json] = {
    "PartnerAccount": record(
        "Name Description PricePlanId:integer? AuditInfo", Id=HEX_ID, LastBillDate=PLAIN_TIME, NextBillDate=PLAIN_TIME
    ),
    "PartnerDetails": record(
        "AnonymousAccountsEnabled:boolean ApplicationDisplayName ApplicationIcon AppStyle:text? "
        "ComingSoonConnectorsEnabled:boolean CustomConnectorsEnabled:boolean CycleNoun CycleSharingEnabled:boolean "
        "Domain IntercomAPIKey:text? IntercomAppId:text? IntercomSecretKey:text? HeaderHtml:text? FooterHtml:text?"
    ),
    "PricePlan": record("Id Name"),
    "Billing": record(
        "TaskCount:integer CycleCount:integer CurrentPricePlanId:integer? AuditInfo",
        FromDate=PLAIN_TIME,
        ToDate=PLAIN_TIME,
    ),
}
_ONE = "/api/partner/accounts/{id}"

CHAPTER = Chapter(
    name="Cyclr: partner",
    text="The older partner API. What is absent or null in a body stays, an empty text clears it; dates are in UTC.",
    schemas=SCHEMAS,
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        op("partnerListAccounts", "GET /api/partner/accounts", "The accounts", *paging(("Id", "Name")),
           answer=array_of("PartnerAccount")),
        op("partnerChangeAccount", f"PUT {_ONE}", "Change an account", body=wish("", closed=False, **_FIELDS),
           example={"Name": "Acme Ltd", "PricePlanId": 3}, optional=True, answer=_ID, refusals=(409,)),
        op("partnerGetBilling", f"GET {_ONE}/billing", "What an account used in a billing period",
           query("fromDate", "text", "The period that begins here; else the current one."), answer="Billing"),
        op("partnerGetDetails", "GET /api/partner/details", "Who the partner is to its people",
           answer="PartnerDetails"),
        op("partnerAddAccount", "POST /api/partner/createaccount", "Make an account",
           body=wish("", closed=False, **_FIELDS) | {"required": ["Name"]},
           example={"Name": "Acme", "Timezone": "Europe/London", "PricePlanId": 2}, answer=_ID, refusals=(409,)),
        op("partnerSignInToken", "POST /api/partner/createaccountsignintoken",
           "A token for /account/signinwithtoken, for five minutes",
           body=wish("", closed=False, AccountId=length(1, 255), Username=length(1, 255))
           | {"required": ["AccountId", "Username"]}, example={"AccountId": "acme", "Username": "ann@acme.example"},
           answer=record("Token", ExpiresAtUtc=LONG_TIME), refusals=(404, 409)),
        op("partnerInstall", "POST /api/partner/installconnector", "Install a connector for an account",
           body=wish("ConnectorVersion:text?", closed=False, AccountId=length(1, 255), ConnectorName=length(1, 255),
                     InstalledName=maybe(length(0, LONGEST_NAME)), ApiKey=_KEYS, Username=_KEYS, Password=_KEYS)
           | {"required": ["AccountId", "ConnectorName"]},
           example={"AccountId": "acme", "ConnectorName": "Close.io", "ConnectorVersion": "", "ApiKey": "a key"},
           answer=Answer("Installed; there is no body."), refusals=(404, 409, 502)),
        op("partnerListPricePlans", "GET /api/partner/priceplans", "The price plans", *paging(("Id", "Name")),
           answer=array_of("PricePlan")),
    ],
)  # fmt: skip
