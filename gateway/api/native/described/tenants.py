"""Partners, users, credentials, tokens; what accounts used and how long theirs is kept; who may call from where."""

from typing import get_args

from gateway.accounts.ip_allowed.model import LISTS
from gateway.accounts.model import Role
from gateway.api.native.described.words import DURATION, PAGING, PARTNER_MEANT, chapter, page_of
from gateway.api.native.ip_allow_list import LONGEST_NOTE, MOST_ENTRIES
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import length, maybe, one_of, op, query, record, wish
from gateway.doctor.model import Verdict

_ROLE = one_of(*get_args(Role))
_VERDICT = one_of(*get_args(Verdict))
_SPAN = maybe(DURATION)
SCHEMAS: dict[str, Json] = {
    "Partner": record("id name created_at:time"),
    "PartnerPage": page_of("Partner"),
    "MadePartner": record(
        "id name created_at:time organization_secret account_id:hex user:MadeUser credential:MadeCredential"
    ),
    "RotatedPartner": record("id name created_at:time organization_secret"),
    "User": record("id:integer username account_id:hex", role=_ROLE),
    "UserPage": page_of("User"),
    "MadeUser": record("id:integer username account_id:hex secret", role=_ROLE),
    "Credential": record("client_id name created_at:time"),
    "CredentialPage": record("items:Credential[]", next={"type": "null"}),
    "MadeCredential": record("client_id name created_at:time client_secret"),
    "Token": record("id client_id:text? grant_type account_id:hex? user_id:integer? created_at:time expires_at:time"),
    "TokenPage": page_of("Token"),
    "Usage": record(
        "account_id:hex from:time to:time tasks:integer calls:integer polls:integer events:integer flows:integer"
    ),
    "AllowedAddress": record("address note created_at:time", list=one_of(*LISTS)),
    "AllowList": record("items:AllowedAddress[] your_address"),
    "Retention": record("account_id:hex effective:RetentionSpans", events=_SPAN, payloads=_SPAN),
    "RetentionSpans": record("", events=DURATION, payloads=DURATION),
    "Examination": record("at:time full:boolean checks:Check[]", verdict=_VERDICT),
    "Check": record("check detail items:texts", verdict=_VERDICT),
}
_NAME, _PASSWORD = length(1, 200), maybe(length(0, 1024))
_GONE = Answer("Gone.")
_PARTNER, _USER, _SET = "/api/v1/partners/{id}", "/api/v1/users/{id:id}", "/api/v1/credentials/{client_id}"
_KEPT = "/api/v1/accounts/{account_id}/retention"
_LIST = one_of(*LISTS)
_ENTRY: Json = {"anyOf": [{"type": "string"}, wish("", address={"type": "string"}, note=length(0, LONGEST_NOTE))]}
_ENTRIES: Json = {"type": "array", "items": _ENTRY, "maxItems": MOST_ENTRIES}
_IPS = "/api/v1/ip-allow-list"
_FIRST = "For administrators of the first partner."
_ADMINS = "For administrators."

CHAPTER: Chapter = chapter(
    "Partners, users, upkeep",
    "Who may call, what they used, how long theirs is kept, and whether the gateway is well. Secrets are shown once.",
    SCHEMAS,
    [
        op("listPartners", "GET /api/v1/partners", "Partners, the oldest first", *PAGING, text=_FIRST,
           answer="PartnerPage", refusals=(403,)),
        op("addPartner", "POST /api/v1/partners", "Make a partner, with all that it needs to begin", text=_FIRST,
           body=wish("", name=_NAME, username=maybe(length(0, 200))) | {"required": ["name"]}, example={"name": "Acme"},
           status=201, answer="MadePartner", refusals=(403, 409)),
        op("getPartner", f"GET {_PARTNER}", "A partner", text=_FIRST, answer="Partner", refusals=(403,)),
        op("rotatePartner", f"POST {_PARTNER}/rotate", "Another organization secret", text=_FIRST, body=wish(""),
           optional=True, answer="RotatedPartner", refusals=(403,)),
        op("revokePartner", f"POST {_PARTNER}/revoke", "Every secret of the partner stops working", text=_FIRST,
           body=wish(""), optional=True, answer="Partner", refusals=(403, 409)),
        op("listUsers", "GET /api/v1/users", "A partner's users", *PAGING, PARTNER_MEANT,
           query("account_id", "text", "Those of one account."), text=_ADMINS, answer="UserPage", refusals=(403, 404)),
        op("addUser", "POST /api/v1/users", "Make a user; only this answer has the secret", PARTNER_MEANT, text=_ADMINS,
           body=wish("", username=_NAME, role=maybe(_ROLE), account_id=maybe(length(0, 200)), password=_PASSWORD)
           | {"required": ["username"]}, example={"username": "ann@acme.example", "role": "end_user"}, status=201,
           answer="MadeUser", refusals=(403, 404, 409)),
        op("getUser", f"GET {_USER}", "A user", PARTNER_MEANT, text=_ADMINS, answer="User", refusals=(403,)),
        op("changeUser", f"PATCH {_USER}", "Another role, account or password; the user is signed out", PARTNER_MEANT,
           text=_ADMINS, body=wish("", role=maybe(_ROLE), account_id=maybe(length(0, 200)), password=_PASSWORD),
           example={"role": "power_user"}, answer="User", refusals=(403, 409)),
        op("removeUser", f"DELETE {_USER}", "Remove a user", PARTNER_MEANT, text=_ADMINS, status=204, answer=_GONE,
           refusals=(403, 409)),
        op("rotateUser", f"POST {_USER}/rotate", "Another secret for a user", PARTNER_MEANT, text=_ADMINS,
           body=wish(""), optional=True, answer="MadeUser", refusals=(403,)),
        op("listCredentials", "GET /api/v1/credentials", "A partner's credential sets", PARTNER_MEANT, text=_ADMINS,
           answer="CredentialPage", refusals=(403, 404)),
        op("addCredential", "POST /api/v1/credentials", "Make a credential set; only this answer has the secret",
           PARTNER_MEANT, text=_ADMINS, body=wish("", name=maybe(length(0, 200))), example={"name": "production"},
           optional=True, status=201, answer="MadeCredential", refusals=(403, 404, 409)),
        op("revokeCredential", f"DELETE {_SET}", "The set and all its tokens stop working", PARTNER_MEANT, text=_ADMINS,
           status=204, answer=_GONE, refusals=(403,)),
        op("rotateCredential", f"POST {_SET}/rotate", "Another secret; tokens stay", PARTNER_MEANT, text=_ADMINS,
           body=wish(""), optional=True, answer="MadeCredential", refusals=(403,)),
        op("listTokens", "GET /api/v1/tokens", "Access tokens that can be used or refreshed", *PAGING, PARTNER_MEANT,
           text=_ADMINS, answer="TokenPage", refusals=(403, 404)),
        op("revokeToken", "DELETE /api/v1/tokens/{id}", "A token and its refresh token stop working", PARTNER_MEANT,
           text=_ADMINS, status=204, answer=_GONE, refusals=(403,)),
        op("getUsage", "GET /api/v1/usage", "What an account used, as it is charged", query("account_id"),
           query("from", "time", "From the last billing date, where it is absent."), query("to", "time"),
           answer="Usage", refusals=(404,)),
        op("getAllowList", f"GET {_IPS}", "The addresses that callers may come from", query("list", _LIST),
           text=_ADMINS, answer="AllowList", refusals=(403,)),
        op("replaceAllowList", f"PUT {_IPS}", "Just these from now on", text=_ADMINS,
           body=wish("", list=_LIST, entries=_ENTRIES) | {"required": ["list", "entries"]},
           example={"list": "calls", "entries": ["192.0.2.0/24"]}, answer="AllowList", refusals=(403, 409)),
        op("addToAllowList", f"POST {_IPS}", "These too: an `address`, or `entries`", text=_ADMINS,
           body=wish("address", list=_LIST, entries=_ENTRIES, note=length(0, LONGEST_NOTE)) | {"required": ["list"]},
           example={"list": "calls", "address": "192.0.2.7"}, answer="AllowList", refusals=(403, 409)),
        op("removeFromAllowList", f"DELETE {_IPS}", "One no more", query("list", _LIST, required=True),
           query("address", required=True), text=_ADMINS, answer="AllowList", refusals=(403, 404, 409)),
        op("getRetention", f"GET {_KEPT}", "For how long an account's events and payloads are kept",
           answer="Retention"),
        op("setRetention", f"PUT {_KEPT}", "The account's own spans, one or both", text=_ADMINS,
           body=wish("", events=_SPAN, payloads=_SPAN), example={"events": "90d", "payloads": "7d"},
           answer="Retention", refusals=(403,)),
        op("dropRetention", f"DELETE {_KEPT}", "The configuration counts again", text=_ADMINS, answer="Retention",
           refusals=(403,)),
        op("examine", "GET /api/v1/doctor", "Whether all is well", query("full", "boolean", "With a full count."),
           text=_ADMINS + " 200 whatever is found; `verdict` is the worst.", answer="Examination", refusals=(403,)),
    ],
)  # fmt: skip
