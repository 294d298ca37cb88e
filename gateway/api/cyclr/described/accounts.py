"""`/v1.0/accounts`."""

from gateway.accounts.directory.store import LONGEST_ID
from gateway.api.cyclr.account_bodies import LONGEST_NAME, LONGEST_TEXT, MOST_HOURS
from gateway.api.cyclr.described.words import FLAG, LONG_TIME, REFUSALS, SECURITY, WHOLE, array_of, paging
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import length, maybe, op, record, wish

_HOURS: Json = {"anyOf": [WHOLE, {"type": "null"}], "description": f"More than {MOST_HOURS} is brought down to it."}
_TEXT = maybe(length(0, LONGEST_TEXT))
_FIELDS: dict[str, Json] = {
    "Name": length(1, LONGEST_NAME),
    "Description": _TEXT,
    "AuditInfo": _TEXT,
    "TaskAuditInfo": _TEXT,
    "Timezone": {"type": ["string", "null"], "description": "A name such as Europe/London."},
    "StepDataSuccessRetentionHours": _HOURS,
    "StepDataErroredRetentionHours": _HOURS,
    "TransactionErrorWebhookEnabled": maybe(FLAG),
    "TransactionErrorWebhookUrl": {"type": ["string", "null"]},
    "TransactionErrorWebhookIncludeWarnings": maybe(FLAG),
}
_NEW = {"Id": maybe(length(0, LONGEST_ID)), "ParentAccountId": maybe(length(0, 255)), **_FIELDS}
_USERNAME, _PASSWORD = length(1, 255), length(1, 1_024)
_DONE = Answer("Done; there is no body.")
_ONE = "/v1.0/accounts/{id}"
SCHEMAS: dict[str, Json] = {
    "Account": record(
        "Id Name Description AuditInfo:text? TaskAuditInfo:text? Timezone StepDataSuccessRetentionHours:integer? "
        "StepDataErroredRetentionHours:integer? TransactionErrorWebhookEnabled:boolean "
        "TransactionErrorWebhookUrl:text? TransactionErrorWebhookIncludeWarnings:boolean",
        CreatedDate=LONG_TIME,
        NextBillDateUtc=LONG_TIME,
    ),
}
_PAGES = paging(("Id", "Name", "CreatedDate"))

CHAPTER = Chapter(
    name="Cyclr: accounts",
    text="A partner's accounts. Keys of bodies count in any case, numbers and truth values may be texts.",
    schemas=SCHEMAS,
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        op("cyclrListAccounts", "GET /v1.0/accounts", "The accounts", *_PAGES, answer=array_of("Account")),
        op("cyclrAddAccount", "POST /v1.0/accounts", "Make an account",
           body=wish("", closed=False, **_NEW) | {"required": ["Name"]},
           example={"Name": "Acme", "Timezone": "Europe/London"}, answer="Account", refusals=(409,)),
        op("cyclrGetAccount", f"GET {_ONE}", "An account", answer="Account"),
        op("cyclrChangeAccount", f"PUT {_ONE}", "Change an account; what is absent stays",
           body=wish("", closed=False, **_FIELDS), example={"Name": "Acme Ltd"}, answer="Account", refusals=(409,)),
        op("cyclrRemoveAccount", f"DELETE {_ONE}", "Remove an account with its account connectors, users and tokens",
           answer=_DONE, refusals=(400, 409)),
        op("cyclrListSubaccounts", f"GET {_ONE}/subaccounts", "Accounts of which this one is the parent", *_PAGES,
           answer=array_of("Account")),
        op("cyclrGetUsage", f"GET {_ONE}/usage", "The tasks since the last billing date",
           answer=record("TasksUsed:integer", StartTime=LONG_TIME, EndTime=LONG_TIME)),
        op("cyclrSignInToken", f"POST {_ONE}/signintoken", "A token for /account/signinwithtoken, for five minutes",
           body=wish("", closed=False, Username=_USERNAME) | {"required": ["Username"]},
           example={"Username": "ann@acme.example"}, answer=record("Token", ExpiresAtUtc=LONG_TIME), refusals=(409,)),
        op("cyclrListUsers", f"GET {_ONE}/users", "The names of an account's users", *paging((), usual="UserName"),
           answer=array_of({"type": "string"})),
        op("cyclrPutUser", f"PUT {_ONE}/users", "Make a user, or give one another password",
           body=wish("", closed=False, UserName=_USERNAME, Password=_PASSWORD) | {"required": ["UserName", "Password"]},
           example={"UserName": "ann@acme.example", "Password": "a long sentence"}, answer=_DONE, refusals=(409,)),
        op("cyclrRemoveUser", f"DELETE {_ONE}/users", "Remove a user",
           body=wish("", closed=False, UserName=_USERNAME) | {"required": ["UserName"]},
           example={"UserName": "ann@acme.example"}, answer=_DONE, refusals=(409,)),
    ],
)  # fmt: skip
