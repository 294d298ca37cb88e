"""What may stand in locators and templates, place by place."""

from gateway.catalogue.template import Context

_REQUEST = frozenset({"header", "query", "form", "body", "config", "const"})
_CALL_WORDS = frozenset({"callback_url", "from", "now", "access_token"})

AUTH = Context(frozenset({"config", "const"}), frozenset({"access_token", "now"}), secrets=True)
#: Of a login: where it goes to. An address is logged, and kept in histories.
LOGIN = Context(AUTH.sources, AUTH.words)
CALL = Context(frozenset({"config", "const"}), _CALL_WORDS, parameters=True)
REGISTRATION = Context(
    frozenset({"config", "const"}), _CALL_WORDS | {"expires_at", "uuid"}, parameters=True, secrets=True
)
ANSWER = Context(frozenset({"body", "header", "token", "last", "const"}))
LISTED = Context(frozenset({"item", "const"}))
PROOF = Context(
    _REQUEST | {"item", "sig", "token"},
    frozenset({"raw", "method", "url", "url_base", "secret", "form_sorted", "crc32", "sns_fields"}),
    secrets=True,
)
COMPUTE = Context(_REQUEST, frozenset({"raw", "method", "url", "url_base", "secret"}), secrets=True)
REPLY = Context(_REQUEST, frozenset({"computed", "method", "url", "url_base"}))
DELIVERY = Context(_REQUEST | {"item"}, frozenset({"action"}))
RECORD = Context(frozenset({"item", "body", "header", "config", "const"}), frozenset({"action"}))
COMPARISON = Context(frozenset({"config", "const"}), parameters=True)
#: Of a 3rd-party connector: the event's payload and its facts.
THIRD_PARTY = Context(frozenset({"body", "event", "const"}))
