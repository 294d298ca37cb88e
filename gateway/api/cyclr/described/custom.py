"""`/v1.0/account/connectors/custom`: connectors that a partner brings itself."""

from gateway.api.cyclr.described.words import ACCOUNT_MEANT, GUID, LONG_TIME, REFUSALS, SECURITY, array_of, paging
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import listed, maybe, one_of, op, record, wish
from gateway.catalogue.custom.model import LONGEST_DEFINITION

_HEAD: dict[str, Json] = {
    "UniqueIdentifier": GUID,
    "ReleaseStatus": one_of("Draft", "Live"),
    "CreatedDate": LONG_TIME,
    "ModifiedDate": LONG_TIME,
}
_WHOLE = record("Id:integer LiveRelease:text? Authentication:object[]", **_HEAD) | {
    "additionalProperties": True,
    "description": "The definition as it was given, with what the gateway says of it.",
}
_MEMBERS = listed({"type": "object"})
_DEFINITION = wish(
    "Name Version:text? Description:text? AuthType AuthScheme:text?",
    closed=False,
    UniqueIdentifier=GUID,
    ReleaseStatus=maybe(one_of("Draft", "Live")),
    Authentication=maybe(_MEMBERS),
    Parameters=maybe(_MEMBERS),
    Methods=maybe(_MEMBERS),
) | {"description": f"At most {LONGEST_DEFINITION // 1024} KiB."}
_GET = {"Name": "Get Lists", "HttpMethod": "Get", "EndPoint": "https://api.mailer.example/3.0/lists"}
_EXAMPLE = {"Name": "Mailer", "AuthType": "ApiKey", "AuthScheme": "X-Api-Key", "Methods": [_GET]}
_ALL = "/v1.0/account/connectors/custom"
_ONE = _ALL + "/{id}"

CHAPTER = Chapter(
    name="Cyclr: custom connectors",
    text="Connectors that a partner brings as definitions, drafts first; what is released, its accounts install. `id` "
    "is a number or a UniqueIdentifier. The token must be the whole partner's.",
    schemas={
        "CustomConnector": _WHOLE,
        "CustomConnectorEntry": record("Id:integer Name IsReleased:boolean", **_HEAD),
    },
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        op("customList", f"GET {_ALL}", "The partner's connectors", *paging(("Id", "Name", "CreatedDate")),
           ACCOUNT_MEANT,
           answer=array_of("CustomConnectorEntry")),
        op("customAdd", f"POST {_ALL}", "Bring a connector: a draft, or with ReleaseStatus Live a release",
           ACCOUNT_MEANT,
           body=_DEFINITION | {"required": ["Name"]}, example=_EXAMPLE, answer="CustomConnector", refusals=(404, 409)),
        op("customGet", f"GET {_ONE}", "One of them with its definition", ACCOUNT_MEANT, answer="CustomConnector"),
        op("customChange", f"PUT {_ONE}", "Change the draft; what is absent stays", ACCOUNT_MEANT, body=_DEFINITION,
           example=_EXAMPLE, answer="CustomConnector", refusals=(409,)),
        op("customRelease", f"POST {_ONE}/release", "What the draft says counts from now on", ACCOUNT_MEANT,
           body=wish("", closed=False), optional=True, answer="CustomConnector", refusals=(409,)),
        op("customRemove", f"DELETE {_ONE}", "Remove one of which nothing is installed", ACCOUNT_MEANT,
           answer=Answer("Done; there is no body."), refusals=(409,)),
    ],
)  # fmt: skip
