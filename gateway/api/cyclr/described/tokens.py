"""The token endpoint, and the page for people who are sent here."""

from gateway.accounts.credentials.model import EXPIRES_IN_S
from gateway.api.openapi.model import JSON, Answer, Body, Chapter, Json, Refusals
from gateway.api.openapi.schemas import one_of, op, query, record, wish

_OAUTH = Refusals(
    name="OAuthError",
    schema=record("error error_description"),
    texts={
        400: "The request cannot be taken (RFC 6749, 5.2).",
        401: "The client, or its secret, is not known.",
        408: "The body came too slowly.",
        413: "The body is longer than 1 MiB.",
        415: "The body has a Content-Encoding.",
        429: "Too many failures; Retry-After says when to come again.",
        503: "The gateway cannot store anything now.",
    },
    always=(503,),
)
_WISH = wish(
    "client_id client_secret scope username password refresh_token",
    closed=False,
    grant_type=one_of("client_credentials", "password", "refresh_token"),
) | {"required": ["grant_type"]}
_TOKEN: Json = record(
    "access_token clientId .issued .expires -refresh_token -userName",
    token_type=one_of("bearer"),
    expires_in={"const": EXPIRES_IN_S},
)
TOKENS = Chapter(
    name="Tokens",
    text="Bearer tokens for every surface (RFC 6749).",
    schemas={"AccessToken": _TOKEN},
    refusals=_OAUTH,
    operations=[
        op(
            "token", "POST /oauth/token", "A bearer token for a credential set",
            text="Id and secret may stand in a Basic header instead. `scope=account:{id}` makes a token for one "
            "account. The grants `password` and `refresh_token` are there where security.password_grant allows them.",
            body=Body(_WISH, media=("application/x-www-form-urlencoded", JSON), example={
                "grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}),
            answer="AccessToken", refusals=(401, 429), security=(("client",), ()),
        ),
    ],
)  # fmt: skip
_PAGE = Refusals(
    name="Page",
    schema={"type": "string"},
    media="text/html",
    texts={
        400: "The link is not valid.",
        410: "The link was used before, or has expired.",
        503: "The gateway cannot store anything now.",
    },
    always=(503,),
)
SIGN_IN = Chapter(
    name="Sign-in",
    text="Where a partner's application sends a person whom it has signed in.",
    refusals=_PAGE,
    operations=[
        op(
            "signIn", "GET /account/signinwithtoken", "Sign a person in", query("token", required=True),
            query("returnUrl", "text", "A path of this gateway to go on to; anything else is ignored."),
            answers={200: Answer("Signed in; the session stands in a cookie.", {"type": "string"}, "text/html"),
                     303: Answer("Signed in; go on.", headers={"Location": {"type": "string"}})},
            refusals=(400, 410),
        ),
    ],
)  # fmt: skip
