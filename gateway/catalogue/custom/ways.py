"""How a custom connector's calls prove who they are."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.catalogue.custom.merging import MergeFields, literal, slug
from gateway.catalogue.custom.part import Part

MOST_WAYS = 10
KEY, USERNAME, PASSWORD = "auth.key", "auth.username", "auth.password"
AUTHORISE_URL, TOKEN_URL = "oauth.authorise.url", "oauth.token.url"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_GRANTS: Mapping[str, str] = {
    "": "authorization_code", "unknown": "authorization_code",
    "authorisationcode": "authorization_code", "authorizationcode": "authorization_code",
    "clientcredentials": "client_credentials",
}  # fmt: skip
_TYPES = {"apikey": "api_key", "basic": "basic", "oauth2": "oauth2", "none": "none", "authfields": "none"}
_ENTRIES: Mapping[str, dict[str, Any]] = {
    KEY: {"name": "API key", "secret": True, "required": True},
    USERNAME: {"name": "User name", "required": True},
    PASSWORD: {"name": "Password", "secret": True},
    AUTHORISE_URL: {"name": "AuthoriseUrl", "type": "url", "required": True},
    TOKEN_URL: {"name": "AccessTokenUrl", "type": "url", "required": True},
}
_SPELLINGS = {
    AUTHORISE_URL: ("AuthoriseUrl", "AuthorizeUrl", "AuthorisationUrl", "AuthorizationUrl"),
    TOKEN_URL: ("AccessTokenUrl", "TokenUrl"),
}
Tables = dict[str, dict[str, Any]]


class Ways:
    """The ways as tables of a connector file, and the entries that they need."""

    def __init__(self, top: Part, merged: MergeFields, scopes: Sequence[str]) -> None:
        self._top = top
        self._merged = merged
        self._scopes = tuple(scopes)
        self._users: dict[str, list[str]] = {}
        self.tables: Tables = {}
        listed = top.parts("Authentication", most=MOST_WAYS)
        for one in sorted(listed, key=lambda part: not part.flag("IsDefault")) or [top]:
            self._add(one)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What a person signs in with."""
        return [{"key": key, **_ENTRIES[key], "auth": ways} for key, ways in self._users.items()]

    def add_key(self, place: str, name: str, entry: str) -> None:
        """A secret property that goes into a header or the query proves who calls, where nothing else does."""
        self.tables = {
            id_: {"type": "api_key", "in": place, "name": literal(name), "value": f"{{config:{entry}}}"}
            if table["type"] == "none"
            else table
            for id_, table in self.tables.items()
        }

    def _add(self, part: Part) -> None:
        kind = part.word("AuthType") or "none"
        if kind not in _TYPES:
            part.problem("AuthType", "must be ApiKey, Basic, OAuth2, AuthFields or None")
            return
        id_ = slug(part.text("AuthName", longest=100), _TYPES[kind], self.tables)
        make = {"api_key": self._api_key, "basic": self._basic, "oauth2": self._oauth2}.get(_TYPES[kind])
        self.tables[id_] = make(id_, part) if make else {"type": "none"}

    def _entry(self, id_: str, key: str) -> str:
        self._users.setdefault(key, []).append(id_)
        return f"{{config:{key}}}"

    def _api_key(self, id_: str, part: Part) -> dict[str, Any]:
        header = part.text("AuthScheme", longest=100) or self._top.text("AuthScheme", longest=100) or "Authorization"
        key = self._entry(id_, KEY)
        if header.lower() == "bearer":
            return {"type": "bearer", "token": key}
        if not _HEADER.fullmatch(header):
            part.problem("AuthScheme", "must be the name of a header, or Bearer")
        return {"type": "api_key", "in": "header", "name": literal(header), "value": key}

    def _basic(self, id_: str, _part: Part) -> dict[str, Any]:
        return {"type": "basic", "username": self._entry(id_, USERNAME), "password": self._entry(id_, PASSWORD)}

    def _oauth2(self, id_: str, part: Part) -> dict[str, Any]:
        grant = _GRANTS.get(part.word("OAuth2Type") or self._top.word("OAuth2Type"))
        if grant is None:
            part.problem("OAuth2Type", "must be AuthorisationCode or ClientCredentials")
        table: dict[str, Any] = {"type": "oauth2", "grant": grant or "client_credentials"}
        if grant == "authorization_code":
            table["authorize_url"] = self._url(id_, part, AUTHORISE_URL)
        table["token_url"] = self._url(id_, part, TOKEN_URL)
        return table | ({"scopes": list(self._scopes)} if self._scopes else {})

    def _url(self, id_: str, part: Part, key: str) -> str:
        """The address; where the definition has none, each account connector says it."""
        given = part.text(*_SPELLINGS[key]) or self._top.text(*_SPELLINGS[key])
        if not given:
            return self._entry(id_, key)
        try:
            return self._merged.template(given)
        except ValueError as problem:
            part.problem(_SPELLINGS[key][0], str(problem))
            return ""
